//! Frequent operations on connections, as functions that name a connection by its number: most connections
//! have no JavaScript object. `connection` has the rest; `sys/function` creates functions.

use std::ffi::CStr;
use std::rc::Rc;

use napi::bindgen_prelude::Unknown;
use napi::{Result, sys};
use napi_derive::napi;

use super::codec::masking_key;
use super::context::Context;
use super::host::{NodeHost, SharedTransport, fresh_key, next_records};
use super::payload::{flag, message, with_optional_bytes};
use super::sockets;
use super::sys::{Arguments, Body, Place, Reference, create_function, is_undefined, unknown, unsigned};
use crate::connection::Connection;
use crate::protocol::MaskingKey;
use crate::transport::event_loop::{AdoptRequest, EventLoop, SocketCommand, Source};
use crate::transport::records::write_payload;
use crate::transport::transports::{Totals, Transport};

/// Functions on connections. The first argument is the number of a connection, unless stated otherwise. 0 is
/// the number of a destroyed connection; on such a one they do nothing. Those that queue output return the
/// total of bytes ever queued.
///
/// `flags` of a payload: `BINARY` 1, `FIN` 2, `STRING` 4 (required for a string), `MASK` 8 (with `key`, or a
/// random key), `COMPRESS` 64, `PLACED` 128 (it is in `Environment.records`, and the argument is its length).
#[napi(object, object_from_js = false)]
pub struct Functions<'env> {
    /// Adopts the socket `fd`, whose `net.Socket` must not close it before `destroy`. `configuration`: the
    /// number of one; `head`: bytes that were read from the socket before; `driver`: 0
    /// the event loop, 1 an I/O thread (always if the event loop can't poll the socket), plus 2 to start paused, until
    /// `resume`. Returns the number of the connection, whose events go to `deliver` after this call. -1 if
    /// the socket can't be adopted: nothing has changed then.
    #[napi(
        ts_type = "(fd: number, configuration: number, head: Uint8Array | undefined, driver: number) => number"
    )]
    pub attach: Unknown<'env>,
    /// Adopts the accepted connection of a `Listener` with this number, and its descriptor, which `destroy`
    /// closes. Writes `response` at once; bytes that the kernel refuses count as queued. Otherwise as
    /// `attach`. -1 if there is no such connection, or it can't be adopted: it is closed then.
    #[napi(
        ts_type = "(number: number, configuration: number, response: string, head: Uint8Array | undefined, driver: number) => number"
    )]
    pub adopt: Unknown<'env>,
    /// Attached: makes later deliveries in an async context of this `AsyncResource`, by `deliverInContext`, until the connection is
    /// idle. The caller keeps the resource, and is in its scope.
    #[napi(ts_type = "(id: number, resource: object) => void")]
    pub keep_context: Unknown<'env>,
    /// Destroys a connection that was attached or adopted, and frees its number.
    #[napi(ts_type = "(id: number) => void")]
    pub free: Unknown<'env>,
    /// Queues a message or a fragment. `flags` may have `SAME` 32 if the data is that of the last call with
    /// `STRING`, and `TOTAL` 16, without which the total is not returned.
    #[napi(
        ts_type = "(id: number, data: string | Uint8Array | number, flags: number, key?: Uint8Array) => number | undefined"
    )]
    pub send: Unknown<'env>,
    /// Queues a ping, of at most 125 bytes.
    #[napi(
        ts_type = "(id: number, data: string | Uint8Array | number, flags: number, key?: Uint8Array) => number"
    )]
    pub ping: Unknown<'env>,
    /// Queues a pong, of at most 125 bytes.
    #[napi(
        ts_type = "(id: number, data: string | Uint8Array | number, flags: number, key?: Uint8Array) => number"
    )]
    pub pong: Unknown<'env>,
    /// Queues a close frame, which is empty if `code` is 0. Ends automatic pongs.
    #[napi(
        ts_type = "(id: number, reason: string | Uint8Array, flags: number, key: Uint8Array | undefined, code: number) => number"
    )]
    pub close: Unknown<'env>,
    /// Queues bytes that are frames already.
    #[napi(ts_type = "(id: number, bytes: Uint8Array) => number")]
    pub write: Unknown<'env>,
    /// Stream: parses received bytes. Returns the number of records of the first batch.
    #[napi(ts_type = "(id: number, chunk: Uint8Array) => number")]
    pub receive: Unknown<'env>,
    /// Stream: as `receive`, of the first `length` bytes of `Environment.receiveBuffer`.
    #[napi(ts_type = "(id: number, length: number) => number")]
    pub receive_placed: Unknown<'env>,
    /// Writes the next batch, once the last one has been read. Returns the number of its records; 0 if there
    /// is none.
    #[napi(ts_type = "(id: number) => number")]
    pub more: Unknown<'env>,
    /// Stream: moves queued output to the payloads of `Environment.records`. Returns the number of bytes; 0 if
    /// there are none, or too many: `Connection.takeOutput` returns these.
    #[napi(ts_type = "(id: number) => number")]
    pub take_output: Unknown<'env>,
    /// Attached: writes queued output on this thread until the kernel refuses more. Returns the number of
    /// bytes still queued.
    #[napi(ts_type = "(id: number) => number")]
    pub flush_now: Unknown<'env>,
    /// Attached: requests one `WRITTEN` record for when the kernel has accepted all output that is queued
    /// now.
    #[napi(ts_type = "(id: number) => void")]
    pub notify: Unknown<'env>,
    /// Attached: stops reading and delivery.
    #[napi(ts_type = "(id: number) => void")]
    pub pause: Unknown<'env>,
    /// Attached: undoes `pause`.
    #[napi(ts_type = "(id: number) => void")]
    pub resume: Unknown<'env>,
    /// Attached: sends a FIN after all queued output. A `SHUTDOWN` record follows.
    #[napi(ts_type = "(id: number) => void")]
    pub shutdown: Unknown<'env>,
    /// Attached: writes a batch of the events that have not been delivered. Returns the number of its
    /// records.
    #[napi(ts_type = "(id: number) => number")]
    pub collect: Unknown<'env>,
    /// Attached, paused, before `destroy`: as `collect`, after reading the remaining input.
    #[napi(ts_type = "(id: number) => number")]
    pub last_read: Unknown<'env>,
    /// Drops queued output and undelivered events, and closes the descriptor.
    #[napi(ts_type = "(id: number) => void")]
    pub destroy: Unknown<'env>,
    /// 1 if an I/O thread drives an attached connection, else 0.
    #[napi(ts_type = "(id: number) => number")]
    pub is_on_thread: Unknown<'env>,
    /// With time limits: notes that the peer is alive.
    #[napi(ts_type = "(id: number) => void")]
    pub note_alive: Unknown<'env>,
    /// Bytes ever queued.
    #[napi(ts_type = "(id: number) => number")]
    pub queued_total: Unknown<'env>,
    /// Bytes ever accepted by the kernel or the stream.
    #[napi(ts_type = "(id: number) => number")]
    pub written_total: Unknown<'env>,
    /// Bytes queued and not accepted yet.
    #[napi(ts_type = "(id: number) => number")]
    pub pending: Unknown<'env>,
    /// Bytes received.
    #[napi(ts_type = "(id: number) => number")]
    pub bytes_read: Unknown<'env>,
}

