//! Per-message compression on libuv's thread pool, for payloads that would occupy the JavaScript thread for
//! long. The shim decides which these are and keeps the order of messages; it is called back when a result
//! can be sent or delivered.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Env, Result, sys};

use super::host::{NodeHost, SharedTransport, next_records};
use super::sys::{Reference, call_function, queue_async_work};
use crate::protocol::deflate::{
    Broadcast, InflateJob, OutgoingParams, Pool, Progress, compress_standalone, stored_blocks,
};
use crate::transport::event_loop::EventLoop;
use crate::transport::transports::{Backend, Transport};

/// The most running jobs that others can join. A broadcast sends one payload to many connections, with few
/// sets of parameters.
const MAX_JOINABLE: usize = 4;

/// A payload that is being compressed, for one or more connections that send the same.
struct CompressionJob {
    payload: Arc<[u8]>,
    outgoing: OutgoingParams,
    /// The transports, and the callbacks of the shim.
    waiters: RefCell<Vec<(SharedTransport, Reference)>>,
}

/// Compression of the connections of one environment.
#[derive(Default)]
pub(super) struct Compression {
    /// Idle compressors and inflaters.
    pub(super) pool: Arc<Pool>,
    /// The last compressed payloads, for connections that send the same.
    pub(super) broadcast: RefCell<Broadcast>,
    /// Running jobs that can be joined, the newest first.
    jobs: RefCell<Vec<Rc<CompressionJob>>>,
}

impl Compression {
    /// True if a connection or configuration with permessage-deflate exists: these share the pool.
    pub(super) fn is_used(&self) -> bool {
        Arc::strong_count(&self.pool) > 1
    }

    /// Frees memory that connections share and that was not used since the last call. Returns true if the next call may free
    /// more.
    pub(super) fn free_unused(&self) -> bool {
        self.broadcast.borrow_mut().clear();
        self.pool.trim()
    }

    /// Compresses `payload` on a pool thread, without reference to earlier messages, and then calls
    /// `callback`; the transport holds the result from then on. Joins a running job with the same payload and
    /// parameters.
    ///
    /// # Errors
    /// If the environment is ending.
    pub(super) fn deflate_async(
        self: &Rc<Self>,
        env: Env,
        transport: &SharedTransport,
        outgoing: &OutgoingParams,
        payload: &[u8],
        callback: sys::napi_value,
    ) -> Result<()> {
        let waiter = (Rc::clone(transport), Reference::new(env, callback)?);
        let is_same = |job: &&Rc<CompressionJob>| *job.payload == *payload && job.outgoing == *outgoing;
        if let Some(job) = self.jobs.borrow().iter().find(is_same) {
            job.waiters.borrow_mut().push(waiter);
            return Ok(());
        }
        let payload: Arc<[u8]> = Arc::from(payload);
        let job = Rc::new(CompressionJob {
            payload: Arc::clone(&payload),
            outgoing: outgoing.clone(),
            waiters: RefCell::new(vec![waiter]),
        });
        let (compression, running) = (Rc::clone(self), Rc::clone(&job));
        let (pool, outgoing) = (Arc::clone(&self.pool), outgoing.clone());
        queue_async_work(
            env,
            move || compress_standalone(&pool, &outgoing, &payload),
            move |compressed| {
                // Stored blocks are valid DEFLATE: the message is sent even if the job failed.
                let compressed = compressed.unwrap_or_else(|| stored_blocks(&running.payload));
                compression.finish(env, &running, &Rc::new(compressed));
            },
        )?;
        let mut jobs = self.jobs.borrow_mut();
        jobs.truncate(MAX_JOINABLE - 1);
        jobs.insert(0, job);
        Ok(())
    }

    fn finish(&self, env: Env, job: &Rc<CompressionJob>, compressed: &Rc<Vec<u8>>) {
        self.jobs.borrow_mut().retain(|other| !Rc::ptr_eq(other, job));
        for (transport, callback) in job.waiters.take() {
            transport.borrow_mut().set_compressed(Rc::clone(compressed));
            call_function(env, &callback, 0);
        }
    }
}

/// Inflates the frame at which a connection has stopped parsing, and then calls `callback` with the number of
/// records of the next batch. For a socket that is 0, because its events are delivered as always.
///
/// # Errors
/// If the environment is ending.
pub(super) fn inflate_async(
    event_loop: &Rc<EventLoop<NodeHost>>,
    transport: &SharedTransport,
    callback: sys::napi_value,
) -> Result<()> {
    let callback = Reference::new(event_loop.host().env, callback)?;
    let Some(mut job) = transport.borrow_mut().take_inflate_job() else { return Ok(()) };
    let (env, event_loop) = (event_loop.host().env, Rc::clone(event_loop));
    let transport = Rc::clone(transport);
    queue_async_work(
        env,
        move || {
            while job.run(usize::MAX) == Progress::Paused {}
            job
        },
        move |job| {
            let job = job.unwrap_or_else(InflateJob::failed);
            let count = finish_inflate_job(&event_loop, &mut transport.borrow_mut(), job);
            call_function(env, &callback, count);
        },
    )
}

fn finish_inflate_job(
    event_loop: &EventLoop<NodeHost>,
    transport: &mut Transport<Reference>,
    job: InflateJob,
) -> u32 {
    if let Backend::Stream(stream) = transport.backend() {
        stream.finish_inflate_job(job, &mut *event_loop.host().keys.borrow_mut());
        return next_records(event_loop, transport);
    }
    transport.finish_inflate_job(event_loop, job);
    0
}
