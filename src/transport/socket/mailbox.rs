//! The way from the I/O threads to one owner (a JavaScript environment).

use std::fmt;
use std::sync::Arc;

use super::Socket;
use crate::transport::queue::WakeQueue;

pub use crate::transport::queue::Wake;

/// The sockets of one owner that have news.
pub struct Mailbox(WakeQueue<Arc<Socket>, Box<dyn Wake>>);

impl Mailbox {
    /// An empty mailbox whose owner is told by `waker`.
    pub fn new(waker: Box<dyn Wake>) -> Self {
        // The one lease is never given back: it is open as long as it is there.
        Self(WakeQueue::new(waker))
    }

    /// Adds a socket, and wakes the owner if it is the first. The socket itself sees to it that it is not here
    /// again and again: twice at most, where the owner takes it back and gives it away while a thread is about to push it.
    pub(super) fn push(&self, socket: Arc<Socket>) {
        self.0.push(socket);
    }

    /// Moves all sockets with news into `into`, which must be empty; its capacity serves the next ones.
    pub fn drain(&self, into: &mut Vec<Arc<Socket>>) {
        self.0.drain(into);
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("ready", &self.0.len()).finish_non_exhaustive()
    }
}
