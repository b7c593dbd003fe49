//! Idle connections: everything kept for a connection with nothing in flight, as most connections of a server are most of the time.
//! Readiness of its descriptor makes it active, and so does a command that needs more. When no bytes have passed between two
//! sweeps, it is idle again.
//!
//! The owner begins a sweep from time to time. It looks once at each active connection, at one per call.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::sync::Arc;

use super::connection::ActiveConnection;
use crate::connection::Config;
use crate::transport::socket::{Borrowed, Idle, Mailbox, Socket};

/// Places that the list of active connections keeps.
const KEPT: usize = 2048;

/// A connection of the event loop with nothing in flight.
#[derive(Debug)]
pub struct IdleConnection {
    socket: Idle,
    id: u32,
}

// Debug builds keep more of a descriptor.
#[cfg(not(debug_assertions))]
const _: () = assert!(size_of::<IdleConnection>() <= 32);

impl IdleConnection {
    /// The poller knows the descriptor by the connection's id.
    pub(super) fn new(socket: Idle, id: u32) -> Self {
        Self { socket, id }
    }

    /// Bytes ever queued, all of which are written.
    pub fn written_total(&self) -> u64 {
        self.socket.written_total()
    }

    /// Bytes ever received.
    pub fn bytes_read(&self) -> u64 {
        self.socket.bytes_read()
    }

    /// The addresses of a TCP socket: local, and of the peer.
    pub fn local_and_peer_addr(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        self.socket.local_and_peer_addr()
    }

    /// The number of the descriptor.
    pub fn fd(&self) -> i32 {
        self.socket.as_raw_fd()
    }

    /// Gives the descriptor to the host, from which it is borrowed from now on.
    pub fn lend(&mut self, borrowed: Borrowed) {
        self.socket.lend(borrowed);
    }

    /// The descriptor, if it is the host's: the poller must forget it before this is dropped. One that closes, it forgets by itself.
    pub(super) fn borrowed_fd(&self) -> Option<&Idle> {
        self.socket.is_borrowed().then_some(&self.socket)
    }

    /// The socket, for its time limits.
    pub(super) fn socket(&mut self) -> &mut Idle {
        &mut self.socket
    }

    /// Makes the connection active, configured as before.
    pub(super) fn activate<M>(self, config: &Arc<Config>, mailbox: &Arc<Mailbox>) -> ActiveConnection<M> {
        let Self { socket, id } = self;
        let socket = Socket::from_idle(socket, Arc::clone(config), mailbox, id.into(), config.auto_pong);
        let connection = ActiveConnection::new(socket, false);
        connection.interest.set(connection.socket.interest());
        connection
    }

    /// True if `connection` has nothing in flight. Requires exactly two references: the caller's and the active list's.
    pub(super) fn is_idle<M>(connection: &Rc<ActiveConnection<M>>) -> bool {
        let is_waiting =
            connection.is_dirty.get() || connection.is_waiting.get() || connection.ready.get().read;
        !(is_waiting || connection.is_on_thread || connection.is_destroyed.get())
            && connection.holds_no_memory()
            && Rc::strong_count(connection) <= 2
            && connection.is_delivered()
            && connection.socket.is_idle()
    }

    /// Reduces a connection that [is idle](Self::is_idle) to its idle form. It must be off the active list. `None` if it was
    /// not idle; the socket is closed then.
    pub(super) fn from_active<M>(connection: Rc<ActiveConnection<M>>) -> Option<Self> {
        let id = connection.id();
        let ActiveConnection { socket, .. } = Rc::into_inner(connection)?;
        Some(Self::new(socket.into_idle()?, id))
    }
}

/// Outcome of a look at a connection.
pub(super) enum Swept {
    /// The connection was used since the last sweep, or has ended.
    Used,
    /// The connection of this id was not used.
    Unused(u32),
}

/// The active connections of an event loop.
pub(super) struct ActiveList<M> {
    list: RefCell<Vec<Rc<ActiveConnection<M>>>>,
    /// Connections, from the first one on, that the sweep has not looked at.
    unswept: Cell<usize>,
}

impl<M> Default for ActiveList<M> {
    fn default() -> Self {
        Self { list: RefCell::default(), unswept: Cell::new(0) }
    }
}

impl<M> ActiveList<M> {
    pub(super) fn len(&self) -> usize {
        self.list.borrow().len()
    }

    pub(super) fn add(&self, connection: &Rc<ActiveConnection<M>>) {
        let mut list = self.list.borrow_mut();
        debug_assert_eq!(connection.position.get(), usize::MAX, "a connection is on the list once");
        connection.position.set(list.len());
        list.push(Rc::clone(connection));
    }

    pub(super) fn remove(&self, connection: &ActiveConnection<M>) {
        let mut list = self.list.borrow_mut();
        let position = connection.position.replace(usize::MAX);
        if position < list.len() {
            let removed = list.swap_remove(position);
            debug_assert!(std::ptr::eq(Rc::as_ptr(&removed), connection), "a position is its connection's");
            if let Some(moved) = list.get(position) {
                moved.position.set(position);
            }
        }
    }

    pub(super) fn for_each(&self, access: impl FnMut(&Rc<ActiveConnection<M>>)) {
        self.list.borrow().iter().for_each(access);
    }

    /// All connections, for code that removes them.
    pub(super) fn to_vec(&self) -> Vec<Rc<ActiveConnection<M>>> {
        self.list.borrow().clone()
    }

    /// Begins a sweep, if none is under way.
    pub(super) fn begin_sweep(&self) {
        if self.unswept.get() == 0 {
            self.unswept.set(self.len());
        }
    }

    /// Goes on with a sweep: looks at one connection. `None` if the sweep is over.
    pub(super) fn next_unswept(&self) -> Option<Swept> {
        // From the last one to the first: a connection that leaves the list is replaced by one that was looked at.
        let Some(position) = self.unswept.get().checked_sub(1) else {
            let mut list = self.list.borrow_mut();
            if list.capacity() > 2 * list.len() {
                let kept = list.len().max(KEPT);
                list.shrink_to(kept);
            }
            return None;
        };
        self.unswept.set(position);
        let list = self.list.borrow();
        Some(match list.get(position) {
            Some(connection) if !connection.was_used() => Swept::Unused(connection.id()),
            _ => Swept::Used,
        })
    }
}
