//! The I/O threads. A shard is one thread with a current-thread tokio runtime; a socket stays on its shard.
//!
//! Counted by leases: each socket's task holds one, the first lease starts the thread, dropping the last lets
//! it end. Work for the thread comes through one queue with one wake-up, however many sockets it concerns.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use super::lock;
use super::socket::Socket;
use super::task;
use crate::transport::RandomKeys;

/// More threads than this do not help: one saturates a core only when JavaScript needs several.
const MAX_SHARDS: usize = 4;

/// How much is received at once. Fits the L2 cache with room for the payloads copied out of it, and is what
/// Node reads at most.
const RECEIVE_BUFFER: usize = 64 * 1024;

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// How many I/O threads run in this process.
pub fn live_threads() -> usize {
    LIVE.load(Ordering::SeqCst)
}

/// What a shard is asked to do.
pub(super) enum Job {
    /// Start reading this socket.
    Adopt(Arc<Socket>, Arc<socket2::Socket>, Lease),
    /// Write what the socket has queued.
    Write(Arc<Socket>),
    /// Let the socket's task look at its state anew (resumed, destroyed).
    Look(Arc<Socket>),
}

#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    closed: bool,
}

/// What the tasks of one thread share: who reads a socket of the shard holds it, and that is the thread itself but for a
/// last read (`last_read`).
pub(super) struct Scratch {
    pub(super) buffer: Box<[u8]>,
    pub(super) keys: RandomKeys,
}

/// One I/O thread, seen from outside and from inside.
pub(super) struct Shard {
    queue: Mutex<Queue>,
    wake: Notify,
    pub(super) scratch: Mutex<Scratch>,
}

impl Shard {
    /// Queues a job. Jobs for a thread that has ended are dropped: its sockets are gone, too.
    pub(super) fn push(&self, job: Job) {
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
                    Job::Adopt(socket, fd, lease) => task::start(socket, fd, lease),
                    Job::Write(socket) => socket.write_from_shard(),
                    Job::Look(socket) => socket.wake_task(),
                }
            }
            if closed {
                return;
            }
        }
    }
}

/// Keeps a shard's thread running.
pub(super) struct Lease(Arc<LeaseCount>);

impl Lease {
    pub(super) fn shard(&self) -> &Arc<Shard> {
        &self.0.shard
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

/// Takes a lease of the next shard in turn, and starts its thread where none runs.
///
/// # Errors
/// When the system gives no thread, no descriptor for its poller, or no randomness.
pub(super) fn lease() -> io::Result<Lease> {
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
