//! A connection that rests: what it can tell without waking, how it wakes, and how it comes to rest again. What is kept of one,
//! and when it is to rest, `sockets/resting` knows.

use std::mem;
use std::net::SocketAddr;
use std::rc::Rc;

use super::{Channel, Link};
use crate::addon::environment::Shared;
use crate::addon::sockets::Attachment;

impl Channel {
    /// The same as `attachment`, and one that rests wakes.
    pub(in crate::addon) fn wake(&mut self, shared: &Shared) -> Option<&Rc<Attachment>> {
        if matches!(self.link, Link::Resting(_))
            && let Link::Resting(resting) = self.take_link()
            && let Some(attachment) = resting.wake(shared, &self.config)
        {
            self.link = Link::Socket(attachment);
        }
        self.attachment()
    }

    /// Has a socket that was taken over rest, if it can. Returns whether it does.
    pub(in crate::addon) fn rest_socket(&mut self, shared: &Shared) -> bool {
        if !self.attachment().is_some_and(Attachment::can_rest) {
            return false;
        }
        if let Link::Socket(attachment) = self.take_link()
            && let Some(resting) = attachment.rest(shared)
        {
            self.link = Link::Resting(resting);
        }
        true
    }

    /// Lets go of the socket if it rests.
    pub(in crate::addon) fn release_resting(&mut self, shared: &Shared) {
        if matches!(self.link, Link::Resting(_))
            && let Link::Resting(resting) = self.take_link()
        {
            resting.release(shared);
        }
    }

    /// Takes the link, as if the connection were to be destroyed.
    pub(super) fn take_link(&mut self) -> Link {
        let gone = Link::Gone(self.totals());
        mem::replace(&mut self.link, gone)
    }

    /// With a socket of its own, over TCP: the addresses of its ends, here and there.
    pub(in crate::addon) fn ends(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        match &self.link {
            Link::Socket(attachment) => attachment.ends(),
            Link::Resting(resting) => resting.ends(),
            Link::Stream(_) | Link::Gone(_) => (None, None),
        }
    }

    /// With a socket of its own: the number of its descriptor. -1: there is none.
    pub(in crate::addon) fn descriptor(&self) -> i32 {
        match &self.link {
            Link::Socket(attachment) => attachment.descriptor(),
            Link::Resting(resting) => resting.descriptor(),
            Link::Stream(_) | Link::Gone(_) => -1,
        }
    }

    /// With a socket of its own: Node has the descriptor from now on.
    pub(in crate::addon) fn lend(&mut self) {
        match &mut self.link {
            Link::Socket(attachment) => attachment.lend(),
            Link::Resting(resting) => resting.lend(),
            Link::Stream(_) | Link::Gone(_) => {}
        }
    }
}
