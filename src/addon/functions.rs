//! The functions that the shim calls for most of what it does with connections. They name a connection by its number, so that one
//! that needs no more has no JavaScript object. `connection` has the rest; `sys/function` implements such functions over Node-API.

use std::cell::RefCell;
use std::ffi::CStr;
use std::rc::Rc;

use napi::bindgen_prelude::Unknown;
use napi::{Error, Result, sys};
use napi_derive::napi;

use super::channel::{Channel, Offer, SocketCommand, Source, Totals, flag};
use super::codec::masking_key;
use super::environment::Shared;
use super::sys::{
    Arguments, Body, create_function, data_bytes, is_undefined, string_bytes, unknown, unsigned,
};
use crate::connection::Connection as Core;
use crate::protocol::MaskingKey;
use crate::transport::scheduler::TransportMode;

/// Functions on connections. The first argument is the number of a connection, unless stated otherwise. 0 is the number of a
/// destroyed connection; on such a one they do nothing. Those that queue output return the total of bytes ever queued.
///
/// `flags` of a payload: `BINARY` 1, `FIN` 2, `STRING` 4 (required for a string), `MASK` 8 (with `key`, or a random key),
/// `COMPRESS` 64, `PLACED` 128 (the payload is in `Environment.records`, and the argument is its length).
#[napi(object, object_from_js = false)]
pub struct Functions<'env> {
    /// Adopts the socket `fd`, whose `net.Socket` must not close it before `destroy`, for a connection with the configuration of
    /// this number. `head`: bytes that were read from it before. `mode`: 0 the scheduler decides, 1 event loop, 2 I/O thread,
    /// 3 migrations at random, for tests; always an I/O thread if the event loop can't poll sockets. Returns the number of the
    /// connection, whose events go to `deliver`, but not before this call has returned. -1 if the socket can't be adopted;
    /// nothing has changed then.
    #[napi(
        ts_type = "(fd: number, configuration: number, head: Uint8Array | undefined, mode: number) => number"
    )]
    pub attach: Unknown<'env>,
    /// Adopts the accepted connection of a `Listener` with this number, and its descriptor, which `destroy` closes. `response` is
    /// written at once; bytes that the kernel refuses count as queued. Otherwise as `attach`. -1 if there is no such connection, or
    /// if it can't be adopted; it is closed then.
    #[napi(
        ts_type = "(number: number, configuration: number, response: string, head: Uint8Array | undefined, mode: number) => number"
    )]
    pub adopt: Unknown<'env>,
    /// Destroys a connection that was attached or adopted, and frees its number.
    #[napi(ts_type = "(id: number) => void")]
    pub free: Unknown<'env>,
    /// Queues a message or a fragment. `flags` may have `SAME` 32 if the data is that of the last call with `STRING`, and
    /// `TOTAL` 16, without which the total is not returned.
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
    /// Writes the next batch, once the last one has been read. Returns the number of its records; 0 if there is none.
    #[napi(ts_type = "(id: number) => number")]
    pub more: Unknown<'env>,
    /// Stream: copies the output that was queued since the last call to where payloads begin in `Environment.records`. Returns the
    /// number of bytes; 0 if there are none, or too many: `Connection.takeOutput` returns these.
    #[napi(ts_type = "(id: number) => number")]
    pub take_output: Unknown<'env>,
    /// Attached: writes queued output on this thread until the kernel refuses more. Returns the number of bytes still queued.
    #[napi(ts_type = "(id: number) => number")]
    pub flush_now: Unknown<'env>,
    /// Attached: requests one `WRITTEN` record for when the kernel has accepted all output that is queued now.
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
    /// Attached: writes a batch of the events that have not been delivered. Returns the number of its records.
    #[napi(ts_type = "(id: number) => number")]
    pub collect: Unknown<'env>,
    /// Attached, before `destroy`: reads the remaining input of a paused connection and writes a batch. Returns the number of its
    /// records.
    #[napi(ts_type = "(id: number) => number")]
    pub last_read: Unknown<'env>,
    /// Drops queued output and undelivered events, and closes the descriptor.
    #[napi(ts_type = "(id: number) => void")]
    pub destroy: Unknown<'env>,
    /// 1 if an I/O thread drives an attached connection, else 0.
    #[napi(ts_type = "(id: number) => number")]
    pub is_on_thread: Unknown<'env>,
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
    pub(super) fn new(shared: &Rc<Shared>) -> Result<Self> {
        let call = |name: &CStr, body: Body| unknown(shared.env, create_function(shared, name, body)?);
        Ok(Self {
            attach: call(c"attach", attach)?,
            adopt: call(c"adopt", adopt)?,
            free: call(c"free", |shared, [id, ..]| {
                let id = unsigned(shared, id)?;
                shared.free(id);
                Ok(None)
            })?,
            send: call(c"send", send)?,
            ping: call(c"ping", |shared, [id, data, flags, key, _]| {
                queue(shared, id, data, flags, key, |core, payload, key| core.ping(key, payload))
            })?,
            pong: call(c"pong", |shared, [id, data, flags, key, _]| {
                queue(shared, id, data, flags, key, |core, payload, key| core.pong(key, payload))
            })?,
            close: call(c"close", |shared, [id, reason, flags, key, code]| {
                let code = u16::try_from(unsigned(shared, code)?).ok().filter(|code| *code != 0);
                queue(shared, id, reason, flags, key, |core, reason, key| core.close(code, reason, key))
            })?,
            write: call(c"write", |shared, [id, bytes, ..]| {
                let channel = shared.channel(unsigned(shared, id)?)?;
                let mut channel = channel.borrow_mut();
                channel.command(shared, bytes, 0, None, |core, bytes, _| core.write_raw(bytes)).map(total)
            })?,
            receive: call(c"receive", |shared, [id, chunk, ..]| {
                let channel = shared.channel(unsigned(shared, id)?)?;
                let mut channel = channel.borrow_mut();
                channel.receive(shared, chunk)?;
                Ok(Some(f64::from(channel.more(shared))))
            })?,
            more: call(c"more", |shared, [id, ..]| {
                let channel = shared.channel(unsigned(shared, id)?)?;
                let count = channel.borrow_mut().more(shared);
                Ok(Some(f64::from(count)))
            })?,
            take_output: call(c"takeOutput", |shared, [id, ..]| {
                let channel = shared.channel(unsigned(shared, id)?)?;
                let length = channel.borrow_mut().take_output(shared);
                Ok(total(length as u64))
            })?,
            flush_now: call(c"flushNow", |shared, [id, ..]| {
                let channel = execute(shared, id, SocketCommand::WriteNow)?;
                let totals = channel.borrow().totals();
                Ok(total(totals.pending()))
            })?,
            notify: call(c"notify", |shared, [id, ..]| {
                execute(shared, id, SocketCommand::Notify).map(|_| None)
            })?,
            pause: call(c"pause", |shared, [id, ..]| {
                execute(shared, id, SocketCommand::Pause).map(|_| None)
            })?,
            resume: call(c"resume", |shared, [id, ..]| {
                execute(shared, id, SocketCommand::Resume).map(|_| None)
            })?,
            shutdown: call(c"shutdown", |shared, [id, ..]| {
                execute(shared, id, SocketCommand::Shutdown).map(|_| None)
            })?,
            collect: call(c"collect", |shared, [id, ..]| {
                let channel = shared.channel(unsigned(shared, id)?)?;
                let mut channel = channel.borrow_mut();
                if let Some(attachment) = channel.attachment() {
                    attachment.collect_now(shared);
                }
                Ok(Some(f64::from(channel.more(shared))))
            })?,
            last_read: call(c"lastRead", |shared, [id, ..]| {
                let channel = shared.channel(unsigned(shared, id)?)?;
                let mut channel = channel.borrow_mut();
                channel.last_read(shared);
                Ok(Some(f64::from(channel.more(shared))))
            })?,
            destroy: call(c"destroy", |shared, [id, ..]| {
                let channel = shared.channel(unsigned(shared, id)?)?;
                channel.borrow_mut().destroy(shared);
                Ok(None)
            })?,
            is_on_thread: call(c"isOnThread", |shared, [id, ..]| {
                let channel = shared.channel(unsigned(shared, id)?)?;
                let on_thread =
                    channel.borrow().attachment().is_some_and(|attachment| attachment.is_on_thread());
                Ok(total(on_thread.into()))
            })?,
            queued_total: call(c"queuedTotal", |shared, [id, ..]| {
                read_total(shared, id, |totals| totals.queued)
            })?,
            written_total: call(c"writtenTotal", |shared, [id, ..]| {
                read_total(shared, id, |totals| totals.written)
            })?,
            pending: call(c"pending", |shared, [id, ..]| read_total(shared, id, Totals::pending))?,
            bytes_read: call(c"bytesRead", |shared, [id, ..]| read_total(shared, id, |totals| totals.read))?,
        })
    }
}

