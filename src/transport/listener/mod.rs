//! Listening sockets on an owner's event loop. Accepts connections and reads each until its request is
//! complete, then gives it to the owner with the bytes that were read. Requests other than plain WebSocket
//! upgrades (`protocol::handshake` decides) go to the owner, too, which has a response written
//! ([`Listeners::answer`]) or passes the connection to a fallback that speaks HTTP.
//!
//! * [`Listeners`]: the listening sockets of one owner and their connections.
//! * `bind`: one listening socket. `accept`: accepts from it. `request_reader`: reads one connection's
//!   request.
//!
//! | state of a connection | descriptor | ends when |
//! |---|---|---|
//! | pending: its request is being read | closed by `Listeners` | the request is complete, or it falls back; it is closed if the peer ends it without a byte or resets it |
//! | accepted: reported to the owner, not read | closed by `Listeners` | the owner calls `take` or `release`, and closes it from then on, or `discard`, or `answer`, which closes or keeps it |
//! | kept: waits for another request | closed by `Listeners` | bytes come, which make it accepted; it is closed if the peer ends or resets it, or by `close_kept` |
//!
//! A connection costs its descriptor and an entry of 32 bytes, and while its request is incomplete a buffer,
//! bounded by the longest head. Called by the owner, on its thread. No protocol decision and no JavaScript
//! belongs here.

mod accept;
mod bind;
mod listeners;
mod request_reader;

pub use bind::ListeningSocket;
pub use listeners::{Listeners, PendingOnClose, PollContext};
pub use request_reader::{AcceptedConnection, FallbackReason, Request};

#[cfg(test)]
mod tests;
