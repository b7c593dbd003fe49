//! The policy on made-up traffic.

use super::{LONGEST_PATIENCE, Migration, PATIENCE, RUSH, Scheduler, Traffic, TransportMode, WINDOW};

/// One socket under `auto`, and the thread of its owner.
struct Scene {
    scheduler: Scheduler,
    traffic: Traffic,
    now: u64,
    ran: u64,
    on_thread: bool,
}

impl Scene {
    fn new(cores: usize) -> Self {
        Self {
            scheduler: Scheduler::new(cores, 7),
            traffic: Traffic::default(),
            now: 0,
            ran: 0,
            on_thread: false,
        }
    }

    /// A window in which the socket delivers so often so many events, and at the end of which the owner's thread has run
    /// `busy` percent of it. Returns the moves.
    fn window(&mut self, busy: u64, deliveries: u32, events: u32) -> Vec<Migration> {
        let mut moves = Vec::new();
        for _ in 0..deliveries {
            let decided =
                self.scheduler.on_delivery(TransportMode::Auto, self.on_thread, &mut self.traffic, events);
            if let Some(decided) = decided {
                self.on_thread = decided == Migration::ToIoThread;
                moves.push(decided);
            }
        }
        self.now += WINDOW;
        self.ran += WINDOW * busy / 100;
        assert!(self.scheduler.is_due(self.now));
        self.scheduler.end_window(self.now, self.ran);
        assert!(!self.scheduler.is_due(self.now + WINDOW - 1));
        moves
    }

    /// A rush up to the moment at which a try has settled.
    fn try_it(&mut self) {
        for _ in 0..RUSH {
            assert_eq!(self.window(100, 1000, 16), []);
        }
        assert_eq!(self.window(100, 1000, 16), [Migration::ToIoThread]);
        assert_eq!(self.window(40, 1000, 16), []);
    }
}

#[test]
fn a_rush_stays_on_the_thread_where_more_gets_done_until_it_is_over() {
    let mut scene = Scene::new(2);
    scene.try_it();
    for _ in 0..50 {
        assert_eq!(scene.window(40, 1000, 18), []);
    }
    assert_eq!(scene.window(40, 500, 1), []);
    assert_eq!(scene.window(40, 500, 1), [Migration::ToEventLoop]);
    assert_eq!(scene.window(40, 500, 1), []);
    // And the next one is tried at once.
    scene.try_it();
}

#[test]
fn time_for_the_owner_is_a_gain_too() {
    let mut scene = Scene::new(2);
    scene.try_it();
    for _ in 0..10 {
        assert_eq!(scene.window(60, 1000, 16), []);
    }
}

#[test]
fn a_try_in_vain_ends_and_the_next_one_is_later_and_later() {
    let mut scene = Scene::new(2);
    scene.try_it();
    let mut patience = PATIENCE;
    for _ in 0..8 {
        // Less gets done: all cores had work already.
        assert_eq!(scene.window(40, 1000, 12), []);
        assert_eq!(scene.window(100, 1000, 16), [Migration::ToEventLoop]);
        for _ in 0..patience.max(RUSH) - 1 {
            assert_eq!(scene.window(100, 1000, 16), []);
        }
        assert_eq!(scene.window(100, 1000, 16), [Migration::ToIoThread]);
        assert_eq!(scene.window(40, 1000, 16), []);
        patience = (2 * patience).min(LONGEST_PATIENCE);
    }
}

#[test]
fn lone_messages_stay_however_busy_the_thread_is() {
    let mut scene = Scene::new(2);
    for _ in 0..3 * RUSH {
        assert_eq!(scene.window(100, 1000, 1), []);
    }
}

#[test]
fn a_calm_thread_keeps_its_bursts() {
    let mut scene = Scene::new(2);
    for _ in 0..3 * RUSH {
        assert_eq!(scene.window(50, 1000, 16), []);
    }
}

#[test]
fn a_short_rush_is_sat_out() {
    let mut scene = Scene::new(2);
    for _ in 0..5 {
        for _ in 0..RUSH - 1 {
            assert_eq!(scene.window(100, 1000, 16), []);
        }
        assert_eq!(scene.window(50, 1000, 16), []);
    }
}

#[test]
fn one_core_has_no_room_for_a_thread() {
    let mut scene = Scene::new(1);
    for _ in 0..3 * RUSH {
        assert_eq!(scene.window(100, 1000, 16), []);
    }
}

#[test]
fn what_lies_between_stays_where_it_is() {
    let mut scene = Scene::new(2);
    for _ in 0..3 * RUSH {
        assert_eq!(scene.window(100, 1000, 3), []);
    }
    let mut scene = Scene::new(2);
    scene.try_it();
    assert_eq!(scene.window(40, 1000, 18), []);
    for _ in 0..5 {
        assert_eq!(scene.window(50, 1000, 3), []);
    }
}

#[test]
fn a_silence_is_no_rush() {
    let mut scene = Scene::new(2);
    scene.window(10, 1000, 16);
    // A window of hours in which the thread ran for hours, too.
    scene.now += 1_000_000 * WINDOW;
    scene.ran += 1_000_000 * WINDOW;
    assert_eq!(scene.window(100, 1000, 16), []);
    assert_eq!(scene.window(10, 1000, 16), []);
    scene.try_it();
    assert_eq!(scene.window(40, 1000, 18), []);
    scene.window(10, 0, 0);
    assert_eq!(scene.window(10, 1, 16), [Migration::ToEventLoop]);
}

#[test]
fn pins_hold_and_the_shuffle_shuffles() {
    let mut scheduler = Scheduler::new(2, 7);
    let mut traffic = Traffic::default();
    for choice in [TransportMode::EventLoop, TransportMode::IoThreads] {
        for on_thread in [true, false] {
            assert_eq!(scheduler.on_delivery(choice, on_thread, &mut traffic, 100), None);
        }
    }
    let mut moves = [0, 0];
    for _ in 0..1000 {
        match scheduler.on_delivery(TransportMode::Shuffle, true, &mut traffic, 1) {
            Some(Migration::ToEventLoop) => moves[0] += 1,
            None => moves[1] += 1,
            Some(Migration::ToIoThread) => unreachable!("it is on a thread"),
        }
    }
    assert!(moves[0] > 100 && moves[1] > 500, "{moves:?}");
}
