//! Random operations of an owner with either driver, while its peer floods it: nothing may be lost, reordered,
//! delivered twice or left hanging. A failure names its seed.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use super::{Dice, Event, LINK, Link, LoopOwner, Owns, SETUPS, lengths_and_order, pattern};

/// Runs a test once for each seed, over each kind of socket and with each driver in turn.
fn for_seeds(seeds: std::ops::Range<u64>, test: impl Fn(u64, &mut Link<LoopOwner>)) {
    for seed in seeds {
        let setup = SETUPS[(seed % 4) as usize];
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let owner = if seed / 4 % 2 == 0 { LoopOwner::new() } else { LoopOwner::on_threads() };
            let mut link = if seed % 3 == 0 { Link::of(owner, setup) } else { Link::small_of(owner, setup) };
            test(seed, &mut link);
        }));
        assert!(outcome.is_ok(), "seed {seed} over {setup:?} has failed, as said above");
    }
}

/// One random operation. True if a message was queued.
fn act(dice: &mut Dice, link: &mut Link<LoopOwner>, number: usize) -> bool {
    match dice.roll(14) {
        0..=2 => {
            link.queue(&pattern(number, dice.length()));
            return true;
        }
        3 => link.socket.flush(),
        4 => {
            link.socket.write_now();
        }
        5 => link.socket.pause(),
        6 | 7 => link.socket.resume(),
        8 => link.socket.notify(),
        9 => link.socket.cork(dice.roll(3) == 0),
        10 | 11 => link.owner.cycle(),
        12 => {
            link.owner.poll_readiness();
            link.owner.move_bytes(LINK);
        }
        _ => assert!(link.pending() <= link.queued_total()),
    }
    false
}

#[test]
fn nothing_is_lost_in_random_operations() {
    const MESSAGES: usize = 500;
    const ACTIONS: usize = 4000;
    for_seeds(1..17, |seed, link| {
        let mut dice = Dice(seed);
        let (mut writing, mut reading) = (link.peer.second(), link.peer.second());
        thread::scope(|scope| {
            scope.spawn(move || Dice(seed + 100).send_numbered(&mut writing, MESSAGES));
            // Ends with the shutdown of the other end.
            let received = scope.spawn(move || {
                let events: Vec<_> = std::iter::from_fn(|| reading.next_if_any()).collect();
                lengths_and_order(&events)
            });
            let mut sent = 0;
            for _ in 0..ACTIONS {
                sent += usize::from(act(&mut dice, link, sent));
            }
            link.socket.resume();
            link.socket.cork(false);
            let is_message = |event: &&Event| matches!(event, Event::Binary(_));
            while link.owner.seen(LINK).events.iter().filter(is_message).count() < MESSAGES {
                link.owner.wait();
                link.owner.cycle();
            }
            assert_eq!(lengths_and_order(&link.owner.seen(LINK).events), MESSAGES);

            link.socket.notify();
            link.socket.shutdown();
            let total = link.queued_total();
            let seen = link.until(|seen| seen.shut_down == 1 && seen.written.last() >= Some(&total));
            assert!(seen.written.is_sorted());
            assert_eq!(received.join().unwrap(), sent);
        });
        assert_eq!(link.pending(), 0);
    });
}

#[test]
fn a_socket_can_be_destroyed_at_any_moment() {
    for_seeds(100..180, |seed, link| {
        let mut dice = Dice(seed);
        let (mut writing, mut reading) = (link.peer.second(), link.peer.second());
        thread::scope(|scope| {
            // Both continue until the socket is gone.
            scope.spawn(move || {
                let frame = writing.binary_frame(&[1; 700]);
                while writing.stream.write_all(&frame).is_ok() {}
            });
            scope.spawn(move || reading.wait_for_end());
            let mut sent = 0;
            for _ in 0..dice.roll(400) {
                sent += usize::from(act(&mut dice, link, sent));
            }
            if dice.roll(2) == 0 {
                link.socket.pause();
                let Link { owner, socket, .. } = link;
                owner.last_read(socket);
            }
            let Link { owner, socket, .. } = link;
            owner.destroy_socket(socket);
            let told = owner.seen(LINK).events.len();
            owner.cycle();
            assert_eq!(owner.seen(LINK).events.len(), told);
        });
    });
}
