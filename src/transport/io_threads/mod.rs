//! The `io_threads` transport: tokio threads of this library read and write the sockets; the owner's thread
//! only queues output and collects events.
//!
//! * `threads`: how many run, and when they end. `worker`: one of them, as other threads see it, and the operations that
//!   it needs of a socket.
//! * `task`: one socket's loop on its thread: waits for readiness, reads and writes.
//! * `raw`: the registration of a descriptor with tokio, which is unsafe.
//!
//! Called by `socket`, which has the operations of the owner; the addon reads `live_threads` only. No protocol decision belongs here.

mod raw;
mod task;
mod threads;
mod worker;

#[cfg(test)]
mod tests;

pub use threads::live_threads;
pub(super) use threads::register;
pub(super) use worker::{Driven, Job, Registration};
