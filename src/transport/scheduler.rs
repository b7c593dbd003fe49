//! Decides which driver a plain socket gets: the owner's event loop or an I/O thread. Pure arithmetic: the
//! caller passes in times and traffic and carries out the migrations. No clock, socket or thread belongs
//! here.
//!
//! The rule (measured, see bench/README.md): a message that comes alone costs less on the owner's thread,
//! because handing it over costs as much as a system call, however busy either thread is. With many messages
//! per read, a thread takes the system calls off the owner, for slightly more work in total. That is a gain
//! only if a core is idle, which no system call reports. So it is tried: when the owner's thread is
//! saturated, sockets that bring many messages per read migrate to threads, and stay if throughput rises. If
//! not, all of them return, and each further trial is delayed longer.

/// Length of an observation window in nanoseconds: long compared to a burst, short compared to a sustained
/// load.
pub const WINDOW: u64 = 100_000_000;

/// CPU time of the owner's thread, in percent of a window, from which on it counts as busy.
const BUSY_PERCENT: u64 = 85;

/// Busy windows in a row before a trial: 3 seconds, for a decision that may hold for hours. The best of them
/// is the trial's baseline.
const BUSY_WINDOWS: u32 = 30;

/// Events per delivery from which on a socket is worth a thread.
const MANY_EVENTS: u32 = 4;

/// Events per delivery below which it no longer is. Well under [`MANY_EVENTS`]: a load between the two does
/// not migrate.
const FEW_EVENTS: u32 = 2;

/// Deliveries in a window below which a socket counts as inactive.
const MIN_DELIVERIES: u32 = 16;

/// Windows of a trial that are not judged: sockets migrate in the first and adapt in the second.
const SETTLING_WINDOWS: u32 = 2;

/// Throughput of a successful trial, in percent of the baseline: above the noise of two windows.
const GAIN_PERCENT: u64 = 110;

/// A trial also succeeds if throughput stays at this percentage of the baseline...
const EQUAL_PERCENT: u64 = 97;

/// ... while CPU time of this share of a window, in percent, became free on the owner's thread.
const RELIEF_PERCENT: u64 = 30;

/// Windows between a failed trial and the next, doubled with each failure: 6 seconds to a minute.
const MIN_BACKOFF: u32 = 60;
const MAX_BACKOFF: u32 = 600;

/// The transport that the user has chosen for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportMode {
    /// The scheduler decides.
    Auto,
    /// Always the owner's event loop.
    EventLoop,
    /// Always an I/O thread.
    IoThreads,
    /// Migrates at pseudo-random moments, for tests.
    Shuffle,
}

impl TransportMode {
    /// The mode that JavaScript knows by this number.
    pub fn from_number(number: u32) -> Self {
        match number {
            1 => Self::EventLoop,
            2 => Self::IoThreads,
            3 => Self::Shuffle,
            _ => Self::Auto,
        }
    }
}

/// A change of a socket's driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migration {
    /// From the event loop to an I/O thread.
    ToIoThread,
    /// From an I/O thread back to the event loop.
    ToEventLoop,
}

/// The traffic of one socket in the window in which it was last active.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    window: u32,
    deliveries: u32,
    events: u32,
}

/// The work of an owner's thread in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Work {
    /// Events delivered per second.
    events: u64,
    /// CPU time in percent of the window.
    busy: u64,
}

impl Work {
    const NONE: Self = Self { events: 0, busy: 0 };
}

/// The driver that sockets with many messages per read get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// On the event loop. A trial may begin in window `not_before`, after enough busy windows in a row;
    /// `best` is the best of these.
    EventLoop { not_before: u32, busy_windows: u32, best: Work },
    /// On threads since window `since`, to compare throughput with the baseline.
    Trial { since: u32, baseline: Work },
    /// On threads, where throughput is higher.
    IoThreads,
}

/// The scheduler of one owner: judges its thread, and through that all its sockets.
#[derive(Clone, Copy, Debug)]
pub struct Scheduler {
    has_second_core: bool,
    window: u32,
    /// Time and CPU time at the beginning of the window.
    started_at: u64,
    cpu_time_at_start: u64,
    /// Events delivered in this window, and those of them that came from threads.
    events: u64,
    events_of_threads: u64,
    phase: Phase,
    backoff: u32,
    random: u32,
}

impl Scheduler {
    /// A scheduler for a machine with this number of cores. `seed` determines the moments of
    /// [`TransportMode::Shuffle`].
    pub fn new(cores: usize, seed: u32) -> Self {
        Self {
            has_second_core: cores > 1,
            window: 0,
            started_at: 0,
            cpu_time_at_start: 0,
            events: 0,
            events_of_threads: 0,
            phase: Phase::EventLoop { not_before: 0, busy_windows: 0, best: Work::NONE },
            backoff: MIN_BACKOFF,
            // xorshift never leaves zero.
            random: seed | 1,
        }
    }

    /// True if the window is over at `now`, in nanoseconds of any monotonic clock.
    pub fn is_due(&self, now: u64) -> bool {
        now.wrapping_sub(self.started_at) >= WINDOW
    }

