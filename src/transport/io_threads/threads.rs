//! The I/O threads of this process. Each has a current-thread tokio runtime; a socket stays with its thread until its owner
//! takes it back or destroys it.
//!
//! Each registered socket holds a reference to its worker (see `ref_count`): the first starts the thread, the
//! last one lets it end. Jobs come through one queue with one wake-up, however many sockets they concern.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::task;
use super::worker::{Job, Registration, Worker};
use crate::transport::RandomKeys;
use crate::transport::ref_count::{LiveGuard, WorkerRef, WorkerSlot};
use crate::transport::sync::lock;

/// Threads at most. More do not help: a single one saturates a core only when JavaScript needs several.
const MAX_WORKERS: usize = 4;

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// The number of I/O threads that run in this process.
pub fn live_threads() -> usize {
    LIVE.load(Ordering::SeqCst)
}

/// Registers a socket with the next worker, round robin, and starts its thread if it does not run.
///
/// # Errors
/// If the system refuses a thread, a descriptor for its poller, or randomness.
pub(in crate::transport) fn register() -> io::Result<Arc<Registration>> {
    Ok(Registration::new(next_worker()?))
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
    let worker = Arc::new(Worker::new(keys));
    let inside = Arc::clone(&worker);
    // Dropped, and so not counted, if the thread can't be spawned.
    let live = LiveGuard::new(&LIVE);
    thread::Builder::new().name("ferrows-io".into()).spawn(move || run(live, runtime, &inside))?;
    Ok(worker)
}

fn run(live: LiveGuard<&'static AtomicUsize>, runtime: Runtime, worker: &Worker) {
    runtime.block_on(worker.serve(|job| match job {
        Job::Adopt { socket, fd, registration } => task::start(socket, fd, registration),
        Job::Write(socket) => task::write(&*socket),
        Job::Poll(registration) => registration.waker.wake(),
    }));
    // A slot or a registration may keep the worker's memory for long.
    lock(&worker.scratch).buffer = Box::default();
    // A thread that is no longer counted has closed its descriptors. Arguments drop in this order when it
    // unwinds, too.
    drop(runtime);
    drop(live);
}
