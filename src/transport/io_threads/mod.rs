//! The `io_threads` transport: tokio threads of this library read and write the sockets; the owner's thread
//! only queues output and collects events.
//!
//! * `worker`: the threads, how many run and when they end.
//! * `task`: one socket's loop on its thread: waits for readiness, reads and writes.
//! * `raw`: the one call that is unsafe in tokio.
//!
//! Called by `socket` alone, which has the operations of the owner. No protocol decision belongs here.

mod raw;
mod task;
mod worker;

#[cfg(test)]
mod tests;

pub use worker::live_threads;
pub(super) use worker::{Job, Registration};
