//! The policy on made-up traffic.

use super::{Choice, Move, Policy, Traffic, WINDOW};

/// One socket under `auto`, and the thread of its owner.
struct Scene {
    policy: Policy,
    traffic: Traffic,
    now: u64,
    ran: u64,
    on_thread: bool,
}

impl Scene {
    fn new(cores: usize) -> Self {
        Self { policy: Policy::new(cores, 7), traffic: Traffic::default(), now: 0, ran: 0, on_thread: false }
    }

    /// A window in which the owner's thread runs `busy` percent, and the socket delivers so often so many events.
    /// Returns the moves.
    fn window(&mut self, busy: u64, deliveries: u32, events: u32) -> Vec<Move> {
        self.now += WINDOW;
        self.ran += WINDOW * busy / 100;
        assert!(self.policy.is_due(self.now));
        self.policy.turn(self.now, self.ran);
        assert!(!self.policy.is_due(self.now + WINDOW - 1));
        let mut moves = Vec::new();
        for _ in 0..deliveries {
            let moved = self.policy.delivered(Choice::Auto, self.on_thread, &mut self.traffic, events);
            if let Some(moved) = moved {
                self.on_thread = moved == Move::ToThread;
                moves.push(moved);
            }
        }
        moves
    }
}

#[test]
fn a_rush_moves_to_a_thread_and_comes_back_when_it_is_over() {
    let mut scene = Scene::new(2);
    assert_eq!(scene.window(100, 1000, 16), []);
    assert_eq!(scene.window(100, 1000, 16), [Move::ToThread]);
    // The owner's thread has time now; that alone brings nothing back.
    for _ in 0..5 {
        assert_eq!(scene.window(40, 500, 30), []);
    }
    assert_eq!(scene.window(40, 500, 1), []);
    assert_eq!(scene.window(40, 500, 1), [Move::ToOwner]);
    assert_eq!(scene.window(100, 500, 1), []);
}

#[test]
fn lone_messages_stay_however_busy_the_thread_is() {
    let mut scene = Scene::new(2);
    for _ in 0..5 {
        assert_eq!(scene.window(100, 1000, 1), []);
    }
}

#[test]
fn a_calm_thread_keeps_its_bursts() {
    let mut scene = Scene::new(2);
    for _ in 0..5 {
        assert_eq!(scene.window(50, 1000, 16), []);
    }
}

#[test]
fn one_core_has_no_room_for_a_thread() {
    let mut scene = Scene::new(1);
    for _ in 0..5 {
        assert_eq!(scene.window(100, 1000, 16), []);
    }
}

#[test]
fn what_lies_between_stays_where_it_is() {
    let mut scene = Scene::new(2);
    for _ in 0..3 {
        assert_eq!(scene.window(100, 1000, 3), []);
    }
    scene.window(100, 1000, 16);
    assert_eq!(scene.window(100, 1000, 3), [Move::ToThread]);
    for _ in 0..3 {
        assert_eq!(scene.window(50, 1000, 3), []);
    }
}

#[test]
fn a_silence_is_no_rush() {
    let mut scene = Scene::new(2);
    scene.window(100, 1000, 16);
    scene.window(100, 0, 0);
    assert_eq!(scene.window(100, 1000, 16), []);
    assert_eq!(scene.window(100, 1000, 16), [Move::ToThread]);
    scene.window(10, 0, 0);
    assert_eq!(scene.window(10, 1, 16), [Move::ToOwner]);
    // A window of hours in which the thread ran for hours, too.
    scene.now += 1_000_000 * WINDOW;
    scene.ran += 1_000_000 * WINDOW;
    scene.window(100, 1000, 16);
    assert!(!scene.policy.is_busy);
}

#[test]
fn pins_hold_and_the_shuffle_shuffles() {
    let mut policy = Policy::new(2, 7);
    let mut traffic = Traffic::default();
    for choice in [Choice::EventLoop, Choice::IoThreads] {
        for on_thread in [true, false] {
            assert_eq!(policy.delivered(choice, on_thread, &mut traffic, 100), None);
        }
    }
    let mut moves = [0, 0];
    for _ in 0..1000 {
        match policy.delivered(Choice::Shuffle, true, &mut traffic, 1) {
            Some(Move::ToOwner) => moves[0] += 1,
            None => moves[1] += 1,
            Some(Move::ToThread) => panic!("it is on a thread"),
        }
    }
    assert!(moves[0] > 100 && moves[1] > 500, "{moves:?}");
}
