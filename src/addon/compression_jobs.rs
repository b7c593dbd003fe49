//! Per-message compression on libuv's thread pool, for payloads that would occupy the JavaScript thread for long. The shim decides
//! which these are and keeps the order of messages; it is called back when a result can be sent or delivered.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Result, sys};

use super::channel::Channel;
use super::environment::Shared;
use super::sys::{Reference, call_function, queue_async_work};
use crate::protocol::deflate::{InflateJob, OutgoingParams, Progress, compress_standalone, stored_blocks};

/// The most running jobs that others can join. A broadcast sends one payload to many connections, with few sets of parameters.
const MAX_JOINABLE: usize = 4;

/// A payload that is being compressed, for one or more connections that send the same.
pub(super) struct CompressionJob {
    payload: Arc<[u8]>,
    outgoing: OutgoingParams,
    /// The connections, and the callbacks of the shim.
    waiters: RefCell<Vec<(Rc<RefCell<Channel>>, Reference)>>,
}

impl Shared {
    /// Compresses `payload`, without reference to earlier messages, and then calls `callback`, from when on
    /// [`Channel::send_deflated`] sends the result. Joins a running job with the same payload and parameters.
    ///
    /// # Errors
    /// If the environment is ending.
    pub(super) fn deflate_async(
        self: &Rc<Self>,
        channel: &Rc<RefCell<Channel>>,
        outgoing: &OutgoingParams,
        payload: &[u8],
        callback: sys::napi_value,
    ) -> Result<()> {
        let callback = Reference::new(self.env, callback)?;
        let waiter = (Rc::clone(channel), callback);
        let is_same = |job: &&Rc<CompressionJob>| *job.payload == *payload && job.outgoing == *outgoing;
        if let Some(job) = self.deflating.borrow().iter().find(is_same) {
            job.waiters.borrow_mut().push(waiter);
            return Ok(());
        }
        let payload: Arc<[u8]> = Arc::from(payload);
        let job = Rc::new(CompressionJob {
            payload: Arc::clone(&payload),
            outgoing: outgoing.clone(),
            waiters: RefCell::new(vec![waiter]),
        });
        let (shared, started) = (Rc::clone(self), Rc::clone(&job));
        let (pool, outgoing) = (Arc::clone(&self.pool), outgoing.clone());
        queue_async_work(
            self.env,
            move || compress_standalone(&pool, &outgoing, &payload),
            move |compressed| {
                // Stored blocks are valid DEFLATE: the message is sent even if the job failed.
                let compressed = compressed.unwrap_or_else(|| stored_blocks(&started.payload));
                shared.deflated(&started, &Rc::new(compressed));
            },
        )?;
        let mut running = self.deflating.borrow_mut();
        running.truncate(MAX_JOINABLE - 1);
        running.insert(0, job);
        Ok(())
    }

    fn deflated(&self, job: &Rc<CompressionJob>, compressed: &Rc<Vec<u8>>) {
        self.deflating.borrow_mut().retain(|other| !Rc::ptr_eq(other, job));
        for (channel, callback) in job.waiters.take() {
            channel.borrow_mut().keep_deflated(Rc::clone(compressed));
            call_function(self.env, &callback, 0);
        }
    }

    /// Inflates the frame at which a connection has stopped parsing, and then calls `callback` with the number of records of the next
    /// batch. For an attached connection that is 0, because its events are delivered as always.
    ///
    /// # Errors
    /// If the environment is ending.
    pub(super) fn inflate_async(
        self: &Rc<Self>,
        channel: &Rc<RefCell<Channel>>,
        callback: sys::napi_value,
    ) -> Result<()> {
        let callback = Reference::new(self.env, callback)?;
        let Some(mut job) = channel.borrow_mut().take_inflate_job() else { return Ok(()) };
        let (shared, channel) = (Rc::clone(self), Rc::clone(channel));
        queue_async_work(
            self.env,
            move || {
                while job.run(usize::MAX) == Progress::Paused {}
                job
            },
            move |job| {
                shared.inflated(&channel, job.unwrap_or_else(InflateJob::failed), &callback);
            },
        )
    }

    fn inflated(&self, channel: &RefCell<Channel>, job: InflateJob, callback: &Reference) {
        let count = channel.borrow_mut().finish_inflate_job(self, job);
        call_function(self.env, callback, count);
    }
}