    /// Ends the window, judges it and begins the next. `cpu_time`: nanoseconds of CPU time of the owner's
    /// thread so far.
    pub fn end_window(&mut self, now: u64, cpu_time: u64) {
        let passed = now.wrapping_sub(self.started_at).max(1);
        let ran = cpu_time.wrapping_sub(self.cpu_time_at_start);
        let work = Work {
            events: self.events.saturating_mul(1_000_000_000) / passed,
            busy: ran.saturating_mul(100) / passed,
        };
        // A window that was ended late, after a pause, says nothing about the present load.
        let is_representative = passed < 2 * WINDOW;
        let threads_are_idle = self.events_of_threads == 0;
        (self.started_at, self.cpu_time_at_start) = (now, cpu_time);
        (self.events, self.events_of_threads) = (0, 0);
        self.window = self.window.wrapping_add(1);

        match self.phase {
            Phase::EventLoop { not_before, busy_windows, best }
                if is_representative && work.busy >= BUSY_PERCENT =>
            {
                let busy_windows = busy_windows + 1;
                let best = if work.events > best.events { work } else { best };
                self.phase = if busy_windows >= BUSY_WINDOWS && self.window >= not_before {
                    Phase::Trial { since: self.window, baseline: best }
                } else {
                    Phase::EventLoop { not_before, busy_windows, best }
                };
            }
            Phase::EventLoop { not_before, .. } => {
                self.phase = Phase::EventLoop { not_before, busy_windows: 0, best: Work::NONE };
            }
            // No socket qualified, or the load is over: not a failed trial.
            Phase::Trial { since, .. } if threads_are_idle && self.window > since + 1 => {
                self.return_to_event_loop(0);
            }
            Phase::Trial { since, baseline } if self.window > since + SETTLING_WINDOWS => {
                self.judge(baseline, work);
            }
            Phase::IoThreads if threads_are_idle => {
                self.backoff = MIN_BACKOFF;
                self.return_to_event_loop(0);
            }
            Phase::Trial { .. } | Phase::IoThreads => {}
        }
    }

    fn judge(&mut self, baseline: Work, trial: Work) {
        let reaches =
            |percent: u64| trial.events.saturating_mul(100) >= baseline.events.saturating_mul(percent);
        let is_relieved = trial.busy + RELIEF_PERCENT <= baseline.busy;
        if reaches(GAIN_PERCENT) || (reaches(EQUAL_PERCENT) && is_relieved) {
            self.phase = Phase::IoThreads;
        } else {
            self.return_to_event_loop(self.backoff);
            self.backoff = (2 * self.backoff).min(MAX_BACKOFF);
        }
    }

    fn return_to_event_loop(&mut self, backoff: u32) {
        let not_before = self.window.saturating_add(backoff);
        self.phase = Phase::EventLoop { not_before, busy_windows: 0, best: Work::NONE };
    }

    /// Counts a delivery of `events` events from a socket and returns the migration that the socket is due
    /// for.
    pub fn on_delivery(
        &mut self,
        mode: TransportMode,
        on_thread: bool,
        traffic: &mut Traffic,
        events: u32,
    ) -> Option<Migration> {
        self.events += u64::from(events);
        match mode {
            TransportMode::EventLoop | TransportMode::IoThreads => None,
            TransportMode::Shuffle => self.one_in_four().then_some(if on_thread {
                Migration::ToEventLoop
            } else {
                Migration::ToIoThread
            }),
            TransportMode::Auto => {
                self.events_of_threads += if on_thread { u64::from(events) } else { 0 };
                let last = *traffic;
                let is_first_of_window = last.window != self.window;
                if is_first_of_window {
                    *traffic = Traffic { window: self.window, ..Traffic::default() };
                }
                traffic.deliveries += 1;
                traffic.events += events;
                match (on_thread, self.phase) {
                    (true, Phase::EventLoop { .. }) => Some(Migration::ToEventLoop),
                    (true, _) => {
                        (is_first_of_window && self.had_few_events(last)).then_some(Migration::ToEventLoop)
                    }
                    (false, Phase::EventLoop { .. }) => None,
                    (false, _) => {
                        (is_first_of_window && self.had_many_events(last)).then_some(Migration::ToIoThread)
                    }
                }
            }
        }
    }

    /// True if the socket was inactive or brought few events per delivery in the last window.
    fn had_few_events(&self, last: Traffic) -> bool {
        !self.was_active(last) || last.events < FEW_EVENTS * last.deliveries
    }

    /// True if the socket brought many events per delivery in the last window, and a core may be idle.
    fn had_many_events(&self, last: Traffic) -> bool {
        self.has_second_core && self.was_active(last) && last.events >= MANY_EVENTS * last.deliveries
    }

    fn was_active(&self, last: Traffic) -> bool {
        last.window.wrapping_add(1) == self.window && last.deliveries >= MIN_DELIVERIES
    }

    /// True with a probability of one in four. Xorshift: fast, and need not be unpredictable.
    fn one_in_four(&mut self) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random.is_multiple_of(4)
    }
}

#[cfg(test)]
#[path = "scheduler_tests.rs"]
mod tests;
