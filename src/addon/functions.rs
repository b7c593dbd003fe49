//! What the shim does with connections as a rule, as plain functions that name one by its number: a connection for which
//! nothing else is asked has no object at all. What is asked rarely is in `connection`; how such a function is made,
//! `sys/function` has.

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

/// Functions that get the number of a connection first. Those that queue something return the running total of bytes ever
/// queued. `flags`: `BINARY` 1, `FIN` 2, `STRING` 4 must be there if the payload is a string, `MASK` 8 (with `key`, or a
/// random one), `COMPRESS` 64, `PLACED` 128 if the payload is in `Environment.records`, and the argument its length. On a connection that was destroyed they do nothing, and 0 is the number of such a one.
#[napi(object, object_from_js = false)]
pub struct Functions<'env> {
    /// Takes over the socket `fd`, which Node has parked and must not close before `destroy`, for a connection that is
    /// configured as `Environment.configure` was told under this number. `head`: what was read from the socket before.
    /// `choice`: 0 on the event loop or on an I/O thread, whatever is better; 1 on the event loop; 2 on an I/O thread; 3 moving at
    /// random, for tests. Where the event loop can't poll sockets, all are on threads. Returns the number of the connection, whose
    /// news comes to `deliver`, but not before this call has returned; -1: it can't be taken over here, and nothing has changed.
    #[napi(
        ts_type = "(fd: number, configuration: number, head: Uint8Array | undefined, choice: number) => number"
    )]
    pub attach: Unknown<'env>,
    /// Takes over a connection that a `Listener` holds under this number, with its descriptor, which closes with `destroy`.
    /// `response` is written to it at once; what the kernel does not take of it counts as queued. Otherwise as `attach`. -1:
    /// there is no such connection, or it was closed because it can't be taken over here.
    #[napi(
        ts_type = "(number: number, configuration: number, response: string, head: Uint8Array | undefined, choice: number) => number"
    )]
    pub adopt: Unknown<'env>,
    /// Destroys a connection that was attached or adopted, and gives its number to the next one.
    #[napi(ts_type = "(id: number) => void")]
    pub release: Unknown<'env>,
    /// Queues a message or a fragment. `flags` may have `SAME` 32 if the data is the one of the last call that had `STRING`. The
    /// total is returned only if they have `TOTAL` 16.
    #[napi(
        ts_type = "(id: number, data: string | Uint8Array | number, flags: number, key?: Uint8Array) => number | undefined"
    )]
    pub send: Unknown<'env>,
    /// Queues a ping; at most 125 bytes.
    #[napi(
        ts_type = "(id: number, data: string | Uint8Array | number, flags: number, key?: Uint8Array) => number"
    )]
    pub ping: Unknown<'env>,
    /// Queues a pong; at most 125 bytes.
    #[napi(
        ts_type = "(id: number, data: string | Uint8Array | number, flags: number, key?: Uint8Array) => number"
    )]
    pub pong: Unknown<'env>,
    /// Queues a close frame; `code` 0 makes it empty. Automatic pongs end with it.
    #[napi(
        ts_type = "(id: number, reason: string | Uint8Array, flags: number, key: Uint8Array | undefined, code: number) => number"
    )]
    pub close: Unknown<'env>,
    /// Queues bytes that are framed already.
    #[napi(ts_type = "(id: number, bytes: Uint8Array) => number")]
    pub write: Unknown<'env>,
    /// Over a stream: parses received bytes. Returns the number of records that can be read.
    #[napi(ts_type = "(id: number, chunk: Uint8Array) => number")]
    pub receive: Unknown<'env>,
    /// The next batch of records, when one has been read. 0: none.
    #[napi(ts_type = "(id: number) => number")]
    pub more: Unknown<'env>,
    /// Over a stream: puts everything that was queued since the last call where payloads begin in `Environment.records`, and
    /// returns the number of bytes; 0 if nothing is queued, or if it is too much for that: then `Connection.takeOutput` has it.
    #[napi(ts_type = "(id: number) => number")]
    pub take_output: Unknown<'env>,
    /// Attached: writes what is queued from this thread, as far as the kernel takes it now. Returns the bytes still pending.
    #[napi(ts_type = "(id: number) => number")]
    pub flush_now: Unknown<'env>,
    /// Attached: asks for one `WRITTEN` record once all that is queued now has been accepted by the kernel.
    #[napi(ts_type = "(id: number) => void")]
    pub notify: Unknown<'env>,
    /// Attached: stops reading and delivering.
    #[napi(ts_type = "(id: number) => void")]
    pub pause: Unknown<'env>,
    /// Attached: undoes `pause`.
    #[napi(ts_type = "(id: number) => void")]
    pub resume: Unknown<'env>,
    /// Attached: sends a FIN after all that is queued, then a `SHUTDOWN` record comes.
    #[napi(ts_type = "(id: number) => void")]
    pub shutdown: Unknown<'env>,
    /// Attached: what is known of it and was not delivered becomes readable. Returns the number of records.
    #[napi(ts_type = "(id: number) => number")]
    pub collect: Unknown<'env>,
    /// Attached, before `destroy`: what a paused connection has left to deliver becomes readable. Returns the number of records.
    #[napi(ts_type = "(id: number) => number")]
    pub last_read: Unknown<'env>,
    /// Drops everything. Nothing is delivered any more; the descriptor closes.
    #[napi(ts_type = "(id: number) => void")]
    pub destroy: Unknown<'env>,
    /// 1: an I/O thread drives an attached connection.
    #[napi(ts_type = "(id: number) => number")]
    pub is_on_thread: Unknown<'env>,
    /// Bytes ever queued.
    #[napi(ts_type = "(id: number) => number")]
    pub queued_total: Unknown<'env>,
    /// Bytes ever accepted by the kernel or the stream.
    #[napi(ts_type = "(id: number) => number")]
    pub written_total: Unknown<'env>,
    /// Bytes queued and not yet accepted.
    #[napi(ts_type = "(id: number) => number")]
    pub pending: Unknown<'env>,
    /// Bytes received.
    #[napi(ts_type = "(id: number) => number")]
    pub bytes_read: Unknown<'env>,
}