impl Shared {
    /// The connection with this number.
    ///
    /// # Errors
    /// If the number is vacant.
    pub(super) fn channel(&self, id: u32) -> Result<Rc<RefCell<Channel>>> {
        let channel = self.channels.borrow().get(id as usize).map(Rc::clone);
        channel.ok_or_else(|| Error::from_reason("no such connection"))
    }

    /// Destroys a connection and frees its number. 0 is never freed.
    fn free(&self, id: u32) {
        if id == 0 {
            return;
        }
        let removed = self.channels.borrow_mut().remove(id as usize);
        if let Some(channel) = removed {
            channel.borrow_mut().destroy(self);
        }
    }

    /// Adopts a socket. Returns the number of the connection, or -1.
    fn adopt(self: &Rc<Self>, configuration: u32, offer: &Offer<'_>) -> Result<Option<f64>> {
        let config = self.configuration(configuration)?;
        let Some(channel) = Channel::attached(self, config, offer) else { return Ok(Some(-1.0)) };
        let id = self.channels.borrow_mut().insert(Rc::new(RefCell::new(channel)));
        Ok(total(id as u64))
    }

    /// The number of the next connection.
    fn next_id(&self) -> u32 {
        self.channels.borrow().vacant_key() as u32
    }

    /// Runs `run` on the bytes of an argument that may be `undefined`.
    fn with_head<R>(&self, head: sys::napi_value, run: impl FnOnce(&[u8]) -> R) -> Result<R> {
        if is_undefined(self, head)? {
            return Ok(run(&[]));
        }
        // `run` uses the shared one.
        let mut scratch = Vec::new();
        data_bytes(self.env, head, &mut scratch, run)
    }
}