impl Functions<'_> {
    /// Creates the functions of an environment.
    ///
    /// # Errors
    /// If JavaScript has no memory, or the environment is ending.
    pub(super) fn new(context: &Rc<Context>) -> Result<Self> {
        let function = |name: &CStr, body: Body<Context>| {
            unknown(context.env, create_function(context.env, context, name, body)?)
        };
        Ok(Self {
            attach: function(c"attach", attach)?,
            adopt: function(c"adopt", adopt)?,
            keep_context: function(c"keepContext", |context, [id, resource, ..]| {
                let id = unsigned(context.env, id)?;
                context.host().consumer.keep_context(context.env, id, resource).map(|()| None)
            })?,
            free: function(c"free", |context, [id, ..]| {
                let id = unsigned(context.env, id)?;
                context.host().consumer.drop_context(id);
                let transports = context.event_loop.transports();
                // 0 is the number of every destroyed connection, and stays so.
                if let Some(transport) = (id != 0).then(|| transports.remove(id)).flatten() {
                    destroy(context, &mut transport.borrow_mut());
                }
                Ok(None)
            })?,
            send: function(c"send", send)?,
            ping: function(c"ping", |context, [id, data, flags, key, _]| {
                queue(context, id, data, flags, key, |connection, payload, key| connection.ping(key, payload))
            })?,
            pong: function(c"pong", |context, [id, data, flags, key, _]| {
                queue(context, id, data, flags, key, |connection, payload, key| connection.pong(key, payload))
            })?,
            close: function(c"close", |context, [id, reason, flags, key, code]| {
                let code = u16::try_from(unsigned(context.env, code)?).ok().filter(|code| *code != 0);
                queue(context, id, reason, flags, key, |connection, reason, key| {
                    connection.close(code, reason, key);
                })
            })?,
            write: function(c"write", |context, [id, bytes, ..]| {
                let transport = transport_of(context, id)?;
                context
                    .payloads
                    .with_bytes(context.env, bytes, |bytes| {
                        transport
                            .borrow_mut()
                            .run(&context.event_loop, |connection| connection.write_raw(bytes))
                    })
                    .map(total)
            })?,
            receive: function(c"receive", receive)?,
            receive_placed: function(c"receivePlaced", receive_placed)?,
            more: function(c"more", |context, [id, ..]| records(context, id, |_, _| ()))?,
            take_output: function(c"takeOutput", take_output)?,
            flush_now: function(c"flushNow", |context, [id, ..]| {
                let transport = execute(context, id, SocketCommand::WriteNow)?;
                let totals = transport.borrow().totals();
                Ok(total(totals.pending()))
            })?,
            notify: function(c"notify", |context, [id, ..]| command(context, id, SocketCommand::Notify))?,
            pause: function(c"pause", |context, [id, ..]| command(context, id, SocketCommand::Pause))?,
            resume: function(c"resume", |context, [id, ..]| command(context, id, SocketCommand::Resume))?,
            shutdown: function(c"shutdown", |context, [id, ..]| {
                command(context, id, SocketCommand::Shutdown)
            })?,
            collect: function(c"collect", |context, [id, ..]| {
                records(context, id, |transport, event_loop| transport.collect(event_loop))
            })?,
            last_read: function(c"lastRead", |context, [id, ..]| {
                records(context, id, |transport, event_loop| transport.last_read(event_loop))
            })?,
            destroy: function(c"destroy", |context, [id, ..]| {
                destroy(context, &mut transport_of(context, id)?.borrow_mut());
                Ok(None)
            })?,
            is_on_thread: function(c"isOnThread", |context, [id, ..]| {
                let transport = transport_of(context, id)?;
                let on_thread = transport.borrow().active().is_some_and(|active| active.is_on_thread());
                Ok(total(on_thread.into()))
            })?,
            note_alive: function(c"noteAlive", |context, [id, ..]| {
                context.event_loop.note_alive(unsigned(context.env, id)?);
                Ok(None)
            })?,
            queued_total: function(c"queuedTotal", |context, [id, ..]| {
                read_total(context, id, |totals| totals.queued)
            })?,
            written_total: function(c"writtenTotal", |context, [id, ..]| {
                read_total(context, id, |totals| totals.written)
            })?,
            pending: function(c"pending", |context, [id, ..]| read_total(context, id, Totals::pending))?,
            bytes_read: function(c"bytesRead", |context, [id, ..]| {
                read_total(context, id, |totals| totals.read)
            })?,
        })
    }
}

