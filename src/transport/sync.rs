//! What the small pieces that several threads use (`queue`, `leases`, `socket::news`, `socket::reading`) are made of. They
//! name nothing else of the standard library's, so that `tests/loom.rs` can put loom's in its place and check the same
//! source in every order in which threads may run.

pub(super) use std::sync::atomic::{AtomicUsize, Ordering};
pub(super) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
pub(super) use std::thread::yield_now;

/// Locks, and goes on with the data as it is after a panic elsewhere: a connection whose task panicked is
/// ended with a fault (see `io_threads::task`), the others must live on.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
