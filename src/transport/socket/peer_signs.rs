//! Signs of the peer of a socket from which nothing has been received for a while. Called by the owner's event loop for the rare look
//! at such a socket (`event_loop::timers`), which decides.

use std::time::Duration;

use super::read::has_input;
use super::send_queue::unacknowledged;
use super::{Idle, Socket, lock};

impl Socket {
    /// True if reading is paused.
    pub fn is_paused(&self) -> bool {
        lock(&self.state).paused
    }

    /// Time since an I/O thread has last read bytes. `None` if it has not since the last call, or does not note it.
    pub fn take_last_read(&self) -> Option<Duration> {
        lock(&self.state).last_read_at.take().map(|at| at.elapsed())
    }

    /// True if received bytes can be read.
    pub fn has_input(&self) -> bool {
        lock(&self.state).owner_fd.as_ref().is_some_and(|fd| has_input(&fd.socket()))
    }

    /// Bytes of the output that the peer's system has acknowledged, as far as known.
    pub fn acknowledged(&self) -> u64 {
        // A thread that is writing would move bytes between the two numbers.
        let _writer = self.lock_writer();
        let state = lock(&self.state);
        let held = state.owner_fd.as_ref().map_or(0, |fd| unacknowledged(&*fd.socket()));
        state.connection.written_total().saturating_sub(held)
    }
}

impl Idle {
    /// As [`Socket::has_input`](super::Socket::has_input).
    pub fn has_input(&self) -> bool {
        has_input(&self.fd.socket())
    }

    /// As [`Socket::acknowledged`](super::Socket::acknowledged).
    pub fn acknowledged(&self) -> u64 {
        self.written.saturating_sub(unacknowledged(&*self.fd.socket()))
    }
}