fn attach(context: &Rc<Context>, [fd, configuration, head, driver, _]: Arguments) -> Result<Option<f64>> {
    let source = sockets::borrow_fd(unsigned(context.env, fd)?.cast_signed()).map(Source::Host);
    adopt_source(context, source.ok(), configuration, head, driver)
}

fn adopt(
    context: &Rc<Context>,
    [number, configuration, response, head, driver]: Arguments,
) -> Result<Option<f64>> {
    let number = unsigned(context.env, number)?;
    context.payloads.with_string(context.env, response, |response| {
        adopt_source(context, Some(Source::Accepted { number, response }), configuration, head, driver)
    })?
}

/// Adopts a socket. Returns the id of its connection; -1 if it cannot be adopted.
fn adopt_source(
    context: &Rc<Context>,
    source: Option<Source<'_>>,
    configuration: sys::napi_value,
    head: sys::napi_value,
    driver: sys::napi_value,
) -> Result<Option<f64>> {
    let (env, event_loop) = (context.env, &context.event_loop);
    let config = context.configuration(unsigned(env, configuration)?)?;
    let driver = unsigned(env, driver)?;
    let (on_thread, is_paused) = (driver & 1 != 0, driver & 2 != 0);
    let id = with_optional_bytes(env, head, |head| {
        sockets::start(event_loop).ok()?;
        event_loop.adopt(AdoptRequest { source: source?, config, head, on_thread, is_paused }).ok()
    })?;
    Ok(Some(id.map_or(-1.0, f64::from)))
}

fn send(context: &Rc<Context>, [id, data, flags, key, _]: Arguments) -> Result<Option<f64>> {
    let flags = unsigned(context.env, flags)?;
    let sent = key_of(context, flags, key).and_then(|key| {
        let transport = transport_of(context, id)?;
        let mut transport = transport.borrow_mut();
        let (event_loop, broadcast) = (&context.event_loop, &context.compression.broadcast);
        context.payloads.with_message(context.env, &context.host().records, data, flags, |payload, place| {
            let message = message(flags, key, payload);
            transport.send(event_loop, message, broadcast, || place.and_then(Place::keep))
        })
    });
    // The shim assumes that the string was kept, although sending it has failed.
    let queued = sent.inspect_err(|_| context.payloads.forget_text())?;
    Ok(if flags & flag::TOTAL != 0 { total(queued) } else { None })
}

