//! permessage-deflate of the connections of one owner: the compressors and payloads that they share, the jobs that compress
//! a payload on another thread, and memory that is freed when they are idle. The owner decides which payloads these are, and runs
//! the jobs.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::event_loop::{EventLoop, Host};
use super::heap;
use super::transports::Transport;
use crate::protocol::MaskingKey;
use crate::protocol::deflate::{Broadcast, OutgoingParams, Pool, compress_standalone, stored_blocks};

/// The most running jobs that others can join. A broadcast sends one payload to many connections, with few
/// sets of parameters.
const MAX_JOINABLE: usize = 4;

/// Compresses a payload, on another thread.
pub type Job = Box<dyn FnOnce() -> Vec<u8> + Send>;
/// Takes the result of a [`Job`]; `None` if it failed.
pub type Done = Box<dyn FnOnce(Option<Vec<u8>>)>;

/// A payload that is being compressed, for one or more connections that send the same.
#[derive(Debug)]
struct CompressionJob<W> {
    payload: Arc<[u8]>,
    outgoing: OutgoingParams,
    waiters: RefCell<Vec<W>>,
}

/// Compression of the connections of one owner. `W` waits for the result of a job.
#[derive(Debug)]
pub struct Compression<W> {
    /// Idle compressors and inflaters.
    pub pool: Arc<Pool>,
    /// The last compressed payloads, for connections that send the same.
    pub broadcast: RefCell<Broadcast>,
    /// Running jobs that can be joined, the newest first.
    jobs: RefCell<Vec<Rc<CompressionJob<W>>>>,
}

impl<W> Default for Compression<W> {
    fn default() -> Self {
        Self {
            pool: Arc::new(Pool::new(heap::free)),
            broadcast: RefCell::default(),
            jobs: RefCell::default(),
        }
    }
}

impl<W> Compression<W> {
    /// True if a connection or configuration with permessage-deflate exists: these share the pool.
    pub fn is_used(&self) -> bool {
        Arc::strong_count(&self.pool) > 1
    }

    /// Frees memory that connections share and that was not used since the last call. Returns true if a later call may free more.
    pub fn free_unused(&self) -> bool {
        self.broadcast.borrow_mut().clear();
        self.pool.trim()
    }

    /// Compresses `payload` on another thread, without reference to earlier messages, and then calls `complete` with `waiter` and the
    /// result, by a running job with the same payload and parameters, or by a new one, which `queue` runs.
    ///
    /// # Errors
    /// Those of `queue`.
    pub fn compress<E>(
        self: &Rc<Self>,
        outgoing: &OutgoingParams,
        payload: &[u8],
        waiter: W,
        queue: impl FnOnce(Job, Done) -> Result<(), E>,
        complete: impl Fn(W, Rc<Vec<u8>>) + 'static,
    ) -> Result<(), E>
    where
        W: 'static,
    {
        let Err(waiter) = self.join(outgoing, payload, waiter) else { return Ok(()) };
        let job = Self::job(outgoing, payload, waiter);
        let (pool, outgoing, payload) = (Arc::clone(&self.pool), outgoing.clone(), Arc::clone(&job.payload));
        let (owner, running) = (Rc::clone(self), Rc::clone(&job));
        queue(
            Box::new(move || compress_standalone(&pool, &outgoing, &payload)),
            Box::new(move |compressed| {
                // Stored blocks are valid DEFLATE: the message is sent even if the job failed.
                let compressed = Rc::new(compressed.unwrap_or_else(|| stored_blocks(&running.payload)));
                for waiter in owner.end(&running) {
                    complete(waiter, Rc::clone(&compressed));
                }
            }),
        )?;
        self.begin(job);
        Ok(())
    }

    /// Joins a running job with the same payload and parameters. Returns the waiter if there is none.
    ///
    /// # Errors
    /// The waiter.
    fn join(&self, outgoing: &OutgoingParams, payload: &[u8], waiter: W) -> Result<(), W> {
        let is_same = |job: &&Rc<CompressionJob<W>>| *job.payload == *payload && job.outgoing == *outgoing;
        match self.jobs.borrow().iter().find(is_same) {
            Some(job) => job.waiters.borrow_mut().push(waiter),
            None => return Err(waiter),
        }
        Ok(())
    }

