//! The class that the shim drives: one object a WebSocket, over a stream or over a socket on an I/O thread. Commands
//! of both are the same; only where the bytes go differs.

use std::cell::RefCell;
use std::rc::Rc;
#[cfg(unix)]
use std::sync::Arc;

use napi::bindgen_prelude::{BufferSlice, Uint8Array, Unknown};
use napi::{Env, Error, JsValue, Result};
use napi_derive::napi;

#[cfg(unix)]
use super::attachment::Attachment;
use super::batch::Parts;
use super::environment::{Environment, Shared};
use super::framing::masking_key;
use super::raw::data_bytes;
use crate::connection::{Config, Connection as Core, MaskingKeys};
use crate::protocol::{Limits, MaskingKey, Role};
#[cfg(unix)]
use crate::transport::io_threads::Socket;
use crate::transport::stream::Stream;

/// Capacity that the buffer for strings keeps.
const KEPT_TEXT: usize = 1024 * 1024;

/// Bits of the `flags` argument of commands.
mod flag {
    pub(super) const BINARY: u32 = 1;
    pub(super) const FIN: u32 = 2;
    pub(super) const MASK: u32 = 8;
    pub(super) const AUTO: u32 = 16;
}

/// How a connection behaves. Limits are integers; 0 and below mean unlimited.
#[napi(object)]
pub struct ConnectionOptions {
    /// Whether this end is the server: it expects masked frames.
    pub is_server: bool,
    /// Whether pings are answered without being asked.
    pub auto_pong: bool,
    /// Bytes of a message.
    pub max_payload: i32,
    /// Frames of a message.
    pub max_fragments: i32,
    /// Chunks kept for a frame that is not whole.
    pub max_buffered_chunks: i32,
    /// Automatic pongs that were not written yet.
    pub max_pending_auto_pongs: i32,
    /// Whether texts and close reasons are taken as they come.
    #[napi(js_name = "skipUTF8Validation")]
    pub skip_utf8_validation: bool,
}

impl From<ConnectionOptions> for Config {
    fn from(options: ConnectionOptions) -> Self {
        let limit = |value: i32| u32::try_from(value).unwrap_or(0);
        Self {
            role: if options.is_server { Role::Server } else { Role::Client },
            limits: Limits {
                max_payload: limit(options.max_payload).into(),
                max_fragments: limit(options.max_fragments),
                max_buffered_chunks: limit(options.max_buffered_chunks),
                max_pending_auto_pongs: limit(options.max_pending_auto_pongs),
            },
            auto_pong: options.auto_pong,
            skip_utf8_validation: options.skip_utf8_validation,
        }
    }
}

/// Where the connection's bytes go.
enum Link {
    Stream(Box<Stream>),
    #[cfg(unix)]
    Threads(Rc<Attachment>),
}

/// What is still answered after the end.
#[derive(Clone, Copy, Default)]
struct Totals {
    queued: u64,
    written: u64,
    read: u64,
}

/// One WebSocket connection. Commands append to its output and return the running total of bytes ever queued.
/// Calls after `destroy` do nothing.
#[napi]
pub struct Connection {
    shared: Rc<Shared>,
    config: Config,
    /// `None` once destroyed.
    link: Option<Link>,
    parts: Rc<RefCell<Parts>>,
    last: Totals,
}

#[napi]
#[allow(clippy::needless_pass_by_value, reason = "napi hands arguments over by value")]
impl Connection {
    /// A connection whose bytes the caller carries, until `attach`.
    #[napi(constructor, catch_unwind)]
    pub fn new(environment: &Environment, options: ConnectionOptions) -> Self {
        let config = Config::from(options);
        Self {
            shared: Rc::clone(&environment.shared),
            config,
            link: Some(Link::Stream(Box::new(Stream::new(Core::new(config))))),
            parts: Rc::default(),
            last: Totals::default(),
        }
    }

