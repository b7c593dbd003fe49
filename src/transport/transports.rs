//! The state behind one connection's number: the connection itself and where its bytes go. Commands of both transports
//! are the same; only that differs. `calls` and `connection` (the class) are the callers.

use std::rc::Rc;
use std::sync::Arc;

use napi::{Result, sys};

use crate::addon::environment::Shared;
use crate::addon::raw::{data_bytes, string_bytes, unsigned};
use crate::addon::sockets::Attachment;
use crate::connection::{Config, Connection as Core, MaskingKeys, Rested};
use crate::protocol::deflate::{Inflation, Outgoing};
use crate::protocol::{Limits, MaskingKey, Role};
use crate::transport::stream::Stream;

mod link;
mod resting;

pub(super) use link::{Link, Offer, SocketCommand, Source, Totals};

/// About what permessage-deflate has in memory for a connection when it closes.
const FREED_AT_CLOSE: usize = 32 * 1024;

/// Capacity that the buffer for strings keeps.
const KEPT_TEXT: usize = 1024 * 1024;

/// Bits of the `flags` argument of commands.
pub(super) mod flag {
    pub(in crate::addon) const BINARY: u32 = 1;
    pub(in crate::addon) const FIN: u32 = 2;
    /// The payload is a string.
    pub(in crate::addon) const STRING: u32 = 4;
    pub(in crate::addon) const MASK: u32 = 8;
    /// The message is to be compressed, if that was agreed on.
    pub(in crate::addon) const COMPRESS: u32 = 64;
    /// The string is the one that was sent last: what it is in UTF-8 need not be found out again.
    pub(in crate::addon) const SAME: u32 = 32;
    /// The payload is in the shared memory, and the argument is its length.
    pub(in crate::addon) const PLACED: u32 = 128;
    /// Of `send` only: return the total.
    pub(in crate::addon) const TOTAL: u32 = 16;
}

/// One connection and its link.
pub(in crate::addon) struct Channel {
    config: Arc<Config>,
    link: Link,
    /// The next payload to be sent, compressed elsewhere.
    deflated: Option<Rc<Vec<u8>>>,
}

impl Channel {
    /// A connection whose bytes the caller carries.
    pub(in crate::addon) fn new(config: Arc<Config>) -> Self {
        let mut core = Core::new(Arc::clone(&config));
        // Whoever carries the bytes of a stream answers its pings, in the order of events.
        core.set_auto_pong(false);
        Self::linked(config, Link::Stream(Box::new(Stream::new(core))))
    }

    /// A connection with a socket of its own. `None`: that can't be.
    pub(in crate::addon) fn attached(
        shared: &Rc<Shared>,
        config: Arc<Config>,
        offer: &Offer<'_>,
    ) -> Option<Self> {
        let link = shared.attach(&config, offer).ok()?;
        Some(Self::linked(config, link))
    }

    /// One that was destroyed.
    pub(in crate::addon) fn gone() -> Self {
        let config = Config {
            role: Role::Server,
            limits: Limits::default(),
            auto_pong: false,
            skip_utf8_validation: false,
            deflate: None,
        };
        Self::linked(Arc::new(config), Link::Gone(Totals::default()))
    }

    fn linked(config: Arc<Config>, link: Link) -> Self {
        Self { config, link, deflated: None }
    }

    /// Runs a command with a payload (a string if `flags` say so, else bytes) and, if `flags` say so, a masking key: `key`,
    /// or a fresh one. Returns the bytes ever queued.
    ///
    /// # Errors
    /// When `data` is no such payload.
    pub(in crate::addon) fn command(
        &mut self,
        shared: &Shared,
        data: sys::napi_value,
        flags: u32,
        key: Option<MaskingKey>,
        command: impl FnOnce(&mut Core, &[u8], Option<MaskingKey>),
    ) -> Result<u64> {
        let key = Self::key(shared, flags, key);
        if flags & flag::PLACED != 0 {
            let length = unsigned(shared, data)? as usize;
            return Ok(
                shared.with_placed(length, |payload| self.run(shared, |core| command(core, payload, key)))
            );
        }
        let mut scratch = shared.scratch.borrow_mut();
        if flags & flag::STRING != 0 {
            string_bytes(shared.env, data, &mut scratch)?;
            return Ok(self.run(shared, |core| command(core, &scratch, key)));
        }
        data_bytes(shared.env, data, &mut scratch, |payload| {
            self.run(shared, |core| command(core, payload, key))
        })
    }

