//! Per-message compression on libuv's thread pool, for payloads that would occupy the JavaScript thread for long. The shim decides
//! which these are and keeps the order of messages; it is called back when a result can be sent or delivered.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use napi::{Env, Result, sys};

use super::host::{NodeHost, SharedTransport, next_records};
use super::sys::{Reference, call_function, malloc_trim, queue_async_work};
use crate::connection::Trimmed;
use crate::protocol::deflate::{
    Broadcast, InflateJob, OutgoingParams, Pool, Progress, compress_standalone, stored_blocks,
};
use crate::transport::event_loop::EventLoop;
use crate::transport::transports::{Backend, Transport};

/// The most running jobs that others can join. A broadcast sends one payload to many connections, with few sets of parameters.
const MAX_JOINABLE: usize = 4;

/// A payload that is being compressed, for one or more connections that send the same.
struct CompressionJob {
    payload: Arc<[u8]>,
    outgoing: OutgoingParams,
    waiters: RefCell<Vec<(SharedTransport, Reference)>>,
}

/// About what permessage-deflate has in memory for a connection when it closes.
const FREED_AT_CLOSE: usize = 32 * 1024;

/// Bytes freed from which `malloc_trim` is called while other memory is in use.
const TRIM_FROM: usize = 4 * 1024 * 1024;

/// Compression of the connections of one environment.
#[derive(Default)]
pub(super) struct Compression {
    /// Compressors and inflaters that no connection needs now.
    pub(super) pool: Arc<Pool>,
    /// The payload that was compressed last.
    pub(super) broadcast: RefCell<Broadcast>,
    /// About how many bytes were freed since the last `malloc_trim`.
    freed: Cell<usize>,
    /// The last payloads that other threads compress, the newest one first.
    jobs: RefCell<Vec<Rc<CompressionJob>>>,
}

impl Compression {
    /// True if connections are configured with permessage-deflate: they have the pool.
    pub(super) fn is_used(&self) -> bool {
        Arc::strong_count(&self.pool) > 1
    }

    /// Notes that a connection with permessage-deflate has closed.
    pub(super) fn note_close(&self) {
        self.freed.set(self.freed.get() + FREED_AT_CLOSE);
    }

    /// Releases memory that was not used since the last call, after `released` was by connections. `freed_otherwise` counts bytes that
    /// others have freed. Returns whether permessage-deflate may have more to release the next time, and whether free memory was
    /// returned to the system.
    pub(super) fn release_unused(&self, mut released: Trimmed, freed_otherwise: usize) -> (bool, bool) {
        self.broadcast.borrow_mut().clear();
        released.may_free_more |= self.pool.trim();
        // `malloc_trim` takes time: it is not called for little, unless that is the last of permessage-deflate.
        let freed = self.freed.get() + released.freed;
        let is_last = freed > 0 && !released.may_free_more;
        let trims = is_last || freed + freed_otherwise >= TRIM_FROM;
        if trims {
            malloc_trim();
        }
        self.freed.set(if trims { 0 } else { freed });
        (released.may_free_more, trims)
    }

    /// Compresses `payload` on a pool thread, without reference to earlier messages, and then calls `callback`; the transport holds
    /// the result from then on. Joins a running job with the same payload and parameters.
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

/// Inflates the frame at which a connection has stopped parsing, and then calls `callback` with the number of records of the next
/// batch. For a socket that is 0, because its events are delivered as always.
///
/// # Errors
/// When the environment is ending.
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
