//! What a socket has for its owner and has not handed over: protocol events, and what happened to the socket.

use std::io;

use crate::connection::EventBatch;

/// A failed system call that ended a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The system's error number (positive).
    pub errno: i32,
    /// Whether it was a write (else a read) that failed.
    pub write: bool,
}

impl Fault {
    /// A failed read.
    pub(in crate::transport) fn read(error: &io::Error) -> Self {
        Self { errno: error.raw_os_error().unwrap_or(libc::EIO), write: false }
    }

    /// A failed write.
    pub(super) fn write(error: &io::Error) -> Self {
        Self { write: true, ..Self::read(error) }
    }
}

/// Undelivered news of one socket. The protocol events come first, then the rest in the order of the fields:
/// nothing is read after `ended` or `fault`, so that order is also the order in which things happened.
#[derive(Debug, Default)]
pub struct SocketEvents {
    /// Messages, control frames, protocol errors.
    pub events: EventBatch,
    /// The bytes that were received, as they came, if the owner asked for them with [`Socket::tap`](super::Socket::tap).
    pub raw: Vec<u8>,
    /// The output total that the kernel has accepted, once the total asked for by `notify` is reached.
    pub written: Option<u64>,
    /// All output went out, and the owner had asked to be told: [`Socket::needs_drain`](super::Socket::needs_drain),
    /// [`Socket::watch_drain`](super::Socket::watch_drain).
    pub drained: bool,
    /// The write side was shut down as asked.
    pub shut_down: bool,
    /// The peer sent its FIN.
    pub ended: bool,
    /// A system call failed; the socket is dead.
    pub fault: Option<Fault>,
}

impl SocketEvents {
    /// Whether there is nothing to hand over.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.raw.is_empty() && !self.ended && !self.has_urgent()
    }

    /// Whether there is news that a pause does not hold back: what became of the output, and a failure.
    pub(super) fn has_urgent(&self) -> bool {
        self.written.is_some() || self.drained || self.shut_down || self.fault.is_some()
    }

    /// Takes that news, and the end of the peer if `has_end` says that nothing is in front of it. What was read before a failure
    /// is left for [`Socket::last_read`](super::Socket::last_read).
    pub(super) fn take_urgent(&mut self, has_end: bool) -> Self {
        Self {
            written: self.written.take(),
            drained: std::mem::take(&mut self.drained),
            shut_down: std::mem::take(&mut self.shut_down),
            ended: has_end && std::mem::take(&mut self.ended),
            fault: self.fault.take(),
            ..Self::default()
        }
    }
}
