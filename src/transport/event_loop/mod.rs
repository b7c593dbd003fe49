//! The `event_loop` transport: sockets that are read, parsed, delivered and written on their owner's own thread, in the callbacks of
//! its event loop. Nothing here blocks. An I/O thread takes part only through the mailbox.
//!
//! [`EventLoop`] moves the bytes of one owner: a JavaScript environment, or a test. It is generic over a [`Host`], which has the loop,
//! the memory and the consumer of events. The host calls [`EventLoop::before_poll`], [`EventLoop::on_readable`],
//! [`EventLoop::on_wake`] and [`EventLoop::after_poll`] in the phases of its loop; commands come through the methods of [`Transport`](super::transports::Transport).
//!
//! * `event_loop`: the sockets of an owner, flushing, and the end. `cycle`: the phases of the loop. `commands`: operations on
//!   one transport.
//! * `poller`: one epoll or kqueue instance for all sockets. `connection`: the state of one active connection.
//! * `idle`: connections with nothing in flight, and the sweep that finds them.
//! * `payload_arena`, `large_frame`: memory that large messages are received into. `output`, `payloads`: writing, and memory that they are sent from.
//! * `timers`: looks at connections with time limits, and their pings.
//! * `closable_waker`: wake-ups from other threads. `adopt`: sockets that become connections. `accept`, `listener_handle`: listening sockets.
//!
//! Not here: Node-API, libuv, and any clock or random source but those of the host.

mod accept;
mod adopt;
mod closable_waker;
mod commands;
mod connection;
mod cycle;
#[allow(clippy::module_inception, reason = "the type that the folder is about")]
mod event_loop;
mod idle;
mod large_frame;
mod listener_handle;
mod output;
mod payload_arena;
mod payloads;
mod poller;
mod timers;

use std::any::Any;
use std::cell::RefMut;

use crate::connection::MaskingKeys;
use crate::transport::listener::AcceptedConnection;
use crate::transport::socket::{SocketEvents, WRITE_TURN, Wake};

pub use adopt::{AdoptRequest, Source};
pub use closable_waker::ClosableWaker;
pub use commands::{HandedBackEvents, SocketCommand};
pub use connection::{ActiveConnection, InPlace};
pub use event_loop::EventLoop;
pub use idle::IdleConnection;
#[cfg(test)]
pub(in crate::transport) use large_frame::LARGE_FRAME_TURN;
pub use listener_handle::ListenerHandle;
pub use output::SEND_IN_PLACE_FROM;
pub use payload_arena::ARENA_SIZE;
pub use poller::{Poller, Readiness};

/// Outcome of one [`Host::deliver`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The consumer is done with this batch.
    Done,
    /// The consumer is to be called again for the rest: it failed, or lets other tasks run first.
    Again,
    /// The consumer cannot be called any more; the owner is ending.
    Ended,
}

/// The handles by which an owner's loop calls its event loop.
pub trait LoopControl {
    /// Wakes the loop from any thread.
    fn waker(&self) -> Box<dyn Wake>;

    /// Chooses whether the handles keep the loop alive.
    fn set_ref(&self, on: bool);

    /// Chooses whether the loop calls [`EventLoop::before_poll`] and then polls without blocking. Does nothing where it does not poll
    /// for the event loop.
    fn poll_without_blocking(&self, _on: bool) {}

    /// Closes the handles; `closed` is dropped when the loop has let go of them.
    fn close(self: Box<Self>, closed: Box<dyn Any>);
}

/// Services that an owner's event loop provides to its [`EventLoop`]. All methods are called on the owner's thread.
pub trait Host: Sized {
    /// Bytes that one connection writes before others follow. Tests have a smaller number.
    const WRITE_TURN: usize = WRITE_TURN;

    /// Memory of one large frame, which the consumer keeps as the message; or memory of the consumer that holds a payload to be sent.
    type Memory;
    /// Consumer of connections accepted by one listening socket.
    type Server: Clone;
    /// Access to the consumer of events, valid during [`Host::with_scope`].
    type Scope<'a>;

    /// True if events can be delivered. False from the moment on at which descriptors may be closed by the host.
    fn is_running(&self) -> bool;

    /// Runs `deliver` with access to the consumer, or not at all if the owner is ending.
    fn with_scope(&self, deliver: impl FnOnce(&Self::Scope<'_>));

    /// Moves events into the memory that the consumer reads, as many as fit. Returns the number of records. `in_place` is the
    /// memory that messages received in place lie in.
    fn write_batch(&self, events: &mut SocketEvents, in_place: Option<&InPlace<Self::Memory>>) -> u32;

    /// Calls the consumer with the `count` records of a connection that were written last.
    fn deliver(&self, scope: &Self::Scope<'_>, id: u32, count: u32) -> Delivered;

    /// A connection is idle from now on: memory for its deliveries can be freed.
    fn note_idle(&self, _id: u32) {}

    /// Sends the messages that the consumer has left in memory of the host. Called after each delivery.
    fn send_queued(&self, _event_loop: &EventLoop<Self>) {}

    /// Allocates memory for a frame of `length` bytes. `None` if there is none.
    fn allocate(&self, length: usize) -> Option<Self::Memory>;

    /// Runs `access` on memory, as long as it is now. `None` if the owner is ending.
    fn with_memory<R>(&self, memory: &Self::Memory, access: impl FnOnce(&mut [u8]) -> R) -> Option<R>;

    /// Runs `access` on the [`ARENA_SIZE`] bytes of the payload arena.
    fn with_arena<R>(&self, access: impl FnOnce(&mut [u8]) -> R) -> R;

    /// Masking keys for frames that a client sends.
    fn masking_keys(&self) -> RefMut<'_, impl MaskingKeys>;

    /// Nanoseconds since any fixed moment.
    fn now(&self) -> u64;

    /// True if the host's loop reports the end of a stream in the cycle of the bytes before it when both sides have ended. Otherwise
    /// the end follows one cycle later, as it always does while one side is open.
    fn reports_end_with_bytes(&self) -> bool;

    /// True if new connections of this listening socket are to be passed on without reading a request from them. Called before
    /// connections are accepted.
    fn should_fall_back(&self, server: &Self::Server) -> bool;

    /// Passes accepted connections to the consumer, in order. One that it cannot be told of is rejected with `reject`; `is_ended`
    /// is to be asked before each of them.
    fn deliver_accepted(
        &self,
        accepted: Vec<AcceptedConnection<Self::Server>>,
        is_ended: impl Fn() -> bool,
        reject: impl Fn(u32),
    );
}
