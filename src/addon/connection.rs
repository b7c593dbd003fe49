//! The class that the shim drives: one object a WebSocket. Arguments and results only; the state is in `channel`.

use std::cell::RefCell;
use std::rc::Rc;

use napi::bindgen_prelude::{BufferSlice, Uint8Array, Unknown};
use napi::{Env, JsValue, Result};
use napi_derive::napi;

use super::address::SocketAddress;
use super::channel::{Channel, Offer, SocketCommand, Source, flag};
use super::environment::{Environment, Shared};
use super::framing::masking_key;
use super::options::ConnectionOptions;
use super::raw::{data_bytes, is_string, string_bytes, unknown};
use crate::connection::Connection as Core;
use crate::protocol::MaskingKey;
use crate::transport::policy::Choice;

/// One WebSocket connection. Commands append to its output and return the running total of bytes ever queued.
/// Calls after `destroy` do nothing.
#[napi]
pub struct Connection {
    shared: Rc<Shared>,
    channel: Rc<RefCell<Channel>>,
    id: usize,
}

impl Drop for Connection {
    /// The object was collected: nobody has its number any more.
    fn drop(&mut self) {
        self.shared.channels.borrow_mut().remove(self.id);
    }
}

#[napi]
#[allow(clippy::needless_pass_by_value, reason = "napi hands arguments over by value")]
impl Connection {
    /// A connection whose bytes the caller carries, until `attach`.
    #[napi(constructor, catch_unwind)]
    pub fn new(environment: &Environment, options: ConnectionOptions) -> Self {
        let shared = Rc::clone(&environment.shared);
        let channel = Rc::new(RefCell::new(Channel::new(options.config(&shared))));
        let id = shared.channels.borrow_mut().insert(Rc::clone(&channel));
        Self { shared, channel, id }
    }

    /// What the function of [`Environment::sender`] knows this connection by.
    #[napi(getter, catch_unwind)]
    pub fn id(&self) -> u32 {
        self.id as u32
    }

    /// Has a message or a fragment compressed on another thread if it is to be compressed (`flags`: `COMPRESS` 64), and then
    /// calls `callback`, in whose call or later `sendDeflated` sends it; no other may be sent before. `false`: it is not to be.
    #[napi(catch_unwind)]
    pub fn deflate(
        &mut self,
        #[napi(ts_arg_type = "string | Uint8Array")] data: Unknown<'_>,
        flags: u32,
        #[napi(ts_arg_type = "() => void")] callback: Unknown<'_>,
    ) -> Result<bool> {
        let shared = &self.shared;
        let mut scratch = shared.scratch.borrow_mut();
        let start = |payload: &[u8]| {
            let outgoing = self.channel.borrow_mut().deflates(shared, flags, payload.len());
            let Some(outgoing) = outgoing else { return Ok(false) };
            shared.deflate_elsewhere(&self.channel, &outgoing, payload, callback.raw()).map(|()| true)
        };
        if is_string(shared.env, data.raw())? {
            string_bytes(shared.env, data.raw(), &mut scratch)?;
            let started = start(&scratch);
            // Large, as a rule.
            *scratch = Vec::new();
            return started;
        }
        data_bytes(shared.env, data.raw(), &mut scratch, start)?
    }

    /// Queues what `deflate` has compressed. Flags as for `send`.
    #[napi(catch_unwind)]
    pub fn send_deflated(&mut self, flags: u32, key: Option<Uint8Array>) -> Result<f64> {
        let key = key.map(|key| masking_key(&key)).transpose()?;
        Ok(number(self.channel.borrow_mut().send_deflated(&self.shared, flags, key)))
    }

    /// After an `INFLATING` record: has the frame inflated on another thread, and then calls `callback` with the number of
    /// records that can be read; attached, with 0, and what was received is delivered as ever.
    #[napi(catch_unwind)]
    pub fn inflate(
        &mut self,
        #[napi(ts_arg_type = "(count: number) => void")] callback: Unknown<'_>,
    ) -> Result<()> {
        self.shared.inflate_elsewhere(&self.channel, callback.raw())
    }

