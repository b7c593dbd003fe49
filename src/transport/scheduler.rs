//! Which of the two drivers a plain socket is better off with. Numbers in, decisions out: no clock and no socket here;
//! the addon observes, asks, and moves.
//!
//! What decides (measured, see bench/README.md): a message that comes alone costs less on the owner's own thread, because
//! handing it over costs as much as a system call, whoever is busy. Where many come at a time, a thread takes the system calls
//! off the owner's hands, for a little more work in all; that is a gain only if there is a processor with nothing else to
//! do, which nobody tells. So it is tried: when the owner's thread has no time left, the sockets that bring many messages
//! a read move, and stay if more gets done for it. If not, all come back, and the next try is later.

/// How long traffic is watched before it is judged, in nanoseconds: long against one burst, short against a rush.
pub const WINDOW: u64 = 100_000_000;

/// Share of a window that the owner's thread must have been running to count as busy, in percent.
const BUSY: u64 = 85;

/// Windows in a row that it must be busy before anything is tried: 3 seconds, for a decision that may hold for hours. What gets
/// done in the best of them is what a try is compared with.
const RUSH: u32 = 30;

/// Events a read from which on a thread is worth its hand-over.
const MANY: u32 = 4;

/// Events a delivery below which it no longer is. Well under `MANY`: a load in between stays where it is.
const FEW: u32 = 2;

/// Reads in a window that make a socket worth moving at all.
const ENOUGH: u32 = 16;

/// Windows of a try that are not judged: in the first sockets move, in the second they settle.
const SETTLING: u32 = 2;

/// What must get done after a move, in percent of what got done before: more by more than the noise of two windows.
const GAIN: u64 = 110;

/// Or as much, if the owner's thread has won so much of a window for other work, in percent.
const RELIEF: u64 = 30;
const AS_MUCH: u64 = 97;

/// Windows until the next try after one that was in vain, the first time and at most: 6 seconds, and a minute.
const PATIENCE: u32 = 60;
const LONGEST_PATIENCE: u32 = 600;

/// Which driver a connection has, as its user has said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportMode {
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
pub enum Migration {
    /// To an I/O thread.
    ToIoThread,
    /// Back to the owner's event loop.
    ToEventLoop,
}

/// The traffic of one socket in the present window.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    window: u32,
    deliveries: u32,
    events: u32,
}

/// What an owner's thread did in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Work {
    /// Events delivered, as many as a second would have brought.
    events: u64,
    /// Percent of the window that it ran.
    busy: u64,
}

impl Work {
    const NONE: Self = Self { events: 0, busy: 0 };
}

/// Where the sockets of an owner are meant to be that bring many messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// With the owner, whose thread has been busy for so many windows. Until a window nothing is tried.
    Home { until: u32, busy_for: u32, best: Work },
    /// On threads, since this window, to see whether more gets done than before.
    Trying { since: u32, before: Work },
    /// On threads, where more gets done.
    Away,
}

/// What one owner's thread is judged by, and all its sockets with it.
#[derive(Clone, Copy, Debug)]
pub struct Scheduler {
    /// Whether there is a core for a thread.
    has_second_core: bool,
    window: u32,
    begun_at: u64,
    begun_with: u64,
    /// Events delivered in this window, and by threads of those.
    events: u64,
    events_of_threads: u64,
    phase: Phase,
    patience: u32,
    shuffle: u32,
}

impl Scheduler {
    /// For an owner on a machine of so many cores. `seed` makes the moments of [`TransportMode::Shuffle`].
    pub fn new(cores: usize, seed: u32) -> Self {
        Self {
            has_second_core: cores > 1,
            window: 0,
            begun_at: 0,
            begun_with: 0,
            events: 0,
            events_of_threads: 0,
            phase: Phase::Home { until: 0, busy_for: 0, best: Work::NONE },
            patience: PATIENCE,
            shuffle: seed | 1,
        }
    }

    /// Whether the window is over at `now`, nanoseconds of any clock.
    pub fn is_due(&self, now: u64) -> bool {
        now.wrapping_sub(self.begun_at) >= WINDOW
    }

