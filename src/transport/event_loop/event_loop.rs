//! The set of sockets of one owner: adopting, flushing, ending. The phases of the loop are in `cycle`, commands in `commands`.

use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;

use super::accept::Acceptors;
use super::adopt::{AdoptRequest, Opened};
use super::connection::ActiveConnection;
use super::idle::{ActiveList, IdleConnection, Swept};
use super::payload_arena::PayloadArena;
use super::poller::{Io, Poller, Readiness, ReadyList};
use super::{Host, LoopControl, timers};
use crate::connection::{Config, Connection, TimeLimits};
use crate::protocol::Role;
use crate::transport::listener::{Listeners, PollContext};
use crate::transport::socket::{Idle, Interest, Socket};
use crate::transport::timers::Liveness;
use crate::transport::transports::{Backend, Transport, Transports};

/// An idle connection takes 72 bytes, its descriptor and the two counters of the `Rc` included. Debug builds keep more of a descriptor.
#[cfg(not(debug_assertions))]
const _: () = assert!(size_of::<RefCell<Transport<[usize; 2]>>>() + 2 * size_of::<usize>() <= 72);

/// Approximate bytes that an idle connection needs less than an active one.
const FREED_BY_IDLING: usize = 1024;

/// A list of connections.
pub(super) type List<M> = Vec<Rc<ActiveConnection<M>>>;

/// The sockets of one owner. Lives on its thread.
pub struct EventLoop<H: Host> {
    pub(super) host: H,
    transports: Transports<H::Memory>,
    io: OnceCell<Io>,
    active: ActiveList<H::Memory>,
    /// Connections with output that was not flushed.
    dirty: RefCell<List<H::Memory>>,
    /// Connections that the event loop drives and looks at again in this cycle or the next.
    pub(super) waiting: RefCell<List<H::Memory>>,
    /// Memory of the list that a flush works on.
    spare: Cell<List<H::Memory>>,
    /// Memory of the list that is read, delivered and written as a batch.
    pub(super) batch: Cell<List<H::Memory>>,
    pub(super) ready: Cell<ReadyList>,
    pub(super) woken: Cell<Vec<u64>>,
    pub(super) arena: PayloadArena,
    pub(super) acceptors: Acceptors<H::Server>,
    /// Connections with time limits.
    pub(super) liveness: Liveness,
    /// Number of cycles so far.
    pub(super) cycle: Cell<u64>,
    has_servers: Cell<bool>,
    /// Some client was connected to this machine.
    has_local_clients: Cell<bool>,
    /// References that keep the host's loop alive.
    refs: Cell<u32>,
    has_ended: Cell<bool>,
}

impl<H: Host> EventLoop<H> {
    /// An event loop without sockets. It needs [`EventLoop::start`] before the first one.
    pub fn new(host: H) -> Self {
        Self {
            host,
            transports: Transports::default(),
            io: OnceCell::new(),
            active: ActiveList::default(),
            dirty: RefCell::default(),
            waiting: RefCell::default(),
            spare: Cell::default(),
            batch: Cell::default(),
            ready: Cell::default(),
            woken: Cell::default(),
            arena: PayloadArena::default(),
            acceptors: Acceptors::default(),
            liveness: Liveness::default(),
            cycle: Cell::new(0),
            has_servers: Cell::new(false),
            has_local_clients: Cell::new(false),
            refs: Cell::new(0),
            has_ended: Cell::new(false),
        }
    }

    /// The host.
    pub fn host(&self) -> &H {
        &self.host
    }

    /// The host, for tests.
    #[cfg(test)]
    pub(in crate::transport) fn host_mut(&mut self) -> &mut H {
        &mut self.host
    }

    /// The transports of the owner, also those without a socket.
    pub fn transports(&self) -> &Transports<H::Memory> {
        &self.transports
    }

    /// True once [`EventLoop::start`] was called.
    pub fn is_started(&self) -> bool {
        self.io.get().is_some()
    }

    /// Gives the event loop its parts for sockets: a poller, whose descriptor the owner's loop polls, if it can; and the handles of
    /// that loop. Called once.
    pub fn start(&self, poller: Option<Rc<Poller>>, handles: Box<dyn LoopControl>) {
        let is_first = self.io.set(Io::new(poller, handles)).is_ok();
        debug_assert!(is_first, "an event loop starts once");
        self.with_handles(|handles| handles.set_ref(self.refs.get() > 0));
    }