fn attach(shared: &Rc<Shared>, [fd, configuration, head, mode, _]: Arguments) -> Result<Option<f64>> {
    let (fd, configuration) = (unsigned(shared, fd)?, unsigned(shared, configuration)?);
    let (mode, id) = (mode_of(unsigned(shared, mode)?), shared.next_id());
    shared.with_head(head, |head| {
        let source = Source::Parked(fd.cast_signed());
        shared.adopt(configuration, &Offer { source, head, id, choice: mode })
    })?
}

fn adopt(
    shared: &Rc<Shared>,
    [number, configuration, response, head, mode]: Arguments,
) -> Result<Option<f64>> {
    let (number, configuration) = (unsigned(shared, number)?, unsigned(shared, configuration)?);
    let (mode, id) = (mode_of(unsigned(shared, mode)?), shared.next_id());
    let mut scratch = shared.scratch.take();
    string_bytes(shared.env, response, &mut scratch)?;
    let adopted = shared.with_head(head, |head| {
        let source = Source::Held { number, response: &scratch };
        shared.adopt(configuration, &Offer { source, head, id, choice: mode })
    })?;
    shared.scratch.replace(scratch);
    adopted
}

fn mode_of(number: u32) -> TransportMode {
    match number {
        1 => TransportMode::EventLoop,
        2 => TransportMode::IoThreads,
        3 => TransportMode::Shuffle,
        _ => TransportMode::Auto,
    }
}

fn send(shared: &Rc<Shared>, [id, data, flags, key, _]: Arguments) -> Result<Option<f64>> {
    let flags = unsigned(shared, flags)?;
    let sent = key_of(shared, key).and_then(|key| {
        let channel = shared.channel(unsigned(shared, id)?)?;
        channel.borrow_mut().send(shared, data, flags, key)
    });
    // The shim assumes that the string was kept, although sending it failed.
    let queued = sent.inspect_err(|_| shared.has_text.set(false))?;
    Ok(if flags & flag::TOTAL != 0 { total(queued) } else { None })
}

/// Queues a control frame. Returns the bytes ever queued.
fn queue(
    shared: &Rc<Shared>,
    id: sys::napi_value,
    payload: sys::napi_value,
    flags: sys::napi_value,
    key: sys::napi_value,
    command: impl FnOnce(&mut Core, &[u8], Option<MaskingKey>),
) -> Result<Option<f64>> {
    let (flags, key) = (unsigned(shared, flags)?, key_of(shared, key)?);
    let channel = shared.channel(unsigned(shared, id)?)?;
    let mut channel = channel.borrow_mut();
    channel.command(shared, payload, flags, key, command).map(total)
}

/// The masking key of an argument that may be `undefined`.
fn key_of(shared: &Shared, key: sys::napi_value) -> Result<Option<MaskingKey>> {
    if is_undefined(shared, key)? {
        return Ok(None);
    }
    data_bytes(shared.env, key, &mut shared.scratch.borrow_mut(), masking_key)?.map(Some)
}

/// Executes a command on an attached connection; on others it does nothing. Returns the connection.
fn execute(shared: &Rc<Shared>, id: sys::napi_value, command: SocketCommand) -> Result<Rc<RefCell<Channel>>> {
    let channel = shared.channel(unsigned(shared, id)?)?;
    channel.borrow_mut().obey(shared, command);
    Ok(channel)
}

fn read_total(shared: &Rc<Shared>, id: sys::napi_value, of: fn(&Totals) -> u64) -> Result<Option<f64>> {
    let channel = shared.channel(unsigned(shared, id)?)?;
    let totals = channel.borrow().totals();
    Ok(total(of(&totals)))
}

#[allow(clippy::unnecessary_wraps, reason = "the result type of functions")]
fn total(total: u64) -> Option<f64> {
    Some(to_double(total))
}

/// Converts a total, which stays far below 2^53.
#[allow(clippy::cast_precision_loss, reason = "2^53 bytes take centuries to send")]
pub(super) fn to_double(total: u64) -> f64 {
    total as f64
}