    /// Queues a message or a fragment. `flags`: `BINARY` 1, `FIN` 2, `MASK` 8 (with `key`, or a random one).
    #[napi(catch_unwind)]
    pub fn send(
        &mut self,
        #[napi(ts_arg_type = "string | Uint8Array")] data: Unknown<'_>,
        flags: u32,
        key: Option<Uint8Array>,
    ) -> Result<f64> {
        let (binary, fin) = (flags & flag::BINARY != 0, flags & flag::FIN != 0);
        self.command(&data, flags, key, |core, payload, key| core.send(binary, fin, key, payload))?;
        Ok(self.queued_total())
    }

    /// Queues a ping; at most 125 bytes. Flags as for `send`.
    #[napi(catch_unwind)]
    pub fn ping(
        &mut self,
        #[napi(ts_arg_type = "string | Uint8Array")] data: Unknown<'_>,
        flags: u32,
        key: Option<Uint8Array>,
    ) -> Result<f64> {
        self.command(&data, flags, key, |core, payload, key| core.ping(key, payload))?;
        Ok(self.queued_total())
    }

    /// Queues a pong; at most 125 bytes. With the flag `AUTO` 16 it counts as an automatic one, and -1 says that too many
    /// of those are pending (nothing is queued then).
    #[napi(catch_unwind)]
    pub fn pong(
        &mut self,
        #[napi(ts_arg_type = "string | Uint8Array")] data: Unknown<'_>,
        flags: u32,
        key: Option<Uint8Array>,
    ) -> Result<f64> {
        let queued = self.command(&data, flags, key, |core, payload, key| {
            if flags & flag::AUTO != 0 {
                return core.auto_pong(key, payload);
            }
            core.pong(key, payload);
            true
        })?;
        Ok(if queued == Some(false) { -1.0 } else { self.queued_total() })
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
        self.command(&reason, flags, key, |core, payload, key| core.close(code, payload, key))?;
        Ok(self.queued_total())
    }

    /// Queues bytes that are framed already.
    #[napi(catch_unwind)]
    pub fn write(&mut self, #[napi(ts_arg_type = "Uint8Array")] bytes: Unknown<'_>) -> Result<f64> {
        self.command(&bytes, 0, None, |core, bytes, _| core.write_raw(bytes))?;
        Ok(self.queued_total())
    }

    /// Over a stream: parses received bytes. Returns the number of records that can be read.
    #[napi(catch_unwind)]
    pub fn receive(&mut self, #[napi(ts_arg_type = "Uint8Array")] chunk: Unknown<'_>) -> Result<u32> {
        if let Some(Link::Stream(stream)) = &mut self.link {
            let mut keys = self.shared.keys.borrow_mut();
            let mut text = self.shared.text.borrow_mut();
            data_bytes(self.shared.env, chunk.raw(), &mut text, |bytes| stream.receive(bytes, &mut *keys))?;
        }
        self.more()
    }

    /// The next batch of records, when one has been read. 0: none.
    #[napi(catch_unwind)]
    pub fn more(&mut self) -> Result<u32> {
        let shared = &self.shared;
        match &mut self.link {
            Some(Link::Stream(stream)) if stream.events.is_empty() => Ok(0),
            Some(Link::Stream(stream)) => {
                shared.batch(&self.parts, |batch| batch.take_events(&mut stream.events))
            }
            #[cfg(unix)]
            Some(Link::Threads(attachment)) if attachment.inbox.borrow().is_empty() => Ok(0),
            #[cfg(unix)]
            Some(Link::Threads(attachment)) => shared.batch(&self.parts, |batch| attachment.fill(batch)),
            None => Ok(0),
        }
    }