    /// Runs `access` on the handles of the owner's loop, unless the event loop has not started or is closed.
    fn with_handles(&self, access: impl FnOnce(&dyn LoopControl)) {
        if let Some(io) = self.io()
            && let Some(handles) = &*io.handles.borrow()
        {
            access(&**handles);
        }
    }

    /// Has the owner's loop call [`EventLoop::before_poll`] and then poll without blocking.
    pub(super) fn poll_without_blocking(&self, on: bool) {
        self.with_handles(|handles| handles.poll_without_blocking(on));
    }

    /// Begins to watch the time limits of a transport that is opened now.
    pub fn watch(&self, id: u32, limits: &TimeLimits) {
        if limits.is_set() {
            self.liveness.watch(id, limits, self.host.now());
        }
    }

    pub(super) fn io(&self) -> Option<&Io> {
        self.io.get()
    }

    /// The poller, if there are sockets and the owner's loop can poll.
    pub(super) fn poller(&self) -> Option<&Poller> {
        self.io.get()?.poller.as_deref()
    }

    /// True if events can be delivered. Each callback of the owner's loop begins with this, before anything is read, written or
    /// polled: at its end a host closes descriptors, whose numbers other threads get at once, and runs its loop again. It does so
    /// on this thread and never inside of a callback, so the answer holds until the callback returns.
    pub fn is_running(&self) -> bool {
        if !self.has_ended.get() && !self.host.is_running() {
            self.has_ended.set(true);
        }
        !self.has_ended.get()
    }

    /// True once events cannot be delivered any more, as far as that is known: nothing is read, written or polled.
    pub fn has_ended(&self) -> bool {
        self.has_ended.get()
    }

    pub(super) fn set_ended(&self) {
        self.has_ended.set(true);
    }

    /// Number of active connections.
    pub fn active_count(&self) -> usize {
        self.active.len()
    }

    /// Adds a reference that keeps the owner's loop alive, or removes one.
    pub fn set_ref(&self, add: bool) {
        let before = self.refs.get();
        debug_assert!(add || before > 0, "a reference is removed once");
        let after = if add { before + 1 } else { before.saturating_sub(1) };
        self.refs.set(after);
        if (before == 0) != (after == 0) {
            self.with_handles(|handles| handles.set_ref(after > 0));
        }
    }

    /// True if both ends of a connection may be in this process: there are servers, and clients that are connected to this machine.
    pub(super) fn may_hold_both_ends(&self) -> bool {
        self.has_servers.get() && self.has_local_clients.get()
    }

    /// Adopts a socket, and returns the id of its connection.
    ///
    /// # Errors
    /// If the owner is ending, or there is no such descriptor or no thread. A borrowed descriptor is unchanged then, and an accepted
    /// connection is closed.
    pub fn adopt(&self, request: AdoptRequest<'_>) -> io::Result<u32> {
        let AdoptRequest { source, config, head, on_thread, is_paused } = request;
        let io =
            self.io().filter(|_| !self.has_ended()).ok_or_else(|| io::Error::other("the owner is ending"))?;
        let id = self.transports.next_id();
        let token = u64::from(id);
        let take = |number| self.with_acceptors(|listeners, _| listeners.take(number)).flatten();
        let Opened { fd, is_polled, unsent } = source.open(io.poller.as_deref(), token, on_thread, take)?;
        match config.role {
            Role::Server => self.has_servers.set(true),
            Role::Client if !self.has_local_clients.get() => self.has_local_clients.set(fd.is_local()),
            Role::Client => {}
        }
        if is_polled && head.is_empty() && unsent.is_empty() && !is_paused {
            let backend = Backend::Idle(IdleConnection::new(Idle::new(fd), id));
            return Ok(self.insert(config, backend, id));
        }
        let mut connection = Connection::new(Arc::clone(&config));
        connection.write_raw(unsent);
        let socket = Socket::new(
            fd.into(),
            connection,
            head,
            &mut *self.host.masking_keys(),
            &io.mailbox,
            token,
            config.auto_pong,
        );
        if is_paused {
            socket.pause();
        }
        if !is_polled {
            socket.drive_on_thread()?;
        }
        let connection = Rc::new(ActiveConnection::new(socket, !is_polled));
        self.active.add(&connection);
        if unsent.is_empty() {
            self.after_io(&connection);
        } else {
            // It waits until the kernel accepts more.
            self.flush_one(&connection);
        }
        Ok(self.insert(config, Backend::Active(connection), id))
    }

    fn insert(&self, config: Arc<Config>, backend: Backend<H::Memory>, id: u32) -> u32 {
        let limits = config.time_limits;
        let inserted = self.transports.insert(Rc::new(RefCell::new(Transport::new(config, backend))));
        debug_assert_eq!(inserted, id, "the id is the token that the poller has");
        self.watch(inserted, &limits);
        inserted
    }