    /// Queues a message or a fragment. `flags`: `BINARY` 1, `FIN` 2, `MASK` 8 (with `key`, or a random one), `COMPRESS` 64.
    #[napi(catch_unwind)]
    pub fn send(
        &mut self,
        #[napi(ts_arg_type = "string | Uint8Array")] data: Unknown<'_>,
        flags: u32,
        key: Option<Uint8Array>,
    ) -> Result<f64> {
        let key = key.map(|key| masking_key(&key)).transpose()?;
        let flags = self.with_type(&data, flags)?;
        self.channel.borrow_mut().send(&self.shared, data.raw(), flags, key).map(number)
    }

    /// Queues a ping; at most 125 bytes. Flags as for `send`.
    #[napi(catch_unwind)]
    pub fn ping(
        &mut self,
        #[napi(ts_arg_type = "string | Uint8Array")] data: Unknown<'_>,
        flags: u32,
        key: Option<Uint8Array>,
    ) -> Result<f64> {
        self.command(&data, flags, key, |core, payload, key| core.ping(key, payload))
    }

    /// Queues a pong; at most 125 bytes. Flags as for `send`.
    #[napi(catch_unwind)]
    pub fn pong(
        &mut self,
        #[napi(ts_arg_type = "string | Uint8Array")] data: Unknown<'_>,
        flags: u32,
        key: Option<Uint8Array>,
    ) -> Result<f64> {
        self.command(&data, flags, key, |core, payload, key| core.pong(key, payload))
    }

    /// Queues a close frame; `code` 0 makes it empty. Automatic pongs end with it.
    #[napi(catch_unwind)]
    pub fn close(
        &mut self,
        code: u16,
        #[napi(ts_arg_type = "string | Uint8Array")] reason: Unknown<'_>,
        flags: u32,
        key: Option<Uint8Array>,
    ) -> Result<f64> {
        let code = (code != 0).then_some(code);
        self.command(&reason, flags, key, |core, payload, key| core.close(code, payload, key))
    }

    /// Queues bytes that are framed already.
    #[napi(catch_unwind)]
    pub fn write(&mut self, #[napi(ts_arg_type = "Uint8Array")] bytes: Unknown<'_>) -> Result<f64> {
        self.command(&bytes, 0, None, |core, bytes, _| core.write_raw(bytes))
    }

    /// Over a stream: parses received bytes. Returns the number of records that can be read.
    #[napi(catch_unwind)]
    pub fn receive(&mut self, #[napi(ts_arg_type = "Uint8Array")] chunk: Unknown<'_>) -> Result<u32> {
        let mut channel = self.channel.borrow_mut();
        channel.receive(&self.shared, chunk.raw())?;
        channel.more(&self.shared)
    }

    /// The next batch of records, when one has been read. 0: none.
    #[napi(catch_unwind)]
    pub fn more(&mut self) -> Result<u32> {
        self.channel.borrow_mut().more(&self.shared)
    }

