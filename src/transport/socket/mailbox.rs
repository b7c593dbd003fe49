//! Sockets with events, from the I/O threads to one owner. A socket pushes its token, `EventLoop::on_wake` drains. `handoff` has the
//! rule for when a socket may be pushed, `transport::queue` the queue itself.

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use super::lock;
use crate::connection::EventMemory;
use crate::transport::queue::WakeQueue;

pub use crate::transport::queue::Wake;

/// The tokens of an owner's sockets that have events.
pub struct Mailbox {
    queue: WakeQueue<u64, Box<dyn Wake>>,
    event_memory: Mutex<EventMemory>,
}

impl Mailbox {
    /// An empty mailbox; `waker` wakes the owner.
    pub fn new(waker: Box<dyn Wake>) -> Self {
        // Its one reference is never released: the mailbox is open as long as it exists.
        Self { queue: WakeQueue::new(waker), event_memory: Mutex::default() }
    }

    /// Adds a socket, and wakes the owner if it is the first. A socket is in the mailbox more than once only if the
    /// owner has collected its events by itself since.
    pub(super) fn push(&self, token: u64) {
        self.queue.push(token);
    }

    /// Memory for events that I/O threads receive; the owner passes it on after deliveries.
    pub fn event_memory(&self) -> MutexGuard<'_, EventMemory> {
        lock(&self.event_memory)
    }

    /// Moves all tokens into `into`, which must be empty; its capacity is used for the next ones. The socket of a token may
    /// have been destroyed meanwhile.
    pub fn drain(&self, into: &mut Vec<u64>) {
        self.queue.drain(into);
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("ready", &self.queue.len()).finish_non_exhaustive()
    }
}
