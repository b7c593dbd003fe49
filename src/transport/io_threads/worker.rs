//! One I/O thread as the other threads see it: its queue of jobs, the registrations of its sockets, and the operations
//! that it needs of a socket.

use std::sync::{Arc, Mutex};

use atomic_waker::AtomicWaker;
use tokio::sync::Notify;

use crate::connection::MaskingKeys;
use crate::transport::RandomKeys;
use crate::transport::queue::{Wake, WakeQueue};
use crate::transport::ref_count::{RefCounted, WorkerRef};
use crate::transport::sync::lock;
use crate::transport::turn::{Interest, RECEIVE_BUFFER, Received, Stop};

/// A socket whose bytes an I/O thread moves. Called on that thread.
pub(in crate::transport) trait Driven: Send + Sync {
    /// The work for the thread. `None` once the socket was destroyed or handed back.
    fn thread_interest(&self) -> Option<Interest>;

    /// Reads once, and parses. The flag is true if the connection has made output itself (automatic pongs) that is to be
    /// written now.
    fn receive(&self, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> (Received, bool);

    /// Writes queued output for one turn.
    fn write_turn(&self) -> Stop;

    /// Wakes the task.
    fn wake(&self);

    /// Reports a fault, unless the socket was destroyed or handed back: its task is over.
    fn abandon(&self);
}

/// A job for a worker's thread.
pub(in crate::transport) enum Job {
    /// Read and write this socket.
    Adopt { socket: Arc<dyn Driven>, fd: Arc<socket2::Socket>, registration: Arc<Registration> },
    /// Write the queued output of this socket.
    Write(Arc<dyn Driven>),
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
    /// A worker with one reference. `keys` masks the frames that its connections make themselves.
    pub(super) fn new(keys: RandomKeys) -> Self {
        let buffer = vec![0; RECEIVE_BUFFER].into_boxed_slice();
        Self { jobs: WakeQueue::new(Notify::new()), scratch: Mutex::new(Scratch { buffer, keys }) }
    }

    /// Queues a job. It is dropped if the thread has ended: its sockets have ended before.
    pub(in crate::transport) fn push(&self, job: Job) {
        self.jobs.push(job);
    }

    /// The thread's main future: passes jobs to `run` until the last reference is dropped.
    pub(super) async fn serve(&self, run: impl FnMut(Job)) {
        self.jobs.serve(|| self.jobs.waker().notified(), run).await;
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
    pub(super) fn new(worker_ref: WorkerRef<Worker>) -> Arc<Self> {
        let worker = Arc::clone(worker_ref.worker());
        Arc::new(Self { worker, waker: AtomicWaker::new(), worker_ref: Mutex::new(Some(worker_ref)) })
    }

    /// Ends the stay: the task is over, and the thread may end.
    pub(super) fn finish(&self) {
        // A waker holds the thread's poller, and a registration may outlive the thread.
        drop(self.waker.take());
        drop(lock(&self.worker_ref).take());
    }
}