    /// The payload of the next record with the flag `LARGE`.
    #[napi(catch_unwind)]
    pub fn take_large<'env>(&mut self, env: &'env Env) -> Result<BufferSlice<'env>> {
        let payload = self.shared.parts.borrow_mut().large.pop_front().unwrap_or_default();
        BufferSlice::copy_from(env, payload)
    }

    /// The memory of the next record with the flag `LANDED`.
    #[napi(catch_unwind, ts_return_type = "ArrayBuffer | undefined")]
    pub fn take_landed(&mut self) -> Result<Option<Unknown<'_>>> {
        let value = self.channel.borrow().landed()?;
        value.map(|value| unknown(self.shared.env, value)).transpose()
    }

    /// The lengths of the non-empty frames of the next record with the flag `FRAGMENTED`.
    #[napi(catch_unwind)]
    pub fn take_fragments(&mut self) -> Vec<u32> {
        self.shared.parts.borrow_mut().fragments.pop_front().unwrap_or_default()
    }

    /// Over a stream: everything queued since the last call; `null` if nothing is.
    #[napi(catch_unwind)]
    pub fn take_output<'env>(&mut self, env: &'env Env) -> Result<Option<BufferSlice<'env>>> {
        let mut channel = self.channel.borrow_mut();
        let Some(stream) = channel.stream() else { return Ok(None) };
        if stream.connection.output().is_empty() {
            return Ok(None);
        }
        let output = BufferSlice::copy_from(env, stream.connection.output())?;
        stream.discard_output();
        Ok(Some(output))
    }

    /// Takes over the socket `fd`, which Node has parked and must not close before `destroy`; news comes to `deliver` with
    /// `owner`, in the async context that is current now, with `resource` as its resource. `head`: what was read from the
    /// socket before. `transport`: `'event_loop'`, `'io_threads'`, `'auto'`, or `'shuffle'` (for tests); where the event
    /// loop can't poll sockets, all are `'io_threads'`. `false`: that can't be done here, the connection stays with its
    /// stream.
    #[napi(catch_unwind)]
    pub fn attach(
        &mut self,
        fd: i32,
        #[napi(ts_arg_type = "object")] owner: Unknown<'_>,
        #[napi(ts_arg_type = "object")] resource: Unknown<'_>,
        head: Option<Uint8Array>,
        transport: String,
    ) -> bool {
        self.take_over(Source::Parked(fd), &owner, &resource, head.as_deref().unwrap_or_default(), &transport)
    }

    /// Takes over a connection that a `Listener` holds under this number, with its descriptor, which closes with `destroy`.
    /// Otherwise as `attach`. `false`: there is no such connection, or it was closed because that can't be done.
    #[napi(catch_unwind)]
    pub fn adopt(
        &mut self,
        number: u32,
        #[napi(ts_arg_type = "object")] owner: Unknown<'_>,
        #[napi(ts_arg_type = "object")] resource: Unknown<'_>,
        head: Option<Uint8Array>,
        transport: String,
    ) -> bool {
        self.take_over(
            Source::Held(number),
            &owner,
            &resource,
            head.as_deref().unwrap_or_default(),
            &transport,
        )
    }

    /// Whether an I/O thread drives an attached connection.
    #[napi(getter, catch_unwind)]
    pub fn is_on_thread(&self) -> bool {
        self.channel.borrow().attachment().is_some_and(|attachment| attachment.is_on_thread())
    }

    /// Attached, over TCP: this end; `null` once destroyed.
    #[napi(catch_unwind)]
    pub fn local_address(&self) -> Option<SocketAddress> {
        self.channel.borrow().ends().0.map(SocketAddress::of)
    }

    /// Attached, over TCP: the other end; `null` once it is not connected any more.
    #[napi(catch_unwind)]
    pub fn remote_address(&self) -> Option<SocketAddress> {
        self.channel.borrow().ends().1.map(SocketAddress::of)
    }

    /// Attached: a duplicate of the descriptor, which the caller must close; -1 if there is none to be had.
    #[napi(catch_unwind)]
    pub fn duplicate(&self) -> i32 {
        self.channel.borrow().duplicate()
    }

    /// Attached: writes what is queued from this thread, as far as the kernel takes it now. Returns the bytes
    /// still pending.
    #[napi(catch_unwind)]
    pub fn flush_now(&mut self) -> f64 {
        self.on_socket(SocketCommand::WriteNow);
        self.pending()
    }

    /// Attached: asks for one `WRITTEN` record once all that is queued now has been accepted by the kernel.
    #[napi(catch_unwind)]
    pub fn notify(&mut self) {
        self.on_socket(SocketCommand::Notify);
    }

    /// Attached: stops reading and delivering.
    #[napi(catch_unwind)]
    pub fn pause(&mut self) {
        self.on_socket(SocketCommand::Pause);
    }

    /// Attached: undoes `pause`.
    #[napi(catch_unwind)]
    pub fn resume(&mut self) {
        self.on_socket(SocketCommand::Resume);
    }

    /// Attached: from now on `RAW` records bring the received bytes as they came, behind their events.
    #[napi(catch_unwind)]
    pub fn tap(&mut self) {
        self.on_socket(SocketCommand::Tap);
    }

    /// Attached: holds the output back, or lets it go again.
    #[napi(catch_unwind)]
    pub fn cork(&mut self, corked: bool) {
        self.on_socket(SocketCommand::Cork(corked));
    }

    /// Attached: sends a FIN after all that is queued, then a `SHUTDOWN` record comes.
    #[napi(catch_unwind)]
    pub fn shutdown(&mut self) {
        self.on_socket(SocketCommand::Shutdown);
    }

    /// Attached, before `destroy`: what a paused connection has left to deliver becomes readable. Returns the
    /// number of records.
    #[napi(catch_unwind)]
    pub fn last_read(&mut self) -> Result<u32> {
        self.channel.borrow_mut().last_read(&self.shared);
        self.more()
    }

    /// Drops everything. Nothing is delivered any more; the descriptor closes.
    #[napi(catch_unwind)]
    pub fn destroy(&mut self) {
        self.channel.borrow_mut().destroy(&self.shared);
    }

    /// Bytes ever queued.
    #[napi(getter, catch_unwind)]
    pub fn queued_total(&self) -> f64 {
        number(self.channel.borrow().totals().queued)
    }

    /// Bytes ever accepted by the kernel or the stream.
    #[napi(getter, catch_unwind)]
    pub fn written_total(&self) -> f64 {
        number(self.channel.borrow().totals().written)
    }

    /// Bytes queued and not yet accepted.
    #[napi(getter, catch_unwind)]
    pub fn pending(&self) -> f64 {
        let totals = self.channel.borrow().totals();
        number(totals.queued.saturating_sub(totals.written))
    }

    /// Bytes received.
    #[napi(getter, catch_unwind)]
    pub fn bytes_read(&self) -> f64 {
        number(self.channel.borrow().totals().read)
    }

    /// Whether pings may be answered without being asked, which an I/O thread does.
    #[napi(catch_unwind)]
    pub fn set_auto_pong(&mut self, on: bool) {
        self.channel.borrow_mut().set_auto_pong(on);
    }

    /// Changes the limit for messages, in bytes; 0 and below mean unlimited.
    #[napi(catch_unwind)]
    pub fn set_max_payload(&mut self, limit: i32) {
        let limit = u64::try_from(limit).unwrap_or(0);
        let mut channel = self.channel.borrow_mut();
        channel.configure(|config| config.limits.max_payload = limit, |core| core.set_max_payload(limit));
    }

    /// Turns UTF-8 validation off or on.
    #[napi(catch_unwind)]
    pub fn set_skip_utf8_validation(&mut self, skip: bool) {
        let mut channel = self.channel.borrow_mut();
        channel.configure(
            |config| config.skip_utf8_validation = skip,
            |core| core.set_skip_utf8_validation(skip),
        );
    }
}

