//! Per-message compression on libuv's thread pool, for payloads that would occupy the JavaScript thread for
//! long. The shim decides which these are and keeps the order of messages; it is called back when a result
//! can be sent or delivered.

use std::rc::Rc;

use napi::{Env, Result, sys};

use super::host::{NodeHost, SharedTransport, next_records};
use super::sys::{Reference, call_function, queue_async_work};
use crate::protocol::deflate::{InflateJob, OutgoingParams, Progress};
use crate::transport::compression;
use crate::transport::event_loop::EventLoop;

/// Compression of the connections of one environment. A transport and the callback of the shim wait for a result.
pub(super) type Compression = compression::Compression<(SharedTransport, Reference)>;

/// Compresses `payload` on a pool thread, see [`Compression::compress`], and then calls `callback`; the transport holds the result
/// from then on.
pub(super) fn deflate_async(
    compression: &Rc<Compression>,
    env: Env,
    transport: &SharedTransport,
    outgoing: &OutgoingParams,
    payload: &[u8],
    callback: Reference,
) -> Result<()> {
    let complete = move |(transport, callback): (SharedTransport, Reference), compressed| {
        transport.borrow_mut().set_compressed(compressed);
        call_function(env, &callback, 0);
    };
    let queue = |job, done| queue_async_work(env, job, done);
    compression.compress(outgoing, payload, (Rc::clone(transport), callback), queue, complete)
}

/// Inflates the frame at which a connection has stopped parsing, and then calls `callback` with the number of
/// records of the next batch. For a socket that is 0, because its events are delivered as always.
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
            let mut connection = transport.borrow_mut();
            let count = if let Some(stream) = connection.stream() {
                stream.finish_inflate_job(job, &mut *event_loop.host().keys.borrow_mut());
                next_records(&event_loop, &mut connection)
            } else {
                connection.finish_inflate_job(&event_loop, job);
                0
            };
            drop(connection);
            call_function(env, &callback, count);
        },
    )
}
