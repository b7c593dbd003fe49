//! Where a connection's bytes come from and go to.
//!
//! * [`stream`]: somebody else moves the bytes (a Node Duplex, through the addon); the connection lives on
//!   the caller's thread.
//! * [`io_threads`]: the bytes of a plain socket are moved here, by tokio on threads of this library, and
//!   events are put into a mailbox for the environment that owns the connection.
//!
//! Both drive the same [`Connection`](crate::connection::Connection) and fill the same
//! [`EventBatch`](crate::connection::EventBatch). Backpressure is decided here. What never belongs here:
//! protocol decisions (they are the connection's), Node-API and JavaScript values (they are the addon's).

#[cfg(unix)]
pub mod io_threads;
pub mod masking_keys;
pub mod stream;

pub use masking_keys::RandomKeys;