    /// The payload of the next record with the flag `LARGE`.
    #[napi(catch_unwind)]
    pub fn take_large<'env>(&mut self, env: &'env Env) -> Result<BufferSlice<'env>> {
        let payload = self.parts.borrow_mut().large.pop_front().unwrap_or_default();
        BufferSlice::copy_from(env, payload)
    }

    /// The lengths of the non-empty frames of the next record with the flag `FRAGMENTED`.
    #[napi(catch_unwind)]
    pub fn take_fragments(&mut self) -> Vec<u32> {
        self.parts.borrow_mut().fragments.pop_front().unwrap_or_default()
    }

    /// Over a stream: everything queued since the last call; `null` if nothing is.
    #[napi(catch_unwind)]
    pub fn take_output<'env>(&mut self, env: &'env Env) -> Result<Option<BufferSlice<'env>>> {
        let Some(Link::Stream(stream)) = &mut self.link else { return Ok(None) };
        if stream.connection.output().is_empty() {
            return Ok(None);
        }
        let output = BufferSlice::copy_from(env, stream.connection.output())?;
        stream.discard_output();
        Ok(Some(output))
    }

    /// Over a stream: `bytes` more of the output have left.
    #[napi(catch_unwind)]
    #[allow(clippy::cast_sign_loss, reason = "a count of bytes is not negative")]
    pub fn written(&mut self, bytes: f64) {
        if let Some(Link::Stream(stream)) = &mut self.link {
            stream.connection.written(bytes as u64);
        }
    }

    /// Puts a duplicate of the socket `fd` on an I/O thread; news comes to `deliver` with `owner`, in the async context
    /// that is current now, with `resource` as its resource. `head`: what was read from the socket before. `false`: that
    /// can't be done here, the connection stays with its stream.
    #[napi(catch_unwind)]
    pub fn attach(
        &mut self,
        fd: i32,
        #[napi(ts_arg_type = "object")] owner: Unknown<'_>,
        #[napi(ts_arg_type = "object")] resource: Unknown<'_>,
        head: Option<Uint8Array>,
    ) -> bool {
        #[cfg(unix)]
        if let Some(Link::Stream(_)) = &self.link {
            let head = head.as_deref().unwrap_or_default();
            let core = Core::new(self.config);
            let attached = self.shared.attach(fd, core, head, owner.raw(), resource.raw(), &self.parts);
            if let Ok(attachment) = attached {
                self.link = Some(Link::Threads(attachment));
                return true;
            }
        }
        #[cfg(not(unix))]
        drop((fd, owner, resource, head));
        false
    }

    /// On an I/O thread: writes what is queued from this thread, as far as the kernel takes it now. Returns the bytes
    /// still pending.
    #[napi(catch_unwind)]
    pub fn flush_now(&mut self) -> f64 {
        #[cfg(unix)]
        if let Some(Link::Threads(attachment)) = &self.link {
            attachment.socket.write_now();
        }
        self.pending()
    }

    /// On an I/O thread: asks for one `WRITTEN` record once all that is queued now has been accepted by the kernel.
    #[napi(catch_unwind)]
    pub fn notify(&mut self) {
        self.on_socket(Socket::notify);
    }

    /// On an I/O thread: stops reading and delivering.
    #[napi(catch_unwind)]
    pub fn pause(&mut self) {
        self.on_socket(|socket| socket.pause());
    }

    /// On an I/O thread: undoes `pause`.
    #[napi(catch_unwind)]
    pub fn resume(&mut self) {
        self.on_socket(Socket::resume);
    }

    /// On an I/O thread: sends a FIN after all that is queued, then a `SHUTDOWN` record comes.
    #[napi(catch_unwind)]
    pub fn shutdown(&mut self) {
        self.on_socket(Socket::shutdown);
    }

    /// Drops everything. Nothing is delivered any more; the descriptor closes.
    #[napi(catch_unwind)]
    pub fn destroy(&mut self) {
        self.last = self.totals();
        match self.link.take() {
            #[cfg(unix)]
            Some(Link::Threads(attachment)) => self.shared.rounds.detach(&attachment),
            _ => {}
        }
    }

    /// Bytes ever queued.
    #[napi(getter, catch_unwind)]
    pub fn queued_total(&self) -> f64 {
        number(self.totals().queued)
    }

    /// Bytes ever accepted by the kernel or the stream.
    #[napi(getter, catch_unwind)]
    pub fn written_total(&self) -> f64 {
        number(self.totals().written)
    }

    /// Bytes queued and not yet accepted.
    #[napi(getter, catch_unwind)]
    pub fn pending(&self) -> f64 {
        let totals = self.totals();
        number(totals.queued - totals.written)
    }

    /// Bytes received.
    #[napi(getter, catch_unwind)]
    pub fn bytes_read(&self) -> f64 {
        number(self.totals().read)
    }

    /// Turns automatic pongs on or off.
    #[napi(catch_unwind)]
    pub fn set_auto_pong(&mut self, on: bool) {
        self.config.auto_pong = on;
        self.with_core(|core| core.set_auto_pong(on));
    }

    /// Changes the limit for messages, in bytes; 0 and below mean unlimited.
    #[napi(catch_unwind)]
    pub fn set_max_payload(&mut self, limit: i32) {
        let limit = u64::try_from(limit).unwrap_or(0);
        self.config.limits.max_payload = limit;
        self.with_core(|core| core.set_max_payload(limit));
    }

    /// Turns UTF-8 validation off or on.
    #[napi(catch_unwind)]
    pub fn set_skip_utf8_validation(&mut self, skip: bool) {
        self.config.skip_utf8_validation = skip;
        self.with_core(|core| core.set_skip_utf8_validation(skip));
    }
}

