//! Terms of one turn of a driver: bounds, the work that a socket has for it, and the outcome of a read. Shared by the drivers
//! ([`event_loop`](super::event_loop), [`io_threads`](super::io_threads)) and [`socket`](super::socket).

/// Most bytes of one read. Fits the L2 cache with room for the payloads copied out of it, and equals Node's buffer.
pub const RECEIVE_BUFFER: usize = 64 * 1024;

/// Full buffers read from one socket before the next one is served.
pub const READS_PER_TURN: usize = 4;

/// The thread of an operation on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Owner,
    Thread,
}

/// Work left for a driver, determined after each operation on a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "facts that hold or not, independently of each other")]
pub struct Interest {
    /// There are events to collect.
    pub deliver: bool,
    /// Read when readable.
    pub read: bool,
    /// Paused, but read if the peer has ended: a paused Node socket reads ahead, and so notices a reset, and an end
    /// that no event precedes.
    pub read_ahead: bool,
    /// Write when writable.
    pub write: bool,
}

/// Outcome of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// The buffer was filled; there may be more.
    More,
    /// A short read: the kernel has no more for now, but perhaps the end.
    Drained,
    /// The kernel has nothing: neither bytes nor an end.
    Empty,
    /// Reading must stop: end, failure, too many undelivered bytes, or paused.
    Stop,
}

/// The end of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing is queued, or it is held back.
    All,
    /// The kernel has refused bytes, or another thread drives: the driver writes when the descriptor is writable.
    Refused,
    /// The turn is over; the descriptor is still writable.
    More,
    /// An external segment follows, of which this many bytes are left: the write goes on with its memory.
    External(usize),
    /// Writing has failed, now or before.
    Failed,
}
