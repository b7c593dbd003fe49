//! Joins [`listener`](crate::transport::listener) to the event loop: keeps accepted connections until `cycle` delivers them, and
//! counts the listening sockets that keep the loop alive. Called by `event_loop` and `cycle`. Accepts and reads nothing itself.

use std::cell::{Cell, RefCell};
use std::mem;

use super::Poller;
use crate::transport::listener::{AcceptedConnection, Listeners, PollContext};

/// Accepted connections after which they are delivered.
pub(super) const ACCEPT_BATCH: usize = 64;

/// Listening sockets and undelivered connections. `A` identifies the consumer of those that one listening socket accepts.
pub(super) struct Acceptors<A> {
    listeners: RefCell<Listeners<A>>,
    accepted: RefCell<Vec<AcceptedConnection<A>>>,
    has_connections: Cell<bool>,
}

/// Follow-up work of the event loop after an operation on its listening sockets.
pub(super) struct FollowUp {
    /// Connections appeared (true) or all of them are gone (false): as with Node, one keeps the loop alive.
    pub(super) set_ref: Option<bool>,
    /// Something is left to accept or to deliver in this cycle.
    pub(super) is_unfinished: bool,
}

impl<A> Default for Acceptors<A> {
    fn default() -> Self {
        Self {
            listeners: RefCell::default(),
            accepted: RefCell::default(),
            has_connections: Cell::new(false),
        }
    }
}

impl<A: Clone> Acceptors<A> {
    /// Runs `run` on the listening sockets.
    pub(super) fn with<R>(
        &self,
        poller: &Poller,
        now: u32,
        buffer: &mut [u8],
        run: impl FnOnce(&mut Listeners<A>, &mut PollContext<'_, A>) -> R,
    ) -> (R, FollowUp) {
        let (mut accepted, mut listeners) = (self.accepted.borrow_mut(), self.listeners.borrow_mut());
        let result = run(&mut listeners, &mut PollContext { poller, now, buffer, accepted: &mut accepted });
        let has_connections = listeners.connection_count() > 0;
        let has_changed = self.has_connections.replace(has_connections) != has_connections;
        let follow_up = FollowUp {
            set_ref: has_changed.then_some(has_connections),
            is_unfinished: listeners.has_more_to_accept() || !accepted.is_empty(),
        };
        (result, follow_up)
    }

    /// True if a token is that of a listening socket or of an accepted connection.
    pub(super) fn is_token(token: u64) -> bool {
        Listeners::<A>::is_token(token)
    }

    /// The number and the consumer of the listening socket of a token, if it is one's.
    pub(super) fn listener_of(&self, token: u64) -> Option<(u32, A)> {
        self.listeners.borrow().listener_for(token)
    }

    /// Chooses whether new connections of a listening socket are passed on without reading a request from them.
    pub(super) fn set_fall_back(&self, number: u32, on: bool) {
        self.listeners.borrow_mut().set_fall_back(number, on);
    }

    /// True if a cycle was too short to accept all that waited.
    pub(super) fn has_unaccepted(&self) -> bool {
        self.listeners.borrow().has_more_to_accept()
    }

    /// Number of connections to deliver.
    pub(super) fn undelivered(&self) -> usize {
        self.accepted.borrow().len()
    }

    /// Takes the connections to deliver.
    pub(super) fn take_accepted(&self) -> Vec<AcceptedConnection<A>> {
        mem::take(&mut *self.accepted.borrow_mut())
    }

    /// Closes all listening sockets and accepted connections.
    pub(super) fn clear(&self) {
        self.accepted.borrow_mut().clear();
        self.listeners.take();
    }
}
