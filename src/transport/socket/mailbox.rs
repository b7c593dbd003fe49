//! The way from the I/O threads to one owner (a JavaScript environment): push, wake once, drain many.

use std::fmt;
use std::sync::{Arc, Mutex};

use super::{Socket, lock};

/// Tells an owner, from any thread, that its mailbox is no longer empty.
pub trait Wake: Send + Sync {
    /// Must not block and must not call back into the mailbox. Wakes that come before the owner has looked may
    /// be merged into one.
    fn wake(&self);
}

/// The sockets of one owner that have news.
pub struct Mailbox {
    ready: Mutex<Vec<Arc<Socket>>>,
    waker: Box<dyn Wake>,
}

impl Mailbox {
    /// An empty mailbox whose owner is told by `waker`.
    pub fn new(waker: Box<dyn Wake>) -> Self {
        Self { ready: Mutex::new(Vec::new()), waker }
    }

    /// Adds a socket. The socket itself sees to it that it is in the mailbox at most once. The owner is woken
    /// only by the first one: whoever drains takes all.
    pub(super) fn push(&self, socket: Arc<Socket>) {
        let first = {
            let mut ready = lock(&self.ready);
            ready.push(socket);
            ready.len() == 1
        };
        if first {
            self.waker.wake();
        }
    }

    /// Moves all sockets with news into `into`, which must be empty; its capacity serves the next ones.
    pub fn drain(&self, into: &mut Vec<Arc<Socket>>) {
        debug_assert!(into.is_empty());
        std::mem::swap(&mut *lock(&self.ready), into);
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("ready", &lock(&self.ready).len()).finish_non_exhaustive()
    }
}
