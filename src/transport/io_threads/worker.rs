//! The I/O threads. A worker is one thread with a current-thread tokio runtime; a socket stays on its worker.
//!
//! Each socket's task holds a lease of its thread: see `leases`. Work for the thread comes through one queue with one
//! wake-up, however many sockets it concerns.

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

/// More threads than this do not help: one saturates a core only when JavaScript needs several.
const MAX_WORKERS: usize = 4;

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// How many I/O threads run in this process.
pub fn live_threads() -> usize {
    LIVE.load(Ordering::SeqCst)
}

/// What a worker is asked to do.
pub(in crate::transport) enum Job {
    /// Start reading and writing this socket, for as long as it has this registration.
    Adopt { socket: Arc<Socket>, fd: Arc<socket2::Socket>, registration: Arc<Registration> },
    /// Write what the socket has queued.
    Write(Arc<Socket>),
    /// Let the task of this registration look at its socket anew (resumed, taken back, destroyed).
    Poll(Arc<Registration>),
}

/// What the tasks of one thread share. Locked for the compiler's sake: only that thread does.
pub(super) struct Scratch {
    pub(super) buffer: Box<[u8]>,
    pub(super) keys: RandomKeys,
}

impl Wake for Notify {
    fn wake(&self) {
        self.notify_one();
    }
}

/// One I/O thread, seen from outside and from inside.
pub(in crate::transport) struct Worker {
    jobs: WakeQueue<Job, Notify>,
    pub(super) scratch: Mutex<Scratch>,
}

impl Worker {
    /// Queues a job. Jobs for a thread that has ended are dropped: its sockets are gone, too.
    pub(in crate::transport) fn push(&self, job: Job) {
        self.jobs.push(job);
    }

    /// The thread's main future: runs jobs until the last lease is gone.
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
    fn try_acquire(&self) -> bool {
        self.jobs.try_acquire()
    }

    fn release(&self) {
        self.jobs.release();
    }
}

/// One socket's place on a thread, from a move there to the move back.
pub(in crate::transport) struct Registration {
    pub(in crate::transport) worker: Arc<Worker>,
    /// Wakes the task.
    pub(in crate::transport) waker: AtomicWaker,
    lease: Mutex<Option<WorkerRef<Worker>>>,
}

impl Registration {
    /// A place on the next thread in turn, which is started where none runs.
    ///
    /// # Errors
    /// When the system gives no thread, no descriptor for its poller, or no randomness.
    pub(in crate::transport) fn new() -> io::Result<Arc<Self>> {
        let lease = lease()?;
        let worker = Arc::clone(lease.queue());
        Ok(Arc::new(Self { worker, waker: AtomicWaker::new(), lease: Mutex::new(Some(lease)) }))
    }

    /// The task is over: the thread may end when all others are, too.
    pub(super) fn leave(&self) {
        // A waker holds the thread's poller, and a registration may be held longer than the thread lives.
        drop(self.waker.take());
        drop(lock(&self.lease).take());
    }
}

struct Registry {
    threads: Vec<WorkerSlot<Worker>>,
    next: usize,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { threads: Vec::new(), next: 0 });

fn lease() -> io::Result<WorkerRef<Worker>> {
    let mut registry = lock(&REGISTRY);
    if registry.threads.is_empty() {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        // One core is JavaScript's.
        let threads = cores.saturating_sub(1).clamp(1, MAX_WORKERS);
        registry.threads.resize_with(threads, || WorkerSlot::EMPTY);
    }
    let index = registry.next % registry.threads.len();
    registry.next = index + 1;
    registry.threads[index].lease(start)
}

fn start() -> io::Result<Arc<Worker>> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let keys = RandomKeys::new().map_err(io::Error::other)?;
    let worker = Arc::new(Worker {
        jobs: WakeQueue::new(Notify::new()),
        scratch: Mutex::new(Scratch { buffer: vec![0; RECEIVE_BUFFER].into_boxed_slice(), keys }),
    });
    let inside = Arc::clone(&worker);
    // LiveGuard out also when there is no thread for it.
    let counted = LiveGuard::new(&LIVE);
    thread::Builder::new().name("ferrows-io".into()).spawn(move || run(counted, runtime, &inside))?;
    Ok(worker)
}

fn run(counted: LiveGuard<&'static AtomicUsize>, runtime: Runtime, worker: &Worker) {
    runtime.block_on(worker.run());
    // The registry, or a registration, may hold the worker for long.
    lock(&worker.scratch).buffer = Box::default();
    // A thread that was counted out has nothing left open; arguments go in this order when it unwinds, too.
    drop(runtime);
    drop(counted);
}
