//! The `io_threads` transport: a plain TCP or Unix socket, read and written by tokio on threads of this
//! library, with the owner's thread only queueing output and collecting events.
//!
//! A received byte goes `task` (reads the descriptor) -> connection -> [`Inbox`] -> [`Mailbox`] -> owner.
//! A sent one goes owner -> connection's output -> `writer` (writes the descriptor).
//!
//! * `shard`: the threads themselves. Counted: the first socket starts one, the last one lets it end.
//! * `socket`: one socket's shared state and everything its owner may do with it.
//! * `task`: the loop on the thread that waits for readiness and reads.
//! * `last_read`: what is still read of a paused socket when it is destroyed.
//! * `writer`: the only place that writes to a descriptor.
//! * `raw`: one call that tokio marks unsafe.
//! * `inbox`, `mailbox`: what waits for the owner, and how it is told (push, wake once, drain many).
//!
//! Lock order: `writer` or a shard's `scratch`, then `state`, then a mailbox or a job queue. No lock that the owner
//! waits for is held while it is woken, and no JavaScript ever runs under one.

mod inbox;
mod last_read;
mod mailbox;
mod raw;
mod shard;
mod socket;
mod task;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use inbox::{Fault, Inbox};
pub use mailbox::{Mailbox, Wake};
pub use shard::live_threads;
pub use socket::Socket;

/// Undelivered inbound bytes above which a socket is not read until its owner has collected them. Large enough
/// for a busy owner to find work each time it looks, small enough that 1,000 stalled connections cost 256 MiB.
pub const INBOUND_HIGH_WATER: usize = 256 * 1024;

/// Pending output from which on the owner is told (`drained`) when all of it has gone out: the default
/// high-water mark of a Node stream, so that `'drain'` fires as users of `net.Socket` expect.
pub const OUTBOUND_HIGH_WATER: u64 = 16 * 1024;

/// Locks, and goes on with the data as it is after a panic elsewhere: a connection whose task panicked is
/// ended with a fault (see `task`), the others must live on.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
