//! Where a connection's bytes come from and go to.
//!
//! * [`stream`]: somebody else moves the bytes (a Node Duplex, through the addon); the connection lives on
//!   the caller's thread.
//! * [`socket`]: a plain socket whose bytes are moved here. Who drives it can change at any time: [`event_loop`], the
//!   owner's thread when its event loop says so, or [`io_threads`], tokio on threads of this library. [`scheduler`] says
//!   which of them a socket is better off with.
//!
//! * [`listener`]: where connections come from: listening sockets, and connections until their opening handshake has been read.
//!
//! `queue`, `ref_count`: between threads. `sync`: what these are made of. [`slab`]: things by number.
//!
//! All drive the same [`Connection`](crate::connection::Connection) and fill the same
//! [`EventBatch`](crate::connection::EventBatch). Backpressure is decided here. What never belongs here:
//! protocol decisions (they are the connection's), Node-API and JavaScript values (they are the addon's).

#[cfg(unix)]
pub mod event_loop;
// The rest of the crate sees no difference: it has the same names.
#[cfg(not(unix))]
#[path = "no_event_loop.rs"]
pub mod event_loop;
#[cfg(unix)]
pub mod io_threads;
#[cfg(unix)]
pub mod listener;
pub mod masking_keys;
#[cfg(unix)]
mod queue;
#[cfg(unix)]
mod ref_count;
pub mod scheduler;
pub mod slab;
#[cfg(unix)]
pub mod socket;
pub mod stream;
#[cfg(unix)]
mod sync;
#[cfg(test)]
#[cfg(unix)]
mod tests;
pub mod transports;

pub use masking_keys::RandomKeys;
