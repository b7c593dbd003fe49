//! The `io_threads` transport: sockets read and written by tokio on threads of this library, with the owner's thread only
//! queueing output and collecting events.
//!
//! * `worker`: the threads themselves. Counted: the first socket starts one, the last one lets it end.
//! * `task`: the loop on the thread that waits for readiness, reads and writes.
//! * `raw`: one call that tokio marks unsafe.
//!
//! The socket, and what its owner may do with it, is in `socket`.

mod raw;
mod task;
mod worker;

#[cfg(test)]
mod tests;

pub use worker::live_threads;
pub(super) use worker::{Job, Registration};
