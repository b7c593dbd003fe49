//! What a socket has for its owner and has not handed over: protocol events, and what happened to the socket.

use crate::connection::EventBatch;

/// A failed system call that ended a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The system's error number (positive).
    pub errno: i32,
    /// Whether it was a write (else a read) that failed.
    pub write: bool,
}

/// Undelivered news of one socket. The protocol events come first, then the rest in the order of the fields:
/// nothing is read after `ended` or `fault`, so that order is also the order in which things happened.
#[derive(Debug, Default)]
pub struct Inbox {
    /// Messages, control frames, protocol errors.
    pub events: EventBatch,
    /// The output total that the kernel has accepted, once the total asked for by `notify` is reached.
    pub written: Option<u64>,
    /// All output went out after more than [`OUTBOUND_HIGH_WATER`](super::OUTBOUND_HIGH_WATER) bytes of it had
    /// been refused by the kernel.
    pub drained: bool,
    /// The write side was shut down as asked.
    pub shut_down: bool,
    /// The peer sent its FIN.
    pub ended: bool,
    /// A system call failed; the socket is dead.
    pub fault: Option<Fault>,
}

impl Inbox {
    /// Whether there is nothing to hand over.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.written.is_none()
            && !self.drained
            && !self.shut_down
            && !self.ended
            && self.fault.is_none()
    }
}
