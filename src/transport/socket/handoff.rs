//! Rules between the owner of a socket and the I/O thread that drives it: events are announced once until they are collected, and
//! bytes stay in order, because one thread at a time reads. Model-checked by `tests/loom.rs`, so no other part of a socket
//! belongs here.

use super::sync::{Mutex, MutexGuard, lock, yield_now};

/// A socket's state, as far as events are concerned.
pub(super) trait PendingEvents {
    /// True if there are events to collect now.
    fn has_events(&self) -> bool;

    /// True from the announcement of events until the owner collects.
    fn is_announced(&mut self) -> &mut bool;
}

/// Announces a socket with `tell` once if it has events and the owner has not been told. Releases the lock first: an
/// owner that wakes up collects at once.
pub(super) fn announce<S: PendingEvents>(mut state: MutexGuard<'_, S>, tell: impl FnOnce()) {
    if *state.is_announced() || !state.has_events() {
        return;
    }
    *state.is_announced() = true;
    drop(state);
    tell();
}

/// Makes later events be announced again. Returns true if there are events to collect now.
pub(super) fn begin_collecting<S: PendingEvents>(state: &mut S) -> bool {
    *state.is_announced() = false;
    state.has_events()
}

/// A socket's state, as far as reading is concerned.
pub(super) trait Reading {
    /// True while a thread reads whose bytes are the next to be parsed.
    fn is_being_read(&self) -> bool;

    fn set_being_read(&mut self, is_being_read: bool);
}

/// Reads on the I/O thread without holding the lock, which is held again with the result. `source` takes the source
/// under the lock. `None` if there is none any more.
pub(super) fn read_unlocked<S: Reading, F, R>(
    mutex: &Mutex<S>,
    source: impl FnOnce(&S) -> Option<F>,
    read: impl FnOnce(F) -> R,
) -> Option<(MutexGuard<'_, S>, R)> {
    let mut state = lock(mutex);
    let source = source(&state)?;
    debug_assert!(!state.is_being_read(), "one thread at a time reads");
    state.set_being_read(true);
    drop(state);
    let result = read(source);
    let mut state = lock(mutex);
    debug_assert!(state.is_being_read(), "one thread at a time reads");
    state.set_being_read(false);
    Some((state, result))
}

/// Locks when the I/O thread is not reading, for the owner. Reads do not block, so the wait is short.
pub(super) fn lock_unread<S: Reading>(mutex: &Mutex<S>) -> MutexGuard<'_, S> {
    loop {
        let state = lock(mutex);
        if !state.is_being_read() {
            return state;
        }
        drop(state);
        yield_now();
    }
}
