//! Bytes stay in order while a socket goes from one driver to another: a thread reads without holding the lock, and until
//! what it has got is parsed, nobody else reads. What is read, and what is done with it, is in `receive`.

use super::sync::{Mutex, MutexGuard, lock, yield_now};

/// What is read by one thread at a time.
pub(super) trait Reading {
    /// A thread is reading, and what it gets is the next to be parsed.
    fn is_being_read(&self) -> bool;

    fn set_being_read(&mut self, is_being_read: bool);
}

/// How a read without the lock went.
pub(super) enum Unlocked<'a, S, R> {
    /// It gave this. The lock is held again, and nobody has read since.
    Read(MutexGuard<'a, S>, R),
    /// The thread that had the socket before is still at it.
    Busy,
    /// This thread may not read.
    Refused,
}

/// Reads without holding the lock. `source` says what from, under the lock; `None` if this thread may not read.
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
    state.set_being_read(false);
    Unlocked::Read(state, result)
}

/// Locks when no thread is reading. None waits for anything while it does, so that is in a moment.
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
