//! The transports: what moves a connection's bytes. Backpressure is decided here.
//!
//! * [`stream`]: the caller moves the bytes (a Node Duplex, through the addon).
//! * [`socket`]: a plain socket, driven by the owner's [`event_loop`] or by an I/O thread of [`io_threads`]. The
//!   driver can change at any time; [`scheduler`] decides.
//! * [`transports`]: the transports of an owner by connection id.
//! * [`listener`]: listening sockets, and connections until their opening handshake has been read.
//! * `queue`, `ref_count`: between threads. `sync`: the primitives of these. [`slab`]: values by number.
//!
//! All drive the same [`Connection`](crate::connection::Connection) and fill the same
//! [`EventBatch`](crate::connection::EventBatch). Not here: protocol decisions, Node-API and JavaScript values.

#[cfg(unix)]
pub mod event_loop;
// Same names, nothing behind them.
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