    /// Queues a message or a fragment, or writes it from where it is if that is worth it. Otherwise as [`Channel::command`].
    ///
    /// # Errors
    /// When `data` is no such payload.
    pub(in crate::addon) fn send(
        &mut self,
        shared: &Shared,
        data: sys::napi_value,
        flags: u32,
        key: Option<MaskingKey>,
    ) -> Result<u64> {
        let key = Self::key(shared, flags, key);
        if flags & flag::PLACED != 0 {
            let length = unsigned(shared, data)? as usize;
            return Ok(shared.with_placed(length, |payload| self.message(shared, flags, key, payload)));
        }
        if flags & flag::STRING == 0 {
            let mut scratch = shared.scratch.borrow_mut();
            return data_bytes(shared.env, data, &mut scratch, |payload| {
                self.message(shared, flags, key, payload)
            });
        }
        let mut text = shared.text.borrow_mut();
        if flags & flag::SAME == 0 || !shared.has_text.get() {
            shared.has_text.set(false);
            string_bytes(shared.env, data, &mut text)?;
            shared.has_text.set(true);
        }
        let queued = self.message(shared, flags, key, &text);
        // One huge string does not hold its memory for ever.
        if text.capacity() > KEPT_TEXT {
            *text = Vec::new();
            shared.has_text.set(false);
        }
        Ok(queued)
    }

    fn message(&mut self, shared: &Shared, flags: u32, key: Option<MaskingKey>, payload: &[u8]) -> u64 {
        let (binary, fin) = (flags & flag::BINARY != 0, flags & flag::FIN != 0);
        if self.config.deflate.is_some() {
            let (wanted, mut broadcast) = (flags & flag::COMPRESS != 0, shared.broadcast.borrow_mut());
            return self.run(shared, |core| {
                core.send_deflated(binary, fin, key, payload, wanted, &mut broadcast);
            });
        }
        if key.is_none()
            && let Some(attachment) = self.wake(shared)
            && attachment.send_from_place(binary, fin, payload)
        {
            return self.run(shared, |_| ());
        }
        self.run(shared, |core| core.send(binary, fin, key, payload))
    }

    fn key(shared: &Shared, flags: u32, given: Option<MaskingKey>) -> Option<MaskingKey> {
        given.or_else(|| (flags & flag::MASK != 0).then(|| shared.keys.borrow_mut().next_key()))
    }

    /// Runs a command that may make output. Returns the bytes ever queued.
    fn run(&mut self, shared: &Shared, command: impl FnOnce(&mut Core)) -> u64 {
        self.wake(shared);
        let queued = self.with_core(|core| {
            command(core);
            core.queued_total()
        });
        let Some(queued) = queued else { return self.totals().queued };
        if let Link::Socket(attachment) = &self.link {
            attachment.mark_dirty(shared);
        }
        queued
    }

    /// Over a stream: parses received bytes.
    ///
    /// # Errors
    /// When `chunk` is no view of bytes.
    pub(in crate::addon) fn receive(&mut self, shared: &Shared, chunk: sys::napi_value) -> Result<()> {
        let Link::Stream(stream) = &mut self.link else { return Ok(()) };
        let (mut keys, mut scratch) = (shared.keys.borrow_mut(), shared.scratch.borrow_mut());
        data_bytes(shared.env, chunk, &mut scratch, |bytes| stream.receive(bytes, &mut *keys))
    }

