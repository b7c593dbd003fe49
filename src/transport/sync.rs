//! Synchronization primitives of the modules that several threads share (`queue`, `ref_count`,
//! `socket::handoff`). These modules must take them from here and not from the standard
//! library: `tests/loom.rs` compiles the same source with loom's primitives and checks every interleaving.

pub(super) use std::sync::atomic::{AtomicUsize, Ordering};
pub(super) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
pub(super) use std::thread::yield_now;

/// Locks a mutex and ignores poisoning: a connection whose task panicked ends with a fault (see
/// `io_threads::task`), and the others go on.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