/// Runs a command with a payload. Returns the bytes ever queued.
fn queue(
    context: &Rc<Context>,
    id: sys::napi_value,
    payload: sys::napi_value,
    flags: sys::napi_value,
    key: sys::napi_value,
    command: impl FnOnce(&mut Connection, &[u8], Option<MaskingKey>),
) -> Result<Option<f64>> {
    let flags = unsigned(context.env, flags)?;
    let key = key_of(context, flags, key)?;
    let transport = transport_of(context, id)?;
    let mut transport = transport.borrow_mut();
    let run =
        |payload: &[u8]| transport.run(&context.event_loop, |connection| command(connection, payload, key));
    context.payloads.with_payload(context.env, &context.host().records, payload, flags, run).map(total)
}

/// The masking key for a command: the caller's, or a fresh one if the flags say so.
fn key_of(context: &Context, flags: u32, key: sys::napi_value) -> Result<Option<MaskingKey>> {
    if is_undefined(context.env, key)? {
        return Ok(fresh_key(context.host(), flags));
    }
    context.payloads.with_bytes(context.env, key, masking_key)?.map(Some)
}

/// Over a stream: parses received bytes. Returns the number of records that can be read.
fn receive(context: &Rc<Context>, [id, chunk, ..]: Arguments) -> Result<Option<f64>> {
    let transport = transport_of(context, id)?;
    let mut transport = transport.borrow_mut();
    context.event_loop.note_received(unsigned(context.env, id)?);
    if let Some(stream) = transport.stream() {
        let mut keys = context.host().keys.borrow_mut();
        context.event_loop.transports().event_memory().lend(&mut stream.events);
        context.payloads.with_bytes(context.env, chunk, |bytes| stream.receive(bytes, &mut *keys))?;
    }
    Ok(Some(f64::from(next_records(&context.event_loop, &mut transport))))
}

fn receive_placed(context: &Rc<Context>, [id, length, ..]: Arguments) -> Result<Option<f64>> {
    let length = unsigned(context.env, length)? as usize;
    let transport = transport_of(context, id)?;
    let mut transport = transport.borrow_mut();
    context.event_loop.note_received(unsigned(context.env, id)?);
    if let Some(stream) = transport.stream() {
        let mut keys = context.host().keys.borrow_mut();
        context.host().receive_buffer()?.with(|memory| {
            stream.receive(memory.get(..length).unwrap_or_default(), &mut *keys);
        });
    }
    Ok(Some(f64::from(next_records(&context.event_loop, &mut transport))))
}

/// Prepares a transport, and writes its next batch. Returns the number of records.
fn records(
    context: &Rc<Context>,
    id: sys::napi_value,
    prepare: impl FnOnce(&mut Transport<Reference>, &EventLoop<NodeHost>),
) -> Result<Option<f64>> {
    let transport = transport_of(context, id)?;
    let mut transport = transport.borrow_mut();
    prepare(&mut transport, &context.event_loop);
    Ok(Some(f64::from(next_records(&context.event_loop, &mut transport))))
}

fn take_output(context: &Rc<Context>, [id, ..]: Arguments) -> Result<Option<f64>> {
    let transport = transport_of(context, id)?;
    let mut transport = transport.borrow_mut();
    let Some(stream) = transport.stream() else { return Ok(Some(0.0)) };
    let output = stream.connection.output();
    let length = output.len();
    if length == 0 || !context.host().records.array.with(|memory| write_payload(memory, output)) {
        return Ok(Some(0.0));
    }
    stream.discard_output();
    Ok(total(length as u64))
}

/// Destroys a transport. Does nothing the second time.
fn destroy(context: &Context, transport: &mut Transport<Reference>) {
    transport.destroy(&context.event_loop);
}

/// Executes a command that returns no value.
fn command(context: &Rc<Context>, id: sys::napi_value, command: SocketCommand) -> Result<Option<f64>> {
    execute(context, id, command).map(|_| None)
}

/// Executes a command on a socket. Does nothing on other transports.
fn execute(context: &Rc<Context>, id: sys::napi_value, command: SocketCommand) -> Result<SharedTransport> {
    let transport = transport_of(context, id)?;
    transport.borrow_mut().execute(&context.event_loop, command);
    Ok(transport)
}

fn read_total(context: &Rc<Context>, id: sys::napi_value, of: fn(&Totals) -> u64) -> Result<Option<f64>> {
    let transport = transport_of(context, id)?;
    let totals = transport.borrow().totals();
    Ok(total(of(&totals)))
}

fn transport_of(context: &Context, id: sys::napi_value) -> Result<SharedTransport> {
    context.transport(unsigned(context.env, id)?)
}

#[allow(clippy::unnecessary_wraps, reason = "functions return an Option")]
fn total(total: u64) -> Option<f64> {
    Some(to_double(total))
}

/// Converts a total, which stays far below 2^53.
#[allow(clippy::cast_precision_loss, reason = "2^53 bytes take centuries to send")]
pub(super) fn to_double(total: u64) -> f64 {
    total as f64
}
