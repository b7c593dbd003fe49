//! Connections that rest: most connections of a server have nothing in flight most of the time, and then all that is kept for one
//! is here. When its descriptor is ready, or something is asked of it that needs more, it wakes and is an [`Attachment`]; when it
//! has been idle for a while, it rests again.
//!
//! For how long, the timer of `addon/thread.js` says: it begins a round, in which each connection that is awake is
//! looked at once. One that nothing has gone through since it was looked at in the round before is to rest. A round may take
//! several turns of the loop, for there may be many.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::sync::Arc;

use super::attachment::Attachment;
use super::line::Line;
use crate::addon::environment::Shared;
use crate::addon::raw::borrow;
use crate::connection::Config;
use crate::transport::event_loop::Ready;
use crate::transport::policy::Choice;
use crate::transport::socket::Idle;

/// Connections that are looked at in one turn: that takes well under a millisecond.
const LOOKS_PER_TURN: usize = 2048;

/// About what a connection needs less when it rests.
const FREED: usize = 1024;

/// A connection of the event loop that has nothing in flight.
pub(in crate::addon) struct Resting {
    socket: Idle,
    token: u32,
    choice: Choice,
}

impl Resting {
    /// The reactor knows the descriptor by the token.
    pub(super) fn new(socket: Idle, token: u64, choice: Choice) -> Self {
        Self { socket, token: token as u32, choice }
    }

    /// Bytes ever queued, and written.
    pub(in crate::addon) fn written_total(&self) -> u64 {
        self.socket.written_total()
    }

    /// Bytes ever received.
    pub(in crate::addon) fn bytes_read(&self) -> u64 {
        self.socket.bytes_read()
    }

    /// The addresses of the ends of a connection over TCP, here and there.
    pub(in crate::addon) fn ends(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        self.socket.ends()
    }

    /// The number of the descriptor.
    pub(in crate::addon) fn descriptor(&self) -> i32 {
        self.socket.as_raw_fd()
    }

    /// As [`Attachment::lend`].
    pub(in crate::addon) fn lend(&mut self) {
        if let Ok(borrowed) = borrow(self.descriptor()) {
            self.socket.lend(borrowed);
        }
    }

    /// Lets go of the descriptor.
    pub(in crate::addon) fn release(self, shared: &Shared) {
        // What is closed, the reactor forgets by itself.
        if self.socket.is_borrowed()
            && let Some(reactor) = shared.rounds.line().and_then(Line::reactor)
        {
            reactor.forget(&self.socket);
        }
    }

    /// Makes of it what something can be done with. `None`: the environment is ending.
    pub(in crate::addon) fn wake(self, shared: &Shared, config: &Arc<Config>) -> Option<Rc<Attachment>> {
        let line = shared.rounds.line()?;
        let Self { socket, token, choice } = self;
        let socket = socket.wake(Arc::clone(config), &line.mailbox, token.into(), config.auto_pong);
        let attachment = Rc::new(Attachment::new(socket, choice));
        attachment.standing.set(attachment.socket.standing());
        shared.rounds.add(&attachment);
        Some(attachment)
    }
}

impl Attachment {
    /// Whether it could rest now. Whoever asks, and the list of those that are awake, have it: nobody else may.
    pub(in crate::addon) fn can_rest(self: &Rc<Self>) -> bool {
        let is_driven = self.choice != Choice::IoThreads && !self.on_thread.get();
        let is_waiting = self.dirty.get() || self.waiting.get() || self.ready.get().read;
        let is_holding = self.chunk.borrow().is_some() || self.landing.borrow().is_some();
        is_driven
            && !(is_waiting || is_holding || self.detached.get())
            && Rc::strong_count(self) <= 2
            && self.is_empty()
            && self.socket.is_idle()
    }

    /// Leaves what is kept while it rests. `None`, and the socket is gone: it [can't](Self::can_rest).
    pub(in crate::addon) fn rest(self: Rc<Self>, shared: &Shared) -> Option<Resting> {
        shared.rounds.forget(&self);
        let token = self.socket.token();
        let Self { socket, choice, .. } = Rc::into_inner(self)?;
        Some(Resting::new(socket.into_idle()?, token, choice))
    }

    /// Whether anything went through it since this was last asked.
    fn was_used(&self) -> bool {
        let moved = self.socket.bytes_read() + self.with_core(|core| core.queued_total()).unwrap_or(0);
        self.looked_at.replace(moved) != moved
    }
}

impl Shared {
    /// The connection of a token that is ready, awake. `None`: there is none, or nothing is to be done.
    pub(super) fn awake(&self, token: u64, ready: Ready) -> Option<Rc<Attachment>> {
        let channels = self.channels.borrow();
        let channel = channels.get(usize::try_from(token).ok()?)?;
        if let Some(attachment) = channel.try_borrow().ok()?.attachment() {
            return Some(Rc::clone(attachment));
        }
        // One that rests has nothing to write.
        if !ready.read {
            return None;
        }
        channel.try_borrow_mut().ok()?.wake(self).cloned()
    }

    /// The environment is ending.
    pub(super) fn release_resting(&self) {
        for channel in self.channels.borrow().iter() {
            // One that is busy is being taken over, and has nothing yet.
            if let Ok(mut channel) = channel.try_borrow_mut() {
                channel.release_resting(self);
            }
        }
    }

    /// Begins a round, if none is under way, and looks at the first connections.
    pub(in crate::addon) fn rest_idle(&self) {
        let rounds = &self.rounds;
        if rounds.to_look_at.get() == 0 {
            rounds.to_look_at.set(rounds.attachments.borrow().len());
        }
        self.go_on_resting();
    }

    /// Looks at more of them.
    pub(super) fn go_on_resting(&self) {
        for _ in 0..LOOKS_PER_TURN {
            // From the last one to the first: in the place of one that goes comes one that was looked at.
            let Some(place) = self.rounds.to_look_at.get().checked_sub(1) else { break };
            self.rounds.to_look_at.set(place);
            let token = match self.rounds.attachments.borrow().get(place) {
                Some(attachment) if !attachment.was_used() => attachment.socket.token(),
                _ => continue,
            };
            let channels = self.channels.borrow();
            let channel = usize::try_from(token).ok().and_then(|id| channels.get(id));
            if let Some(mut channel) = channel.and_then(|channel| channel.try_borrow_mut().ok())
                && channel.rest_socket(self)
            {
                self.freed_by_rest.set(self.freed_by_rest.get() + FREED);
            }
        }
        if self.rounds.to_look_at.get() == 0 {
            self.rounds.attachments.borrow_mut().shrink_to(LOOKS_PER_TURN);
        } else if let Some(line) = self.rounds.line() {
            line.hurry(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::addon::channel::Channel;

    #[test]
    fn a_resting_connection_costs_little() {
        assert!(size_of::<Resting>() <= 32);
        // With the two counters in front of it; the descriptor is in there.
        assert!(size_of::<RefCell<Channel>>() + 2 * size_of::<usize>() <= 72);
    }
}
