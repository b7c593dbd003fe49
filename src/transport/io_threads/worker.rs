//! The I/O threads. A worker is one thread with a current-thread tokio runtime; a socket stays with its
//! worker until its owner destroys it or hands it back to the host.
//!
//! Each registered socket holds a reference to its worker (see `ref_count`): the first starts the thread, the
//! last one lets it end. Jobs come through one queue with one wake-up, however many sockets they concern.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use atomic_waker::AtomicWaker;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use super::task;
use crate::transport::RandomKeys;
use crate::transport::queue::{Wake, WakeQueue};
use crate::transport::ref_count::{LiveGuard, RefCounted, WorkerRef, WorkerSlot};
use crate::transport::socket::{RECEIVE_BUFFER, Socket, lock};

/// Threads at most. More do not help: a single one saturates a core only when JavaScript needs several.
const MAX_WORKERS: usize = 4;

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// The number of I/O threads that run in this process.
pub fn live_threads() -> usize {
    LIVE.load(Ordering::SeqCst)
}

/// A job for a worker's thread.
pub(in crate::transport) enum Job {
    /// Read and write this socket.
    Adopt { socket: Arc<Socket>, fd: Arc<socket2::Socket>, registration: Arc<Registration> },
    /// Write the queued output of this socket.
    Write(Arc<Socket>),
    /// Poll the task of this registration: its socket was resumed, destroyed or handed back.
    Poll(Arc<Registration>),
}

/// Memory that the tasks of one thread share. The mutex is never contended: only that thread locks it.
pub(super) struct Scratch {
    pub(super) buffer: Box<[u8]>,
    pub(super) keys: RandomKeys,
}

impl Wake for Notify {
    fn wake(&self) {
        self.notify_one();
    }
}

/// One I/O thread. Other threads push jobs; its own runs them.
pub(in crate::transport) struct Worker {
    jobs: WakeQueue<Job, Notify>,
    pub(super) scratch: Mutex<Scratch>,
}

impl Worker {
    /// Queues a job. It is dropped if the thread has ended: its sockets have ended before.
    pub(in crate::transport) fn push(&self, job: Job) {
        self.jobs.push(job);
    }

    /// The thread's main future: runs jobs until the last reference is dropped.
    async fn run(&self) {
        let woken = || self.jobs.waker().notified();
        let run = |job| match job {
            Job::Adopt { socket, fd, registration } => task::start(socket, fd, registration),
            Job::Write(socket) => task::write(&socket),
            Job::Poll(registration) => registration.waker.wake(),
        };
        self.jobs.serve(woken, run).await;
    }
}

impl RefCounted for Worker {
    fn try_ref(&self) -> bool {
        self.jobs.try_ref()
    }

    fn unref(&self) {
        self.jobs.unref();
    }
}

/// One socket's stay on a worker.
pub(in crate::transport) struct Registration {
    pub(in crate::transport) worker: Arc<Worker>,
    /// Wakes the task.
    pub(in crate::transport) waker: AtomicWaker,
    worker_ref: Mutex<Option<WorkerRef<Worker>>>,
}

impl Registration {
    /// Registers with the next worker, round robin, and starts its thread if it does not run.
    ///
    /// # Errors
    /// If the system refuses a thread, a descriptor for its poller, or randomness.
    pub(in crate::transport) fn new() -> io::Result<Arc<Self>> {
        let worker_ref = next_worker()?;
        let worker = Arc::clone(worker_ref.worker());
        Ok(Arc::new(Self { worker, waker: AtomicWaker::new(), worker_ref: Mutex::new(Some(worker_ref)) }))
    }

    /// Ends the stay: the task is over, and the thread may end.
    pub(super) fn finish(&self) {
        // A waker holds the thread's poller, and a registration may outlive the thread.
        drop(self.waker.take());
        drop(lock(&self.worker_ref).take());
    }
}

struct Workers {
    slots: Vec<WorkerSlot<Worker>>,
    next: usize,
}

static WORKERS: Mutex<Workers> = Mutex::new(Workers { slots: Vec::new(), next: 0 });

fn next_worker() -> io::Result<WorkerRef<Worker>> {
    let mut workers = lock(&WORKERS);
    if workers.slots.is_empty() {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        // One core is left to JavaScript.
        let count = cores.saturating_sub(1).clamp(1, MAX_WORKERS);
        workers.slots.resize_with(count, || WorkerSlot::EMPTY);
    }
    let index = workers.next % workers.slots.len();
    workers.next = index + 1;
    workers.slots[index].get_or_start(start)
}

fn start() -> io::Result<Arc<Worker>> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let keys = RandomKeys::new().map_err(io::Error::other)?;
    let worker = Arc::new(Worker {
        jobs: WakeQueue::new(Notify::new()),
        scratch: Mutex::new(Scratch { buffer: vec![0; RECEIVE_BUFFER].into_boxed_slice(), keys }),
    });
    let inside = Arc::clone(&worker);
    // Dropped, and so not counted, if the thread can't be spawned.
    let live = LiveGuard::new(&LIVE);
    thread::Builder::new().name("ferrows-io".into()).spawn(move || run(live, runtime, &inside))?;
    Ok(worker)
}

fn run(live: LiveGuard<&'static AtomicUsize>, runtime: Runtime, worker: &Worker) {
    runtime.block_on(worker.run());
    // A slot or a registration may keep the worker's memory for long.
    lock(&worker.scratch).buffer = Box::default();
    // A thread that is no longer counted has closed its descriptors. Arguments drop in this order when it
    // unwinds, too.
    drop(runtime);
    drop(live);
}