impl Connection {
    /// Runs a command with a payload and, if `flags` say so, a masking key. `None` once destroyed.
    fn command<R>(
        &mut self,
        data: &Unknown<'_>,
        flags: u32,
        key: Option<Uint8Array>,
        command: impl FnOnce(&mut Core, &[u8], Option<MaskingKey>) -> R,
    ) -> Result<Option<R>> {
        let key = match key {
            Some(key) => Some(masking_key(&key)?),
            None if flags & flag::MASK != 0 => Some(self.shared.keys.borrow_mut().next_key()),
            None => None,
        };
        let shared = Rc::clone(&self.shared);
        let mut text = shared.text.try_borrow_mut().map_err(|_| Error::from_reason("re-entered"))?;
        let done = data_bytes(shared.env, data.raw(), &mut text, |payload| {
            self.with_core(|core| command(core, payload, key))
        })?;
        // One huge string does not hold its memory for ever.
        text.shrink_to(KEPT_TEXT);
        #[cfg(unix)]
        if let Some(Link::Threads(attachment)) = &self.link {
            shared.rounds.mark_dirty(attachment);
        }
        Ok(done)
    }

    fn with_core<R>(&mut self, run: impl FnOnce(&mut Core) -> R) -> Option<R> {
        match self.link.as_mut()? {
            Link::Stream(stream) => Some(run(&mut stream.connection)),
            #[cfg(unix)]
            Link::Threads(attachment) => attachment.socket.with_connection(run),
        }
    }

    #[cfg(unix)]
    fn on_socket(&self, run: impl FnOnce(&Arc<Socket>)) {
        if let Some(Link::Threads(attachment)) = &self.link {
            run(&attachment.socket);
        }
    }

    fn totals(&self) -> Totals {
        match &self.link {
            None => self.last,
            Some(Link::Stream(stream)) => {
                let core = &stream.connection;
                Totals {
                    queued: core.queued_total(),
                    written: core.written_total(),
                    read: stream.bytes_read(),
                }
            }
            #[cfg(unix)]
            Some(Link::Threads(attachment)) => {
                let socket = &attachment.socket;
                let output = socket.with_connection(|core| (core.queued_total(), core.written_total()));
                let (queued, written) = output.unwrap_or_default();
                Totals { queued, written, read: socket.bytes_read() }
            }
        }
    }
}

/// Totals stay far below 2^53.
#[allow(clippy::cast_precision_loss, reason = "2^53 bytes take centuries to send")]
fn number(total: u64) -> f64 {
    total as f64
}
