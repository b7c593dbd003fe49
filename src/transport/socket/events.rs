//! Undelivered events of one socket: those of its connection, and those of the socket itself (end, fault, drain). Filled under the
//! lock of `state`, swapped out by the owner.

use std::io;

use crate::connection::EventBatch;
use crate::transport::records::{RecordKind, RecordWriter};

/// A system call that failed and ended a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The system's error number, positive.
    pub errno: i32,
    /// True if a write failed, else a read.
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

/// Undelivered events of one socket. Those of the connection come first, then the rest in the order of the fields:
/// nothing is read after `ended` or `fault`, so that is also the order in which they happened.
#[derive(Debug, Default)]
pub struct SocketEvents {
    /// Messages, control frames, protocol errors.
    pub events: EventBatch,
    /// Output total that the kernel has accepted, once it reaches the total of
    /// [`Socket::notify`](super::Socket::notify).
    pub written: Option<u64>,
    /// All output has gone out, as requested by [`Socket::needs_drain`](super::Socket::needs_drain) or
    /// [`Socket::watch_drain`](super::Socket::watch_drain).
    pub drained: bool,
    /// The write side was shut down on request.
    pub shut_down: bool,
    /// The peer has sent its FIN.
    pub ended: bool,
    /// A system call has failed; the socket is unusable.
    pub fault: Option<Fault>,
}

impl SocketEvents {
    /// True if there are no events.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && !self.ended && !self.has_urgent()
    }

    /// True if there are events that a pause does not hold back: of the output, and a failure.
    pub(super) fn has_urgent(&self) -> bool {
        self.written.is_some() || self.drained || self.shut_down || self.fault.is_some()
    }

    /// Takes the events that a pause does not hold back, and the peer's end if `has_end`. Events that were read
    /// before a failure are left for [`Socket::last_read`](super::Socket::last_read).
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

    /// Moves the events into a batch of records, until it is full. Returns true if some remain.
    pub fn write_to(&mut self, writer: &mut RecordWriter<'_>) -> bool {
        if writer.take_events(&mut self.events) {
            return true;
        }
        if let Some(total) = self.written
            && writer.push(RecordKind::Written, 0, total as u32, (total >> 32) as u32)
        {
            self.written = None;
        }
        self.drained = self.drained && !writer.push(RecordKind::Drain, 0, 0, 0);
        self.shut_down = self.shut_down && !writer.push(RecordKind::Shutdown, 0, 0, 0);
        self.ended = self.ended && !writer.push(RecordKind::End, 0, 0, 0);
        if let Some(fault) = self.fault
            && writer.push(RecordKind::Fault, u32::from(fault.write), 0, fault.errno.unsigned_abs())
        {
            self.fault = None;
        }
        !self.is_empty()
    }
}
