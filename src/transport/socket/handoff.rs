//! Rules by which a socket passes between its owner and an I/O thread: its events are announced once until they are collected, and its
//! bytes stay in order, because one thread at a time reads. Model-checked by `tests/loom.rs`, so this knows nothing else of a socket.

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

/// Outcome of a read without the lock.
pub(super) enum Unlocked<'a, S, R> {
    /// The result. The lock is held again, and no other thread has read since.
    Read(MutexGuard<'a, S>, R),
    /// The thread that drove the socket before is still reading.
    Busy,
    /// This thread may not read.
    Refused,
}

/// Reads without holding the lock. `source` takes the source under the lock; `None` if this thread may not read.
pub(super) fn read_unlocked<S: Reading, F, R>(
    mutex: &Mutex<S>,
    source: impl FnOnce(&S) -> Option<F>,
    read: impl FnOnce(F) -> R,
) -> Unlocked<'_, S, R> {
    let mut state = lock(mutex);
    let Some(source) = source(&state) else { return Unlocked::Refused };
    if state.is_being_read() {
        return Unlocked::Busy;
    }
    state.set_being_read(true);
    drop(state);
    let result = read(source);
    let mut state = lock(mutex);
    debug_assert!(state.is_being_read(), "one thread at a time reads");
    state.set_being_read(false);
    Unlocked::Read(state, result)
}

/// Locks when no thread is reading. Reads do not block, so the wait is short.
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
