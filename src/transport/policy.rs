//! Which of the two drivers a plain socket is better off with. Numbers in, decisions out: no clock and no socket here;
//! the addon observes, asks, and moves.
//!
//! What decides (measured, see bench/README.md): a message that comes alone costs less on the owner's own thread, because
//! handing it over costs as much as a system call, whoever is busy. Messages that come many at a time are cheaper on
//! a thread, and above all leave the owner's thread to its owner. So a socket moves when both hold, for a while: the owner's
//! thread has no time left, and this socket brings many messages a read. It comes back when it no longer brings many.

/// How long traffic is watched before it is judged, in nanoseconds: long against one burst, short against a rush.
pub const WINDOW: u64 = 100_000_000;

/// Share of a window that the owner's thread must have been running to count as busy, in percent.
const BUSY: u64 = 85;

/// Events a read from which on a thread is worth its hand-over.
const MANY: u32 = 4;

/// Events a delivery below which it no longer is. Well under `MANY`: a load in between stays where it is.
const FEW: u32 = 2;

/// Reads in a window that make a socket worth moving at all.
const ENOUGH: u32 = 16;

/// Which driver a connection has, as its user has said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// As this policy says.
    Auto,
    /// Always the owner's event loop.
    EventLoop,
    /// Always an I/O thread.
    IoThreads,
    /// Another one again and again, at moments that nobody foresees: for tests.
    Shuffle,
}

/// Whom a socket is to be given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// To an I/O thread.
    ToThread,
    /// Back to the owner's event loop.
    ToOwner,
}

/// The traffic of one socket in the present window.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    window: u32,
    deliveries: u32,
    events: u32,
}

/// What one owner's thread is judged by, and all its sockets with it.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Whether there is a core for a thread.
    has_spare_core: bool,
    window: u32,
    begun_at: u64,
    begun_with: u64,
    is_busy: bool,
    shuffle: u32,
}

impl Policy {
    /// For an owner on a machine of so many cores. `seed` makes the moments of [`Choice::Shuffle`].
    pub fn new(cores: usize, seed: u32) -> Self {
        Self { has_spare_core: cores > 1, window: 0, begun_at: 0, begun_with: 0, is_busy: false, shuffle: seed | 1 }
    }

    /// Whether the window is over at `now`, nanoseconds of any clock.
    pub fn is_due(&self, now: u64) -> bool {
        now.wrapping_sub(self.begun_at) >= WINDOW
    }

    /// Begins the next window. `running`: nanoseconds that the owner's thread has run on a processor so far.
    pub fn turn(&mut self, now: u64, running: u64) {
        let (passed, ran) = (now.wrapping_sub(self.begun_at), running.wrapping_sub(self.begun_with));
        // After a long silence the window says nothing about now.
        self.is_busy = passed < 2 * WINDOW && ran.saturating_mul(100) >= passed.saturating_mul(BUSY);
        (self.begun_at, self.begun_with) = (now, running);
        self.window = self.window.wrapping_add(1);
    }

    /// A delivery brought `events` events from a socket that is on a thread or not. What is to be done with it.
    pub fn delivered(&mut self, choice: Choice, on_thread: bool, traffic: &mut Traffic, events: u32) -> Option<Move> {
        match choice {
            Choice::EventLoop | Choice::IoThreads => None,
            Choice::Shuffle => self.throws().then_some(if on_thread { Move::ToOwner } else { Move::ToThread }),
            Choice::Auto => {
                let judged = (traffic.window != self.window).then(|| self.judge(on_thread, *traffic));
                if judged.is_some() {
                    *traffic = Traffic { window: self.window, ..Traffic::default() };
                }
                traffic.deliveries += 1;
                traffic.events += events;
                judged.flatten()
            }
        }
    }

    fn judge(&self, on_thread: bool, Traffic { window, deliveries, events }: Traffic) -> Option<Move> {
        // A socket that was silent for more than a window is calm.
        let is_rush = window.wrapping_add(1) == self.window && deliveries >= ENOUGH;
        if on_thread {
            return (!is_rush || events < FEW * deliveries).then_some(Move::ToOwner);
        }
        let leaves = is_rush && self.is_busy && self.has_spare_core && events >= MANY * deliveries;
        leaves.then_some(Move::ToThread)
    }

    /// Once in four times, by a xorshift generator: it must be quick and nobody's secret.
    fn throws(&mut self) -> bool {
        self.shuffle ^= self.shuffle << 13;
        self.shuffle ^= self.shuffle >> 17;
        self.shuffle ^= self.shuffle << 5;
        self.shuffle.is_multiple_of(4)
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
