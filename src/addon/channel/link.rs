//! Where a connection's bytes go, what is offered to be such a place, and what is counted there.

use std::rc::Rc;

use crate::addon::sockets::{Attachment, Resting};
use crate::connection::Connection as Core;
use crate::transport::scheduler::TransportMode;
use crate::transport::stream::Stream;

/// Where a socket is that a connection takes over.
#[derive(Clone, Copy)]
pub(in crate::addon) enum Source<'a> {
    /// Node has parked it, and keeps the descriptor.
    Parked(i32),
    /// It is held under this number since it came by a listening socket, and this is to be written to it first.
    Held { number: u32, response: &'a [u8] },
}

/// What [`Channel::attached`](super::Channel::attached) takes over.
pub(in crate::addon) struct Offer<'a> {
    pub(in crate::addon) source: Source<'a>,
    /// What was read from it behind the opening handshake.
    pub(in crate::addon) head: &'a [u8],
    /// The number of the connection, which `deliver` gets.
    pub(in crate::addon) id: u32,
    pub(in crate::addon) choice: TransportMode,
}

/// What only a socket that was taken over does.
#[derive(Clone, Copy)]
pub(in crate::addon) enum SocketCommand {
    /// Write what is queued from this thread, as far as the kernel takes it now.
    WriteNow,
    /// Tell once all that is queued now has been accepted by the kernel.
    Notify,
    /// Stop reading and delivering.
    Pause,
    /// Undo that.
    Resume,
    /// Hand over the received bytes as they came, too.
    Tap,
    /// Hold the output back, or let it go again.
    Cork(bool),
    /// Send a FIN after all that is queued.
    Shutdown,
}

impl SocketCommand {
    /// Whether it is done already where nothing is in flight.
    pub(super) fn is_idle(self) -> bool {
        matches!(self, Self::WriteNow | Self::Resume | Self::Cork(false))
    }
}

/// Where the connection's bytes go.
pub(in crate::addon) enum Link {
    Stream(Box<Stream>),
    /// A socket that was taken over.
    Socket(Rc<Attachment>),
    /// Such a one with nothing in flight.
    Resting(Resting),
    /// Destroyed; what is still answered.
    Gone(Totals),
}

/// Running totals of bytes.
#[derive(Clone, Copy, Default)]
pub(in crate::addon) struct Totals {
    /// Ever queued.
    pub(in crate::addon) queued: u64,
    /// Ever accepted by the kernel or the stream.
    pub(in crate::addon) written: u64,
    /// Ever received.
    pub(in crate::addon) read: u64,
}

impl Totals {
    /// Queued and not yet accepted.
    pub(in crate::addon) fn pending(&self) -> u64 {
        self.queued.saturating_sub(self.written)
    }

    pub(super) fn of_output(core: &Core) -> Self {
        Self { queued: core.queued_total(), written: core.written_total(), read: 0 }
    }
}
