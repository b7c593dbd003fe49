//! permessage-deflate of the connections of one owner: the compressors and payloads that they share, the jobs that compress
//! a payload on another thread, and memory that is freed when they are idle. Decides neither which payloads are compressed
//! nor on which thread a job runs.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::heap;
use crate::protocol::deflate::{Broadcast, OutgoingParams, Pool};

/// The most running jobs that others can join. A broadcast sends one payload to many connections, with few
/// sets of parameters.
const MAX_JOINABLE: usize = 4;

/// A payload that is being compressed, for one or more connections that send the same.
#[derive(Debug)]
pub struct CompressionJob<W> {
    /// The payload.
    pub payload: Arc<[u8]>,
    /// The parameters that it is compressed with.
    pub outgoing: OutgoingParams,
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

    /// Joins a running job with the same payload and parameters. Returns the waiter if there is none.
    ///
    /// # Errors
    /// The waiter.
    pub fn join(&self, outgoing: &OutgoingParams, payload: &[u8], waiter: W) -> Result<(), W> {
        let is_same = |job: &&Rc<CompressionJob<W>>| *job.payload == *payload && job.outgoing == *outgoing;
        match self.jobs.borrow().iter().find(is_same) {
            Some(job) => job.waiters.borrow_mut().push(waiter),
            None => return Err(waiter),
        }
        Ok(())
    }

    /// A job for this payload, which others join once it is [`begin`](Self::begin)-ed.
    pub fn job(outgoing: &OutgoingParams, payload: &[u8], waiter: W) -> Rc<CompressionJob<W>> {
        let (payload, outgoing) = (Arc::from(payload), outgoing.clone());
        Rc::new(CompressionJob { payload, outgoing, waiters: RefCell::new(vec![waiter]) })
    }

    /// Lets others join a job, which runs now.
    pub fn begin(&self, job: Rc<CompressionJob<W>>) {
        let mut jobs = self.jobs.borrow_mut();
        jobs.truncate(MAX_JOINABLE - 1);
        jobs.insert(0, job);
    }

    /// Ends a job, which others cannot join any more. Returns all that wait for its result, in the order in which they came.
    pub fn end(&self, job: &Rc<CompressionJob<W>>) -> Vec<W> {
        self.jobs.borrow_mut().retain(|other| !Rc::ptr_eq(other, job));
        job.waiters.take()
    }
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
