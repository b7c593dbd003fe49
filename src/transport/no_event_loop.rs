//! Stands in for `event_loop` where a socket is not a descriptor that can be adopted (Windows): the same names with nothing behind
//! them. No [`ActiveConnection`] or [`IdleConnection`] exists, so methods on one need no code, and every transport is one over a stream.

#![allow(clippy::unused_self, reason = "the methods of `event_loop` need it")]

use std::cell::{RefCell, RefMut};
use std::convert::Infallible;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use super::timers::{Due, DueAction, Liveness, Output, Verdict};
use super::transports::{Message, Transport, Transports};
use crate::connection::{Config, Connection, MaskingKeys, TimeLimits};
use crate::protocol::deflate::{Broadcast, InflateJob};

/// Bytes of the payload arena, which nothing is received into here.
pub const ARENA_SIZE: usize = 0;

/// A descriptor of the host. There is none.
pub type Borrowed = Infallible;

/// Events of a socket that was handed back. There are none.
pub struct HandedBackEvents(Infallible);

impl HandedBackEvents {
    /// Never called.
    pub fn bits(self) -> i32 {
        match self.0 {}
    }
}

/// A socket to adopt.
#[allow(missing_docs, reason = "those of `event_loop`")]
pub struct AdoptRequest<'a> {
    pub source: Source<'a>,
    pub config: Arc<Config>,
    pub head: &'a [u8],
    pub on_thread: bool,
    pub is_paused: bool,
}

/// Origin of a socket to adopt.
#[allow(missing_docs, reason = "those of `event_loop`")]
pub enum Source<'a> {
    Host(Borrowed),
    Accepted { number: u32, response: &'a [u8] },
}

/// The owner of an event loop.
pub trait Host: Sized {
    /// Memory of one large frame.
    type Memory;

    /// Masking keys for frames that a client sends.
    fn masking_keys(&self) -> RefMut<'_, impl MaskingKeys>;

    /// Nanoseconds since any fixed moment.
    fn now(&self) -> u64;
}

/// Commands for a socket that need no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "those of `event_loop`")]
pub enum SocketCommand {
    WriteNow,
    Notify,
    Pause,
    Resume,
    Cork(bool),
    Shutdown,
}

/// An event loop that has no sockets.
pub struct EventLoop<H: Host> {
    host: H,
    transports: Transports<H::Memory>,
    liveness: Liveness,
}

impl<H: Host> EventLoop<H> {
    /// An event loop without sockets.
    pub fn new(host: H) -> Self {
        Self { host, transports: Transports::default(), liveness: Liveness::default() }
    }

    /// The host.
    pub fn host(&self) -> &H {
        &self.host
    }

    /// The transports of the owner.
    pub fn transports(&self) -> &Transports<H::Memory> {
        &self.transports
    }

    /// Begins to watch the time limits of a transport that is opened now.
    pub fn watch(&self, id: u32, limits: &TimeLimits) {
        if limits.is_set() {
            self.liveness.watch(id, limits, self.host.now());
        }
    }

    /// Notes bytes that the host has received for a transport over a stream.
    pub fn note_received(&self, id: u32) {
        if self.liveness.is_used() {
            self.liveness.set_now(self.host.now());
            self.liveness.note(id);
        }
    }

    /// Notes another sign of the peer, whose silence the host has found not to be one.
    pub fn note_alive(&self, id: u32) {
        let Some(transport) = self.transports.get(id) else { return };
        let Ok(transport) = transport.try_borrow() else { return };
        let limits = transport.config().time_limits;
        if limits.is_set() {
            self.liveness.set_now(self.host.now());
            self.liveness.note(id);
            self.liveness.schedule(id, &limits);
        }
    }

    /// Looks at the connections whose time limits may have passed, and pings those that are silent. Returns those that the host acts
    /// on.
    pub fn check_timers(&self) -> Vec<Due> {
        if self.liveness.is_used() {
            self.liveness.set_now(self.host.now());
        }
        let due = self.liveness.take_due().into_iter();
        due.filter_map(|id| self.check(id).map(|action| Due { id, action })).collect()
    }

    fn check(&self, id: u32) -> Option<DueAction> {
        let transport = self.transports.get(id)?;
        let mut transport = transport.try_borrow_mut().ok()?;
        let limits = transport.config().time_limits;
        let masks = transport.config().role.must_mask_sent();
        if !limits.is_set() {
            return None;
        }
        let stream = transport.stream().filter(|stream| !stream.connection.is_closing())?;
        match self.liveness.judge(id, &limits) {
            Verdict::Wait => None,
            Verdict::Old => Some(DueAction::Close),
            Verdict::Silent => Some(DueAction::Terminate),
            Verdict::Ping => {
                let key = masks.then(|| self.host.masking_keys().next_key());
                stream.connection.ping_automatically(key);
                self.liveness.note_ping(id, &limits, Output::default());
                Some(DueAction::Flush)
            }
        }
    }

    /// Milliseconds after which [`EventLoop::check_timers`] is to be called. `None` if no deadline is set, or if the timer that the
    /// host has, according to `is_armed`, is early enough.
    pub fn timer_delay(&self, is_armed: bool) -> Option<u32> {
        self.liveness.delay(self.host.now(), is_armed)
    }