impl Functions<'_> {
    /// The functions of an environment.
    ///
    /// # Errors
    /// When JavaScript has no memory, or the environment is ending.
    pub(super) fn new(shared: &Rc<Shared>) -> Result<Self> {
        let call = |name: &CStr, body: Body| unknown(shared.env, create_function(shared, name, body)?);
        Ok(Self {
            attach: call(c"attach", attach)?,
            adopt: call(c"adopt", adopt)?,
            release: call(c"release", |shared, [id, ..]| {
                let id = unsigned(shared, id)?;
                shared.release(id);
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
                let channel = obey(shared, id, SocketCommand::WriteNow)?;
                let totals = channel.borrow().totals();
                Ok(total(totals.pending()))
            })?,
            notify: call(c"notify", |shared, [id, ..]| {
                obey(shared, id, SocketCommand::Notify).map(|_| None)
            })?,
            pause: call(c"pause", |shared, [id, ..]| obey(shared, id, SocketCommand::Pause).map(|_| None))?,
            resume: call(c"resume", |shared, [id, ..]| {
                obey(shared, id, SocketCommand::Resume).map(|_| None)
            })?,
            shutdown: call(c"shutdown", |shared, [id, ..]| {
                obey(shared, id, SocketCommand::Shutdown).map(|_| None)
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
            queued_total: call(c"queuedTotal", |shared, [id, ..]| count(shared, id, |totals| totals.queued))?,
            written_total: call(c"writtenTotal", |shared, [id, ..]| {
                count(shared, id, |totals| totals.written)
            })?,
            pending: call(c"pending", |shared, [id, ..]| count(shared, id, Totals::pending))?,
            bytes_read: call(c"bytesRead", |shared, [id, ..]| count(shared, id, |totals| totals.read))?,
        })
    }
}

impl Shared {
    /// The connection of a number.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn channel(&self, id: u32) -> Result<Rc<RefCell<Channel>>> {
        let channel = self.channels.borrow().get(id as usize).map(Rc::clone);
        channel.ok_or_else(|| Error::from_reason("no such connection"))
    }

    /// Destroys a connection, and forgets its number.
    fn release(&self, id: u32) {
        if id == 0 {
            return;
        }
        let removed = self.channels.borrow_mut().remove(id as usize);
        if let Some(channel) = removed {
            channel.borrow_mut().destroy(self);
        }
    }

    /// Makes a connection of what is offered. Returns its number, or -1.
    fn take_over(self: &Rc<Self>, configuration: u32, offer: &Offer<'_>) -> Result<Option<f64>> {
        let config = self.configuration(configuration)?;
        let Some(channel) = Channel::attached(self, config, offer) else { return Ok(Some(-1.0)) };
        let id = self.channels.borrow_mut().insert(Rc::new(RefCell::new(channel)));
        Ok(total(id as u64))
    }

    /// The number of the connection that is made next.
    fn next_id(&self) -> u32 {
        self.channels.borrow().vacant_key() as u32
    }

    /// Runs something with the bytes of an argument that may be left out.
    fn with_head<R>(&self, head: sys::napi_value, run: impl FnOnce(&[u8]) -> R) -> Result<R> {
        if is_undefined(self, head)? {
            return Ok(run(&[]));
        }
        // What runs needs the usual one.
        let mut scratch = Vec::new();
        data_bytes(self.env, head, &mut scratch, run)
    }
}