    /// Over a stream: moves everything queued since the last call into the shared memory. Returns its length; 0 if there is
    /// nothing, or too much for that.
    pub(in crate::addon) fn take_output(&mut self, shared: &Shared) -> usize {
        let Link::Stream(stream) = &mut self.link else { return 0 };
        let length = stream.connection.output().len();
        if length == 0 || !shared.lay_out(stream.connection.output()) {
            return 0;
        }
        stream.discard_output();
        length
    }

    /// Puts the next batch together. Returns the number of its records; 0: there is nothing.
    pub(in crate::addon) fn more(&mut self, shared: &Shared) -> u32 {
        match &mut self.link {
            Link::Stream(stream) if stream.events.is_empty() => 0,
            Link::Stream(stream) => shared.batch(|batch| batch.take_events(&mut stream.events)),
            Link::Socket(attachment) if attachment.is_empty() => 0,
            Link::Socket(attachment) => shared.batch(|batch| attachment.fill(batch)),
            Link::Resting(_) | Link::Gone(_) => 0,
        }
    }

    /// The memory of the next record with the flag `LANDED`.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(in crate::addon) fn landed(&self) -> Result<Option<sys::napi_value>> {
        self.attachment().map_or(Ok(None), |attachment| attachment.landed())
    }

    /// Whether a payload of `length` bytes is to be compressed, and how. If it begins a message, that is decided now.
    pub(in crate::addon) fn deflates(
        &mut self,
        shared: &Shared,
        flags: u32,
        length: usize,
    ) -> Option<Outgoing> {
        let wanted = flags & flag::COMPRESS != 0;
        self.wake(shared);
        self.with_core(|core| if core.deflates(wanted, length) { core.outgoing().cloned() } else { None })?
    }

    /// A payload has been compressed for this connection.
    pub(in crate::addon) fn keep_deflated(&mut self, compressed: Rc<Vec<u8>>) {
        self.deflated = Some(compressed);
    }

    /// Queues that payload. Returns the bytes ever queued.
    pub(in crate::addon) fn send_deflated(
        &mut self,
        shared: &Shared,
        flags: u32,
        key: Option<MaskingKey>,
    ) -> u64 {
        let Some(compressed) = self.deflated.take() else { return self.totals().queued };
        let (binary, fin) = (flags & flag::BINARY != 0, flags & flag::FIN != 0);
        let key = Self::key(shared, flags, key);
        self.run(shared, |core| core.send_alone(binary, fin, key, &compressed))
    }

    /// The frame that is to be inflated elsewhere.
    pub(in crate::addon) fn take_inflation(&mut self) -> Option<Inflation> {
        self.with_core(Core::take_inflation)?
    }

    /// Takes it back. Returns the number of records that can be read; attached, its news is delivered as ever.
    pub(in crate::addon) fn return_inflation(&mut self, shared: &Shared, inflation: Inflation) -> u32 {
        match &mut self.link {
            Link::Stream(stream) => {
                stream.return_inflation(inflation, &mut *shared.keys.borrow_mut());
                self.more(shared)
            }
            Link::Socket(attachment) => {
                attachment.return_inflation(shared, inflation);
                0
            }
            Link::Resting(_) | Link::Gone(_) => 0,
        }
    }

    /// Gives memory of permessage-deflate back that was not used since the last time.
    pub(in crate::addon) fn rest(&mut self) -> Rested {
        if self.config.deflate.is_none() {
            Rested::default()
        } else {
            self.with_core(Core::rest).unwrap_or_default()
        }
    }

    /// Over a stream: the stream.
    pub(in crate::addon) fn stream(&mut self) -> Option<&mut Stream> {
        match &mut self.link {
            Link::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    /// What is kept for a socket that was taken over and does not rest.
    pub(in crate::addon) fn attachment(&self) -> Option<&Rc<Attachment>> {
        match &self.link {
            Link::Socket(attachment) => Some(attachment),
            _ => None,
        }
    }

    /// With a socket of its own: does what a command says.
    pub(in crate::addon) fn obey(&mut self, shared: &Shared, command: SocketCommand) {
        let attachment = if command.is_idle() { self.attachment() } else { self.wake(shared) };
        if let Some(attachment) = attachment {
            attachment.obey(shared, command);
        }
    }

    /// With a socket of its own, before `destroy`: collects what a paused connection has left to deliver.
    pub(in crate::addon) fn last_read(&mut self, shared: &Shared) {
        if let Some(attachment) = self.attachment() {
            attachment.last_read(shared);
        }
    }

    /// Drops everything that is queued or undelivered; the descriptor closes. A frame that is being inflated elsewhere is still
    /// received, and what came behind it, as that of a stream: then this is to be called again.
    pub(in crate::addon) fn destroy(&mut self, shared: &Shared) {
        if self.is_gone() || self.stream().is_some_and(|stream| stream.connection.is_inflating()) {
            return;
        }
        match self.take_link() {
            Link::Socket(attachment) => {
                if let Some(connection) = attachment.detach(shared) {
                    self.link = Link::Stream(Box::new(Stream::new(connection)));
                    return;
                }
            }
            Link::Resting(resting) => resting.release(shared),
            Link::Stream(_) | Link::Gone(_) => {}
        }
        if self.config.deflate.is_some() {
            shared.freed.set(shared.freed.get() + FREED_AT_CLOSE);
        }
    }

    /// With a socket of its own: gives the descriptor back to the host, which carries the bytes from now on, as those of a stream.
    /// What was collected must have been put into batches. Returns news that no event tells of; `None`: there is no socket.
    pub(in crate::addon) fn hand_back(&mut self, shared: &Shared) -> Option<i32> {
        let (mut stream, news) = self.wake(shared).map(Rc::clone)?.hand_back(shared)?;
        stream.connection.set_auto_pong(false);
        self.link = Link::Stream(Box::new(stream));
        Some(news)
    }

    /// Changes how the connection behaves, now and when it has rested.
    pub(in crate::addon) fn configure(
        &mut self,
        change: impl FnOnce(&mut Config),
        apply: impl FnOnce(&mut Core),
    ) {
        change(Arc::make_mut(&mut self.config));
        self.with_core(apply);
    }

    /// Whether pings may be answered without being asked: an I/O thread does so.
    pub(in crate::addon) fn set_auto_pong(&mut self, on: bool) {
        if self.config.auto_pong != on {
            Arc::make_mut(&mut self.config).auto_pong = on;
        }
        if let Link::Socket(attachment) = &self.link {
            attachment.set_may_pong(on);
        }
    }

    fn is_gone(&self) -> bool {
        matches!(self.link, Link::Gone(_))
    }

    fn with_core<R>(&mut self, run: impl FnOnce(&mut Core) -> R) -> Option<R> {
        match &mut self.link {
            Link::Stream(stream) => Some(run(&mut stream.connection)),
            Link::Socket(attachment) => attachment.with_core(run),
            Link::Resting(_) | Link::Gone(_) => None,
        }
    }

    /// The running totals; those at the end, once destroyed.
    pub(in crate::addon) fn totals(&self) -> Totals {
        match &self.link {
            Link::Stream(stream) => {
                Totals { read: stream.bytes_read(), ..Totals::of_output(&stream.connection) }
            }
            Link::Socket(attachment) => {
                let output = attachment.with_core(|core| Totals::of_output(core));
                Totals { read: attachment.bytes_read(), ..output.unwrap_or_default() }
            }
            Link::Resting(resting) => {
                let written = resting.written_total();
                Totals { queued: written, written, read: resting.bytes_read() }
            }
            Link::Gone(totals) => *totals,
        }
    }
}