    /// A job for this payload, which others join once it is [`begin`](Self::begin)-ed.
    fn job(outgoing: &OutgoingParams, payload: &[u8], waiter: W) -> Rc<CompressionJob<W>> {
        let (payload, outgoing) = (Arc::from(payload), outgoing.clone());
        Rc::new(CompressionJob { payload, outgoing, waiters: RefCell::new(vec![waiter]) })
    }

    /// Lets others join a job, which runs now.
    fn begin(&self, job: Rc<CompressionJob<W>>) {
        let mut jobs = self.jobs.borrow_mut();
        jobs.truncate(MAX_JOINABLE - 1);
        jobs.insert(0, job);
    }

    /// Ends a job, which others cannot join any more. Returns all that wait for its result, in the order in which they came.
    fn end(&self, job: &Rc<CompressionJob<W>>) -> Vec<W> {
        self.jobs.borrow_mut().retain(|other| !Rc::ptr_eq(other, job));
        job.waiters.take()
    }
}

/// The parameters that a message of `length` bytes is compressed with, if it is. Decides for the whole message if called before its
/// first fragment.
pub fn params_if_compressed<H: Host>(
    event_loop: &EventLoop<H>,
    transport: &mut Transport<H::Memory>,
    compress: bool,
    length: usize,
) -> Option<OutgoingParams> {
    event_loop.activate(transport);
    transport.with_connection(|connection| {
        let is_compressed = connection.decide_compression(compress, length);
        connection.outgoing_params().filter(|_| is_compressed).cloned()
    })?
}

/// Queues the payload that another thread has compressed, if there is one. Returns the bytes ever queued.
pub fn send_compressed<H: Host>(
    event_loop: &EventLoop<H>,
    transport: &mut Transport<H::Memory>,
    binary: bool,
    fin: bool,
    key: Option<MaskingKey>,
) -> u64 {
    let Some(compressed) = transport.take_compressed() else { return transport.totals().queued };
    transport.run(event_loop, |connection| connection.send_precompressed(binary, fin, key, &compressed))
}

#[cfg(test)]
mod tests {
    use super::{Compression, MAX_JOINABLE};
    use crate::protocol::deflate::OutgoingParams;

    fn begin(compression: &Compression<u32>, outgoing: &OutgoingParams, payload: &[u8], waiter: u32) {
        compression.begin(Compression::job(outgoing, payload, waiter));
    }

    #[test]
    fn a_running_job_is_joined_by_the_same_payload_and_parameters_only() {
        let compression = Compression::default();
        let outgoing = OutgoingParams::default();
        let other = OutgoingParams { threshold: 0, ..outgoing.clone() };
        assert_eq!(compression.join(&outgoing, b"payload", 1), Err(1));
        let job = Compression::job(&outgoing, b"payload", 1);
        // It is not running yet.
        assert_eq!(compression.join(&outgoing, b"payload", 2), Err(2));
        compression.begin(std::rc::Rc::clone(&job));
        assert_eq!(compression.join(&outgoing, b"payloads", 3), Err(3));
        assert_eq!(compression.join(&other, b"payload", 4), Err(4));
        assert_eq!(compression.join(&outgoing, b"payload", 5), Ok(()));
        assert_eq!(compression.join(&outgoing, b"payload", 6), Ok(()));
        assert_eq!(compression.end(&job), [1, 5, 6]);
        assert_eq!(compression.join(&outgoing, b"payload", 7), Err(7));
        assert!(compression.end(&job).is_empty());
    }

    #[test]
    fn only_the_newest_jobs_are_joined() {
        let compression = Compression::default();
        let outgoing = OutgoingParams::default();
        for number in 0..=MAX_JOINABLE as u8 {
            begin(&compression, &outgoing, &[number], number.into());
        }
        assert_eq!(compression.join(&outgoing, &[0], 10), Err(10));
        for number in 1..=MAX_JOINABLE as u8 {
            assert_eq!(compression.join(&outgoing, &[number], 10), Ok(()));
        }
    }

    #[test]
    fn compression_is_used_while_the_pool_is_shared() {
        let compression = Compression::<()>::default();
        assert!(!compression.is_used());
        let shared = std::sync::Arc::clone(&compression.pool);
        assert!(compression.is_used());
        drop(shared);
        assert!(!compression.is_used());
    }
}