impl Connection {
    /// Runs a command; the bytes ever queued.
    fn command(
        &self,
        data: &Unknown<'_>,
        flags: u32,
        key: Option<Uint8Array>,
        command: impl FnOnce(&mut Core, &[u8], Option<MaskingKey>),
    ) -> Result<f64> {
        let key = key.map(|key| masking_key(&key)).transpose()?;
        let flags = self.with_type(data, flags)?;
        let mut channel = self.channel.borrow_mut();
        channel.command(&self.shared, data.raw(), flags, key, command).map(number)
    }

    /// The flags, and whether the data is a string.
    fn with_type(&self, data: &Unknown<'_>, flags: u32) -> Result<u32> {
        Ok(if is_string(self.shared.env, data.raw())? { flags | flag::STRING } else { flags })
    }

    fn take_over(
        &self,
        source: Source,
        owner: &Unknown<'_>,
        resource: &Unknown<'_>,
        head: &[u8],
        transport: &str,
    ) -> bool {
        let choice = match transport {
            "event_loop" => Choice::EventLoop,
            "io_threads" => Choice::IoThreads,
            "shuffle" => Choice::Shuffle,
            _ => Choice::Auto,
        };
        let offer = Offer { id: self.id, source, head, owner: owner.raw(), resource: resource.raw(), choice };
        self.channel.borrow_mut().attach(&self.shared, &offer)
    }

    fn on_socket(&self, command: SocketCommand) {
        self.channel.borrow_mut().obey(&self.shared, command);
    }
}

/// Totals stay far below 2^53.
#[allow(clippy::cast_precision_loss, reason = "2^53 bytes take centuries to send")]
pub(super) fn number(total: u64) -> f64 {
    total as f64
}