    /// Makes an idle connection active. `None` if the transport has no socket.
    pub fn activate<'a>(
        &self,
        transport: &'a mut Transport<H::Memory>,
    ) -> Option<&'a Rc<ActiveConnection<H::Memory>>> {
        if matches!(transport.backend(), Backend::Idle(_))
            && let Some(io) = self.io()
            && let Backend::Idle(idle) = transport.take_backend()
        {
            let connection = Rc::new(idle.activate(transport.config(), &io.mailbox));
            self.active.add(&connection);
            transport.set_backend(Backend::Active(connection));
        }
        transport.active()
    }

    /// The connection of a token that is ready, made active. `None`: there is none, or it has nothing to do. Readiness that is used
    /// up on the way is removed.
    pub(super) fn activate_ready(
        &self,
        token: u64,
        ready: &mut Readiness,
    ) -> Option<Rc<ActiveConnection<H::Memory>>> {
        let transports = self.transports.borrow();
        let transport = transports.get(usize::try_from(token).ok()?)?;
        if let Some(connection) = transport.try_borrow().ok()?.active() {
            return Some(Rc::clone(connection));
        }
        // An idle connection has nothing to write.
        if !ready.read {
            return None;
        }
        let mut transport = transport.try_borrow_mut().ok()?;
        if transport.config().time_limits.has_heartbeat() && !ready.ended {
            return timers::receive_on_idle(self, token as u32, &mut transport, ready);
        }
        self.activate(&mut transport).cloned()
    }

    /// True if the connection still has its id: while other tasks ran it may have ended, and another one have got the id.
    pub(super) fn is_current(&self, connection: &ActiveConnection<H::Memory>) -> bool {
        let transports = self.transports.borrow();
        let transport = transports.get(connection.id() as usize).map(|transport| transport.borrow());
        transport.is_some_and(|transport| {
            transport.active().is_some_and(|own| std::ptr::eq(Rc::as_ptr(own), connection))
        })
    }

    pub(super) fn write_batch(&self, connection: &ActiveConnection<H::Memory>) -> u32 {
        self.host.write_batch(&mut connection.events.borrow_mut(), connection.in_place.borrow().as_ref())
    }

    /// Destroys a socket, once.
    pub(super) fn destroy_socket(&self, connection: &ActiveConnection<H::Memory>) {
        if connection.is_destroyed.replace(true) {
            return;
        }
        self.stop_polling(connection);
        connection.socket.destroy();
        connection.drop_memory();
        self.active.remove(connection);
    }

    pub(super) fn stop_polling(&self, connection: &ActiveConnection<H::Memory>) {
        if !connection.is_on_thread
            && let Some(poller) = self.poller()
        {
            poller.remove(&connection.socket);
        }
    }

    /// Lets go of the descriptor of an idle connection.
    pub(super) fn release(&self, idle: &IdleConnection) {
        if let (Some(fd), Some(poller)) = (idle.borrowed_fd(), self.poller()) {
            poller.remove_fd(fd);
        }
    }

    /// Marks a connection as having output to flush.
    pub(super) fn mark_dirty(&self, connection: &Rc<ActiveConnection<H::Memory>>) {
        if !connection.is_dirty.replace(true) {
            self.dirty.borrow_mut().push(Rc::clone(connection));
        }
    }

    /// Marks a connection, which the event loop drives, to be looked at again in this cycle or the next.
    pub(super) fn mark_waiting(&self, connection: &Rc<ActiveConnection<H::Memory>>) {
        if !connection.is_waiting.replace(true) {
            self.waiting.borrow_mut().push(Rc::clone(connection));
            self.poll_without_blocking(true);
        }
    }

    /// Writes all output that was queued since the last flush: now where the event loop drives, soon where an I/O thread does.
    pub fn flush(&self) {
        if self.has_ended() || self.dirty.borrow().is_empty() {
            return;
        }
        let mut dirty = self.spare.take();
        mem::swap(&mut dirty, &mut *self.dirty.borrow_mut());
        for connection in dirty.drain(..) {
            self.flush_one(&connection);
        }
        self.spare.set(dirty);
    }

    pub(super) fn flush_one(&self, connection: &Rc<ActiveConnection<H::Memory>>) {
        connection.is_dirty.set(false);
        if connection.is_on_thread {
            connection.socket.flush();
        } else if !connection.interest.get().write {
            // Output that the kernel has refused waits until it accepts more.
            self.update_interest(connection, connection.write(&self.host, H::WRITE_TURN));
        }
    }

    /// Writes the queued output of all sockets from this thread, as much as the kernel accepts.
    pub fn write_all_now(&self) {
        if !self.has_ended() {
            self.active.for_each(|connection| {
                connection.write_now(&self.host, usize::MAX);
            });
        }
    }

    /// Follows each operation on a socket that the event loop drives: undelivered events, and readable bytes that may be read now, are
    /// looked at in this cycle. Does nothing where an I/O thread drives.
    pub(in crate::transport) fn after_io(&self, connection: &Rc<ActiveConnection<H::Memory>>) {
        if !connection.is_on_thread {
            self.update_interest(connection, connection.socket.interest());
        }
    }

    fn update_interest(&self, connection: &Rc<ActiveConnection<H::Memory>>, interest: Interest) {
        connection.interest.set(interest);
        let ready = connection.ready.get();
        let is_unread = ready.read && (interest.read || (interest.read_ahead && ready.ended));
        let is_unwritten = ready.write && interest.write;
        if interest.deliver || is_unread || is_unwritten {
            self.mark_waiting(connection);
        }
    }

    /// Begins a sweep, unless one is under way: each active connection is looked at once, by [`EventLoop::sweep_one`].
    pub fn begin_sweep(&self) {
        self.active.begin_sweep();
    }

    /// Looks at the next connection of a sweep, and makes it idle if it was not used since the last sweep. Returns the approximate
    /// number of bytes freed; `None` if the sweep is over.
    pub fn sweep_one(&self) -> Option<usize> {
        let Swept::Unused(id) = self.active.next_unswept()? else { return Some(0) };
        let transports = self.transports.borrow();
        let transport = transports.get(id as usize).and_then(|found| found.try_borrow_mut().ok());
        let is_idle = transport.is_some_and(|mut transport| self.make_idle(&mut transport));
        Some(if is_idle { FREED_BY_IDLING } else { 0 })
    }

    /// Frees memory for events that was not used since the last call. Returns the number of bytes freed since then, also
    /// at other times.
    pub fn free_event_memory(&self) -> usize {
        let of_threads = self.io().map_or(0, |io| io.mailbox.event_memory().trim());
        self.transports.event_memory().trim() + of_threads
    }

    /// Makes a connection idle, if it has nothing in flight. Returns true if it is.
    pub(in crate::transport) fn make_idle(&self, transport: &mut Transport<H::Memory>) -> bool {
        if !transport.active().is_some_and(IdleConnection::is_idle) {
            return false;
        }
        if let Backend::Active(connection) = transport.take_backend() {
            self.active.remove(&connection);
            self.host.note_idle(connection.id());
            if let Some(idle) = IdleConnection::from_active(connection) {
                transport.set_backend(Backend::Idle(idle));
            }
        }
        true
    }

    /// Closes all sockets and accepted connections, then the handles of the owner's loop, the poller last. `closed` is dropped when
    /// the loop has let go of them. Nothing is delivered from here on.
    pub fn end(&self, closed: Box<dyn Any>) {
        self.set_ended();
        self.dirty.borrow_mut().clear();
        self.waiting.borrow_mut().clear();
        for connection in self.active.to_vec() {
            self.destroy_socket(&connection);
        }
        self.acceptors.clear();
        self.transports.for_each(|transport| {
            // A busy transport is being made, and has no socket yet.
            if let Ok(mut transport) = transport.try_borrow_mut()
                && matches!(transport.backend(), Backend::Idle(_))
                && let Backend::Idle(idle) = transport.take_backend()
            {
                self.release(&idle);
            }
        });
        if let Some(handles) = self.io().and_then(|io| io.handles.take()) {
            handles.close(closed);
        }
    }

    /// Runs `run` on the listening sockets. `None`: the owner's loop cannot poll, or is ending.
    pub fn with_acceptors<R>(
        &self,
        run: impl FnOnce(&mut Listeners<H::Server>, &mut PollContext<'_, H::Server>) -> R,
    ) -> Option<R> {
        let io = self.io().filter(|_| !self.has_ended())?;
        let poller = io.poller.as_deref()?;
        // Milliseconds, which may wrap around.
        let now = (self.host.now() / 1_000_000) as u32;
        let (result, follow_up) = self.acceptors.with(poller, now, &mut io.buffer.borrow_mut(), run);
        if let Some(add) = follow_up.set_ref {
            self.set_ref(add);
        }
        if follow_up.is_unfinished {
            self.poll_without_blocking(true);
        }
        Some(result)
    }
}