fn attach(shared: &Rc<Shared>, [fd, configuration, head, choice, _]: Arguments) -> Result<Option<f64>> {
    let (fd, configuration) = (unsigned(shared, fd)?, unsigned(shared, configuration)?);
    let (choice, id) = (choice_of(unsigned(shared, choice)?), shared.next_id());
    shared.with_head(head, |head| {
        let source = Source::Parked(fd.cast_signed());
        shared.take_over(configuration, &Offer { source, head, id, choice })
    })?
}

fn adopt(
    shared: &Rc<Shared>,
    [number, configuration, response, head, choice]: Arguments,
) -> Result<Option<f64>> {
    let (number, configuration) = (unsigned(shared, number)?, unsigned(shared, configuration)?);
    let (choice, id) = (choice_of(unsigned(shared, choice)?), shared.next_id());
    let mut scratch = shared.scratch.take();
    string_bytes(shared.env, response, &mut scratch)?;
    let adopted = shared.with_head(head, |head| {
        let source = Source::Held { number, response: &scratch };
        shared.take_over(configuration, &Offer { source, head, id, choice })
    })?;
    shared.scratch.replace(scratch);
    adopted
}

fn choice_of(number: u32) -> TransportMode {
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
    // Whoever calls takes its string for the last one.
    let queued = sent.inspect_err(|_| shared.has_text.set(false))?;
    Ok(if flags & flag::TOTAL != 0 { total(queued) } else { None })
}

/// Runs a command with a payload; the bytes ever queued.
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

/// The masking key of the caller's, if it has given one.
fn key_of(shared: &Shared, key: sys::napi_value) -> Result<Option<MaskingKey>> {
    if is_undefined(shared, key)? {
        return Ok(None);
    }
    data_bytes(shared.env, key, &mut shared.scratch.borrow_mut(), masking_key)?.map(Some)
}

/// Has a socket that was taken over do something; others have nothing to do. Returns the connection.
fn obey(shared: &Rc<Shared>, id: sys::napi_value, command: SocketCommand) -> Result<Rc<RefCell<Channel>>> {
    let channel = shared.channel(unsigned(shared, id)?)?;
    channel.borrow_mut().obey(shared, command);
    Ok(channel)
}

fn count(shared: &Rc<Shared>, id: sys::napi_value, of: fn(&Totals) -> u64) -> Result<Option<f64>> {
    let channel = shared.channel(unsigned(shared, id)?)?;
    let totals = channel.borrow().totals();
    Ok(total(of(&totals)))
}

#[allow(clippy::unnecessary_wraps, reason = "it is what a function returns")]
fn total(total: u64) -> Option<f64> {
    Some(to_double(total))
}

/// Totals stay far below 2^53.
#[allow(clippy::cast_precision_loss, reason = "2^53 bytes take centuries to send")]
pub(super) fn to_double(total: u64) -> f64 {
    total as f64
}
