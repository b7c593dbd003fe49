//! The I/O threads. A shard is one thread with a current-thread tokio runtime; a socket stays on its shard.
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
use crate::transport::ref_count::{Counted, Lease, Leased, Place};
use crate::transport::socket::{RECEIVE_BUFFER, Socket, lock};

/// More threads than this do not help: one saturates a core only when JavaScript needs several.
const MAX_SHARDS: usize = 4;

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// How many I/O threads run in this process.
pub fn live_threads() -> usize {
    LIVE.load(Ordering::SeqCst)
}

/// What a shard is asked to do.
pub(in crate::transport) enum Job {
    /// Start reading and writing this socket, for as long as it has this seat.
    Adopt { socket: Arc<Socket>, fd: Arc<socket2::Socket>, seat: Arc<Seat> },
    /// Write what the socket has queued.
    Write(Arc<Socket>),
    /// Let the task of this seat look at its socket anew (resumed, taken back, destroyed).
    Look(Arc<Seat>),
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
pub(in crate::transport) struct Shard {
    jobs: WakeQueue<Job, Notify>,
    pub(super) scratch: Mutex<Scratch>,
}

impl Shard {
    /// Queues a job. Jobs for a thread that has ended are dropped: its sockets are gone, too.
    pub(in crate::transport) fn push(&self, job: Job) {
        self.jobs.push(job);
    }

    /// The thread's main future: runs jobs until the last lease is gone.
    async fn run(&self) {
        let woken = || self.jobs.waker().notified();
        let run = |job| match job {
            Job::Adopt { socket, fd, seat } => task::start(socket, fd, seat),
            Job::Write(socket) => task::write(&socket),
            Job::Look(seat) => seat.waker.wake(),
        };
        self.jobs.serve(woken, run).await;
    }
}

impl Leased for Shard {
    fn take_lease(&self) -> bool {
        self.jobs.take_lease()
    }

    fn give_back_lease(&self) {
        self.jobs.give_back_lease();
    }
}

/// One socket's place on a thread, from a move there to the move back.
pub(in crate::transport) struct Seat {
    pub(in crate::transport) shard: Arc<Shard>,
    /// Wakes the task.
    pub(in crate::transport) waker: AtomicWaker,
    lease: Mutex<Option<Lease<Shard>>>,
}

impl Seat {
    /// A place on the next thread in turn, which is started where none runs.
    ///
    /// # Errors
    /// When the system gives no thread, no descriptor for its poller, or no randomness.
    pub(in crate::transport) fn take() -> io::Result<Arc<Self>> {
        let lease = lease()?;
        let shard = Arc::clone(lease.queue());
        Ok(Arc::new(Self { shard, waker: AtomicWaker::new(), lease: Mutex::new(Some(lease)) }))
    }

    /// The task is over: the thread may end when all others are, too.
    pub(super) fn leave(&self) {
        // A waker holds the thread's poller, and a seat may be held longer than the thread lives.
        drop(self.waker.take());
        drop(lock(&self.lease).take());
    }
}

struct Registry {
    threads: Vec<Place<Shard>>,
    next: usize,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { threads: Vec::new(), next: 0 });

fn lease() -> io::Result<Lease<Shard>> {
    let mut registry = lock(&REGISTRY);
    if registry.threads.is_empty() {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        // One core is JavaScript's.
        let threads = cores.saturating_sub(1).clamp(1, MAX_SHARDS);
        registry.threads.resize_with(threads, || Place::EMPTY);
    }
    let index = registry.next % registry.threads.len();
    registry.next = index + 1;
    registry.threads[index].lease(start)
}

fn start() -> io::Result<Arc<Shard>> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let keys = RandomKeys::new().map_err(io::Error::other)?;
    let shard = Arc::new(Shard {
        jobs: WakeQueue::new(Notify::new()),
        scratch: Mutex::new(Scratch { buffer: vec![0; RECEIVE_BUFFER].into_boxed_slice(), keys }),
    });
    let inside = Arc::clone(&shard);
    // Counted out also when there is no thread for it.
    let counted = Counted::new(&LIVE);
    thread::Builder::new().name("ferrows-io".into()).spawn(move || run(counted, runtime, &inside))?;
    Ok(shard)
}

fn run(counted: Counted<&'static AtomicUsize>, runtime: Runtime, shard: &Shard) {
    runtime.block_on(shard.run());
    // The registry, or a seat, may hold the shard for long.
    lock(&shard.scratch).buffer = Box::default();
    // A thread that was counted out has nothing left open; arguments go in this order when it unwinds, too.
    drop(runtime);
    drop(counted);
}
