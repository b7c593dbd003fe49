//! The I/O threads. A shard is one thread with a current-thread tokio runtime; a socket stays on its shard.
//!
//! Counted by leases: each socket's task holds one, the first lease starts the thread, dropping the last lets
//! it end. Work for the thread comes through one queue with one wake-up, however many sockets it concerns.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;

use atomic_waker::AtomicWaker;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use super::task;
use crate::transport::RandomKeys;
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

#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    closed: bool,
}

/// What the tasks of one thread share. Locked for the compiler's sake: only that thread does.
pub(super) struct Scratch {
    pub(super) buffer: Box<[u8]>,
    pub(super) keys: RandomKeys,
}

/// One I/O thread, seen from outside and from inside.
pub(in crate::transport) struct Shard {
    queue: Mutex<Queue>,
    wake: Notify,
    pub(super) scratch: Mutex<Scratch>,
}

impl Shard {
    /// Queues a job. Jobs for a thread that has ended are dropped: its sockets are gone, too.
    pub(in crate::transport) fn push(&self, job: Job) {
        let first = {
            let mut queue = lock(&self.queue);
            if queue.closed {
                return;
            }
            queue.jobs.push(job);
            queue.jobs.len() == 1
        };
        if first {
            self.wake.notify_one();
        }
    }

    /// The thread's main future: runs jobs until the last lease is gone.
    async fn run(self: Arc<Self>) {
        let mut jobs = Vec::new();
        loop {
            self.wake.notified().await;
            let closed = {
                let mut queue = lock(&self.queue);
                std::mem::swap(&mut queue.jobs, &mut jobs);
                queue.closed
            };
            for job in jobs.drain(..) {
                match job {
                    Job::Adopt { socket, fd, seat } => task::start(socket, fd, seat),
                    Job::Write(socket) => task::write(&socket),
                    Job::Look(seat) => seat.waker.wake(),
                }
            }
            if closed {
                return;
            }
        }
    }
}

/// Keeps a shard's thread running.
struct Lease(Arc<LeaseCount>);

/// One socket's place on a thread, from a move there to the move back.
pub(in crate::transport) struct Seat {
    pub(in crate::transport) shard: Arc<Shard>,
    /// Wakes the task.
    pub(in crate::transport) waker: AtomicWaker,
    lease: Mutex<Option<Lease>>,
}

impl Seat {
    /// A place on the next thread in turn, which is started where none runs.
    ///
    /// # Errors
    /// When the system gives no thread, no descriptor for its poller, or no randomness.
    pub(in crate::transport) fn take() -> io::Result<Arc<Self>> {
        let lease = lease()?;
        let shard = Arc::clone(&lease.0.shard);
        Ok(Arc::new(Self { shard, waker: AtomicWaker::new(), lease: Mutex::new(Some(lease)) }))
    }

    /// The task is over: the thread may end when all others are, too.
    pub(super) fn leave(&self) {
        // A waker holds the thread's poller, and a seat may be held longer than the thread lives.
        drop(self.waker.take());
        drop(lock(&self.lease).take());
    }
}

/// Closes the shard when the last [`Lease`] goes.
struct LeaseCount {
    shard: Arc<Shard>,
}

impl Drop for LeaseCount {
    fn drop(&mut self) {
        lock(&self.shard.queue).closed = true;
        self.shard.wake.notify_one();
    }
}

struct Registry {
    shards: Vec<Weak<LeaseCount>>,
    next: usize,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { shards: Vec::new(), next: 0 });

fn lease() -> io::Result<Lease> {
    let mut registry = lock(&REGISTRY);
    if registry.shards.is_empty() {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        // One core is JavaScript's.
        let shards = cores.saturating_sub(1).clamp(1, MAX_SHARDS);
        registry.shards.resize_with(shards, Weak::new);
    }
    let index = registry.next % registry.shards.len();
    registry.next = index + 1;
    if let Some(count) = registry.shards[index].upgrade() {
        return Ok(Lease(count));
    }
    let lease = Lease(Arc::new(LeaseCount { shard: start()? }));
    registry.shards[index] = Arc::downgrade(&lease.0);
    Ok(lease)
}

fn start() -> io::Result<Arc<Shard>> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let keys = RandomKeys::new().map_err(io::Error::other)?;
    let shard = Arc::new(Shard {
        queue: Mutex::default(),
        wake: Notify::new(),
        scratch: Mutex::new(Scratch { buffer: vec![0; RECEIVE_BUFFER].into_boxed_slice(), keys }),
    });
    let inside = Arc::clone(&shard);
    LIVE.fetch_add(1, Ordering::SeqCst);
    let spawned = thread::Builder::new().name("ferrows-io".into()).spawn(move || run(runtime, inside));
    if let Err(error) = spawned {
        LIVE.fetch_sub(1, Ordering::SeqCst);
        return Err(error);
    }
    Ok(shard)
}

fn run(runtime: Runtime, shard: Arc<Shard>) {
    /// Counts the thread out however it ends.
    struct Ended;
    impl Drop for Ended {
        fn drop(&mut self) {
            LIVE.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let _ended = Ended;
    runtime.block_on(shard.run());
    // A thread that was counted out has nothing left open.
    drop(runtime);
}
