//! The scheduler on simulated traffic.

use super::{BUSY_WINDOWS, MAX_BACKOFF, MIN_BACKOFF, Migration, Scheduler, Traffic, TransportMode, WINDOW};

/// One socket in mode `Auto`, and its owner's thread.
struct Simulation {
    scheduler: Scheduler,
    traffic: Traffic,
    now: u64,
    cpu_time: u64,
    on_thread: bool,
}

impl Simulation {
    fn new(cores: usize) -> Self {
        let (scheduler, traffic) = (Scheduler::new(cores, 7), Traffic::default());
        Self { scheduler, traffic, now: 0, cpu_time: 0, on_thread: false }
    }

    /// A window with this number of deliveries, of `events` events each, in which the owner's thread uses
    /// `busy` percent of the time. Returns the migrations.
    fn window(&mut self, busy: u64, deliveries: u32, events: u32) -> Vec<Migration> {
        let mut migrations = Vec::new();
        for _ in 0..deliveries {
            let migration =
                self.scheduler.on_delivery(TransportMode::Auto, self.on_thread, &mut self.traffic, events);
            if let Some(migration) = migration {
                self.on_thread = migration == Migration::ToIoThread;
                migrations.push(migration);
            }
        }
        self.now += WINDOW;
        self.cpu_time += WINDOW * busy / 100;
        assert!(self.scheduler.is_due(self.now));
        self.scheduler.end_window(self.now, self.cpu_time);
        assert!(!self.scheduler.is_due(self.now + WINDOW - 1));
        migrations
    }

    /// Saturates the owner's thread until a trial has begun and settled.
    fn start_trial(&mut self) {
        for _ in 0..BUSY_WINDOWS {
            assert_eq!(self.window(100, 1000, 16), []);
        }
        assert_eq!(self.window(100, 1000, 16), [Migration::ToIoThread]);
        assert_eq!(self.window(40, 1000, 16), []);
    }
}

#[test]
fn a_successful_trial_lasts_until_the_load_is_over() {
    let mut simulation = Simulation::new(2);
    simulation.start_trial();
    for _ in 0..50 {
        assert_eq!(simulation.window(40, 1000, 18), []);
    }
    assert_eq!(simulation.window(40, 500, 1), []);
    assert_eq!(simulation.window(40, 500, 1), [Migration::ToEventLoop]);
    assert_eq!(simulation.window(40, 500, 1), []);
    // The next trial is not delayed.
    simulation.start_trial();
}

#[test]
fn a_trial_succeeds_by_relieving_the_owners_thread() {
    let mut simulation = Simulation::new(2);
    simulation.start_trial();
    for _ in 0..10 {
        assert_eq!(simulation.window(60, 1000, 16), []);
    }
}

#[test]
fn each_failed_trial_delays_the_next_one_longer() {
    let mut simulation = Simulation::new(2);
    simulation.start_trial();
    let mut backoff = MIN_BACKOFF;
    for _ in 0..8 {
        // Throughput drops: every core was busy already.
        assert_eq!(simulation.window(40, 1000, 12), []);
        assert_eq!(simulation.window(100, 1000, 16), [Migration::ToEventLoop]);
        for _ in 0..backoff.max(BUSY_WINDOWS) - 1 {
            assert_eq!(simulation.window(100, 1000, 16), []);
        }
        assert_eq!(simulation.window(100, 1000, 16), [Migration::ToIoThread]);
        assert_eq!(simulation.window(40, 1000, 16), []);
        backoff = (2 * backoff).min(MAX_BACKOFF);
    }
}

#[test]
fn single_messages_stay_on_a_saturated_thread() {
    let mut simulation = Simulation::new(2);
    for _ in 0..3 * BUSY_WINDOWS {
        assert_eq!(simulation.window(100, 1000, 1), []);
    }
}

#[test]
fn bursts_stay_on_a_thread_that_is_not_busy() {
    let mut simulation = Simulation::new(2);
    for _ in 0..3 * BUSY_WINDOWS {
        assert_eq!(simulation.window(50, 1000, 16), []);
    }
}

#[test]
fn a_short_saturation_starts_no_trial() {
    let mut simulation = Simulation::new(2);
    for _ in 0..5 {
        for _ in 0..BUSY_WINDOWS - 1 {
            assert_eq!(simulation.window(100, 1000, 16), []);
        }
        assert_eq!(simulation.window(50, 1000, 16), []);
    }
}

#[test]
fn a_single_core_never_starts_a_trial() {
    let mut simulation = Simulation::new(1);
    for _ in 0..3 * BUSY_WINDOWS {
        assert_eq!(simulation.window(100, 1000, 16), []);
    }
}

#[test]
fn a_load_between_the_thresholds_does_not_migrate() {
    let mut simulation = Simulation::new(2);
    for _ in 0..3 * BUSY_WINDOWS {
        assert_eq!(simulation.window(100, 1000, 3), []);
    }
    let mut simulation = Simulation::new(2);
    simulation.start_trial();
    assert_eq!(simulation.window(40, 1000, 18), []);
    for _ in 0..5 {
        assert_eq!(simulation.window(50, 1000, 3), []);
    }
}

#[test]
fn a_pause_does_not_count_as_load() {
    let mut simulation = Simulation::new(2);
    simulation.window(10, 1000, 16);
    // A window of hours, in which the thread used hours of CPU time.
    simulation.now += 1_000_000 * WINDOW;
    simulation.cpu_time += 1_000_000 * WINDOW;
    assert_eq!(simulation.window(100, 1000, 16), []);
    assert_eq!(simulation.window(10, 1000, 16), []);
    simulation.start_trial();
    assert_eq!(simulation.window(40, 1000, 18), []);
    simulation.window(10, 0, 0);
    assert_eq!(simulation.window(10, 1, 16), [Migration::ToEventLoop]);
}

#[test]
fn fixed_modes_never_migrate_and_shuffle_migrates_often() {
    let mut scheduler = Scheduler::new(2, 7);
    let mut traffic = Traffic::default();
    for mode in [TransportMode::EventLoop, TransportMode::IoThreads] {
        for on_thread in [true, false] {
            assert_eq!(scheduler.on_delivery(mode, on_thread, &mut traffic, 100), None);
        }
    }
    let mut counts = [0, 0];
    for _ in 0..1000 {
        match scheduler.on_delivery(TransportMode::Shuffle, true, &mut traffic, 1) {
            Some(Migration::ToEventLoop) => counts[0] += 1,
            None => counts[1] += 1,
            Some(Migration::ToIoThread) => unreachable!("the socket is on a thread"),
        }
    }
    assert!(counts[0] > 100 && counts[1] > 500, "{counts:?}");
}
