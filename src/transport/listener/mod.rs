//! The `listener` transport: where an owner's connections come from. It accepts them, on the owner's event loop, and reads
//! each until it is known what it wants; then the owner gets it, with what was read. What a request to upgrade is, `protocol::handshake` says;
//! whatever is none goes to the owner, too, which leaves it to somebody who speaks HTTP. Nothing is ever written here.
//!
//! * [`Listeners`]: all of it, for one owner. * `bind`: a listening socket. * `accept`: from the listening socket.
//! * `request_reader`: a connection that has not said yet what it wants.
//!
//! A connection before its handshake costs its descriptor and an entry of some 32 bytes here; a buffer only while its head is
//! incomplete, bounded by the longest head.

mod accept;
mod bind;
mod listeners;
mod request_reader;

pub use bind::ListeningSocket;
pub use listeners::{Listeners, PendingOnClose, PollContext};
pub use request_reader::{AcceptedConnection, FallbackReason, Request};

#[cfg(test)]
mod tests;