    /// Adopts no socket.
    ///
    /// # Errors
    /// Always.
    pub fn adopt(&self, _: AdoptRequest<'_>) -> io::Result<u32> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// There is no socket.
    pub fn activate<'a>(
        &self,
        _: &'a mut Transport<H::Memory>,
    ) -> Option<&'a Rc<ActiveConnection<H::Memory>>> {
        None
    }

    /// Number of active connections: none.
    pub fn active_count(&self) -> usize {
        0
    }

    /// Streams keep the owner's loop alive by themselves.
    pub fn set_ref(&self, _add: bool) {}

    /// There is nothing to flush.
    pub fn flush(&self) {}

    /// There is nothing to write.
    pub fn write_all_now(&self) {}

    /// There is nothing to sweep.
    pub fn begin_sweep(&self) {}

    /// No connection is active.
    pub fn sweep_one(&self) -> Option<usize> {
        None
    }

    /// Frees memory for events that was not used since the last call. Returns the number of bytes freed since then, also
    /// at other times.
    pub fn free_event_memory(&self) -> usize {
        self.transports.event_memory().trim()
    }
}

impl<M> Transport<M> {
    /// Runs a command that may queue output. Returns the bytes ever queued.
    pub fn run<H: Host<Memory = M>>(
        &mut self,
        _: &EventLoop<H>,
        command: impl FnOnce(&mut Connection),
    ) -> u64 {
        self.with_connection(command);
        self.totals().queued
    }

    /// Queues a message or a fragment. Returns the bytes ever queued.
    pub fn send<H: Host<Memory = M>>(
        &mut self,
        event_loop: &EventLoop<H>,
        message: Message<'_>,
        broadcast: &RefCell<Broadcast>,
        _keep: impl FnOnce() -> Option<(M, usize)>,
    ) -> u64 {
        let Message { binary, fin, compress, key, payload } = message;
        let mut broadcast = broadcast.borrow_mut();
        self.run(event_loop, |connection| {
            connection.send_compressed(binary, fin, key, payload, compress, &mut broadcast);
        })
    }

    /// Queues messages.
    pub fn send_small<'a, H: Host<Memory = M>>(
        &mut self,
        event_loop: &EventLoop<H>,
        messages: impl Iterator<Item = Message<'a>>,
        broadcast: &RefCell<Broadcast>,
    ) {
        for message in messages {
            self.send(event_loop, message, broadcast, || None);
        }
    }

    /// Streams have nothing to do.
    pub fn execute<H: Host<Memory = M>>(&mut self, _: &EventLoop<H>, _: SocketCommand) {}

    /// There is no socket to collect from.
    pub fn collect<H: Host<Memory = M>>(&self, _: &EventLoop<H>) {}

    /// There is no socket to read.
    pub fn last_read<H: Host<Memory = M>>(&self, _: &EventLoop<H>) {}

    /// There is no socket with events.
    pub fn next_batch<H: Host<Memory = M>>(&self, _: &EventLoop<H>) -> u32 {
        0
    }

    /// There is no socket that waits for it.
    pub fn finish_inflate_job<H: Host<Memory = M>>(&self, _: &EventLoop<H>, _: InflateJob) {}

    /// There is no socket to hand back.
    pub fn hand_back<H: Host<Memory = M>>(&mut self, _: &EventLoop<H>) -> Option<HandedBackEvents> {
        None
    }

    /// There is no descriptor to lend.
    pub fn lend(&mut self, borrowed: Borrowed) {
        match borrowed {}
    }

    /// Drops all that is queued or undelivered. Returns true if this call has closed the transport; it waits for a frame that is
    /// being inflated.
    pub fn destroy<H: Host<Memory = M>>(&mut self, _: &EventLoop<H>) -> bool {
        let is_inflating = self.stream().is_some_and(|stream| stream.connection.is_inflating());
        let closes = !(self.is_closed() || is_inflating);
        if closes {
            self.take_backend();
        }
        closes
    }
}

/// An idle connection. There is none.
#[derive(Debug)]
pub struct IdleConnection(Infallible);

impl IdleConnection {
    /// Never called.
    pub fn written_total(&self) -> u64 {
        match self.0 {}
    }

    /// Never called.
    pub fn bytes_read(&self) -> u64 {
        match self.0 {}
    }

    /// Never called.
    pub fn local_and_peer_addr(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        match self.0 {}
    }

    /// Never called.
    pub fn fd(&self) -> i32 {
        match self.0 {}
    }
}

/// A connection of a socket. There is none.
pub struct ActiveConnection<M>(Infallible, PhantomData<M>);

impl<M> ActiveConnection<M> {
    /// Never called.
    pub fn is_on_thread(&self) -> bool {
        match self.0 {}
    }

    /// Never called.
    pub fn with_connection<R>(&self, _: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        match self.0 {}
    }

    /// Never called.
    pub fn bytes_read(&self) -> u64 {
        match self.0 {}
    }

    /// Never called.
    pub fn set_may_pong(&self, _: bool) -> bool {
        match self.0 {}
    }

    /// Never called.
    pub fn local_and_peer_addr(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        match self.0 {}
    }

    /// Never called.
    pub fn fd(&self) -> i32 {
        match self.0 {}
    }

    /// Never called.
    pub fn needs_drain(&self, _mark: u64) -> bool {
        match self.0 {}
    }

    /// Never called.
    pub fn watch_drain(&self, _mark: u64) {
        match self.0 {}
    }

    /// Never called.
    pub fn with_frame_memory<R>(&self, _: impl FnOnce(&M) -> R) -> Option<R> {
        match self.0 {}
    }
}
