//! The handle by which an owner has one listening socket of its event loop. Called by the owner; `accept` has the connections.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use super::{EventLoop, Host};
use crate::transport::listener::{Listeners, ListeningSocket, PendingOnClose, PollContext};

/// One listening socket of an event loop, which keeps the owner's loop alive while it listens. Dropping it closes the socket and the
/// connections whose request is not known.
pub struct ListenerHandle<H: Host> {
    event_loop: Rc<EventLoop<H>>,
    /// The number of the listening socket, while it listens.
    number: Cell<Option<u32>>,
    is_referenced: Cell<bool>,
}

impl<H: Host> ListenerHandle<H> {
    /// A handle that does not listen yet.
    pub fn new(event_loop: Rc<EventLoop<H>>) -> Self {
        Self { event_loop, number: Cell::new(None), is_referenced: Cell::new(true) }
    }

    /// The event loop.
    pub fn event_loop(&self) -> &Rc<EventLoop<H>> {
        &self.event_loop
    }

    /// Accepts connections from `socket` for `server`, with at most `max_head` bytes of a request's head.
    ///
    /// # Errors
    /// If the event loop cannot listen, or its poller refuses the socket.
    pub fn listen(&self, socket: ListeningSocket, server: H::Server, max_head: usize) -> io::Result<()> {
        let number = self
            .event_loop
            .with_acceptors(|listeners, turn| listeners.listen(turn.poller, socket, server, max_head))
            .ok_or_else(|| io::Error::other("the event loop can't listen"))??;
        self.number.set(Some(number));
        if self.is_referenced.get() {
            self.event_loop.set_ref(true);
        }
        Ok(())
    }

    /// Runs `run` on the listening sockets, with the number of this one. `None` if it does not listen.
    pub fn with<R>(
        &self,
        run: impl FnOnce(&mut Listeners<H::Server>, &mut PollContext<'_, H::Server>, u32) -> R,
    ) -> Option<R> {
        let number = self.number.get()?;
        self.event_loop.with_acceptors(|listeners, turn| run(listeners, turn, number))
    }

    /// Stops listening. Returns the number of connections that fall back.
    pub fn close(&self, pending: PendingOnClose) -> usize {
        let falling_back =
            self.with(|listeners, turn, number| listeners.close(number, pending, turn.accepted));
        if self.number.take().is_some() && self.is_referenced.get() {
            self.event_loop.set_ref(false);
        }
        falling_back.unwrap_or_default()
    }

    /// Chooses whether it keeps the owner's loop alive while it listens, as it does at first.
    pub fn set_ref(&self, on: bool) {
        if self.is_referenced.replace(on) != on && self.number.get().is_some() {
            self.event_loop.set_ref(on);
        }
    }
}

impl<H: Host> Drop for ListenerHandle<H> {
    fn drop(&mut self) {
        self.close(PendingOnClose::Discard);
    }
}