    /// Begins the next window. `running`: nanoseconds that the owner's thread has run on a processor so far.
    pub fn end_window(&mut self, now: u64, running: u64) {
        let (passed, ran) = (now.wrapping_sub(self.begun_at).max(1), running.wrapping_sub(self.begun_with));
        let work = Work {
            events: self.events.saturating_mul(1_000_000_000) / passed,
            busy: ran.saturating_mul(100) / passed,
        };
        // After a long silence the window says nothing about now.
        let is_telling = passed < 2 * WINDOW;
        let is_deserted = self.events_of_threads == 0;
        (self.begun_at, self.begun_with) = (now, running);
        (self.events, self.events_of_threads) = (0, 0);
        self.window = self.window.wrapping_add(1);

        match self.phase {
            Phase::Home { until, busy_for, best } if is_telling && work.busy >= BUSY => {
                let (busy_for, best) = (busy_for + 1, if work.events > best.events { work } else { best });
                self.phase = if busy_for >= RUSH && self.window >= until {
                    Phase::Trying { since: self.window, before: best }
                } else {
                    Phase::Home { until, busy_for, best }
                };
            }
            Phase::Home { until, .. } => self.phase = Phase::Home { until, busy_for: 0, best: Work::NONE },
            // Nobody wanted to move, or the rush is over: no judgment.
            Phase::Trying { since, .. } if is_deserted && self.window > since + 1 => self.go_home(0),
            Phase::Trying { since, before } if self.window > since + SETTLING => self.judge(before, work),
            Phase::Away if is_deserted => {
                self.patience = PATIENCE;
                self.go_home(0);
            }
            Phase::Trying { .. } | Phase::Away => {}
        }
    }

    fn judge(&mut self, before: Work, after: Work) {
        let reaches =
            |percent: u64| after.events.saturating_mul(100) >= before.events.saturating_mul(percent);
        if reaches(GAIN) || (reaches(AS_MUCH) && after.busy + RELIEF <= before.busy) {
            self.phase = Phase::Away;
        } else {
            self.go_home(self.patience);
            self.patience = (2 * self.patience).min(LONGEST_PATIENCE);
        }
    }

    fn go_home(&mut self, windows: u32) {
        let until = self.window.saturating_add(windows);
        self.phase = Phase::Home { until, busy_for: 0, best: Work::NONE };
    }

    /// A delivery brought `events` events from a socket that is on a thread or not. What is to be done with it.
    pub fn on_delivery(
        &mut self,
        choice: TransportMode,
        on_thread: bool,
        traffic: &mut Traffic,
        events: u32,
    ) -> Option<Migration> {
        self.events += u64::from(events);
        match choice {
            TransportMode::EventLoop | TransportMode::IoThreads => None,
            TransportMode::Shuffle => self.throws().then_some(if on_thread {
                Migration::ToEventLoop
            } else {
                Migration::ToIoThread
            }),
            TransportMode::Auto => {
                self.events_of_threads += if on_thread { u64::from(events) } else { 0 };
                let last = *traffic;
                let is_new = last.window != self.window;
                if is_new {
                    *traffic = Traffic { window: self.window, ..Traffic::default() };
                }
                traffic.deliveries += 1;
                traffic.events += events;
                match (on_thread, self.phase) {
                    (true, Phase::Home { .. }) => Some(Migration::ToEventLoop),
                    (true, _) => (is_new && self.is_calm(last)).then_some(Migration::ToEventLoop),
                    (false, Phase::Home { .. }) => None,
                    (false, _) => (is_new && self.is_rush(last)).then_some(Migration::ToIoThread),
                }
            }
        }
    }

    /// Whether a socket was silent or brought few messages in the window before this one.
    fn is_calm(&self, last: Traffic) -> bool {
        !self.was_active(last) || last.events < FEW * last.deliveries
    }

    /// Whether a socket brought many messages in the window before this one.
    fn is_rush(&self, last: Traffic) -> bool {
        self.has_second_core && self.was_active(last) && last.events >= MANY * last.deliveries
    }

    fn was_active(&self, last: Traffic) -> bool {
        last.window.wrapping_add(1) == self.window && last.deliveries >= ENOUGH
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
#[path = "scheduler_tests.rs"]
mod tests;
