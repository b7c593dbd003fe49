//! Random operations of an owner while its peer sends: no event may be lost, reordered or delayed forever.

use std::io::Write;
use std::thread;

use super::{Dice, Event, Link, SETUPS, lengths_and_order, pattern};

/// Runs one random operation of an owner. Returns `true` if it queued a message.
fn act(dice: &mut Dice, link: &mut Link, number: usize) -> bool {
    match dice.roll(12) {
        0..=2 => {
            link.queue(&pattern(number, dice.length()));
            return true;
        }
        3 | 4 => link.socket.flush(),
        5 => {
            link.socket.write_now();
        }
        6 => link.socket.pause(),
        7 | 8 => link.socket.resume(),
        9 => link.socket.notify(),
        10 => {
            link.owner.collect();
        }
        _ => assert!(link.pending() <= link.queued_total()),
    }
    false
}

#[test]
fn nothing_is_lost_whatever_the_owner_does() {
    const MESSAGES: usize = 600;
    const ACTIONS: usize = 4000;
    for (seed, setup) in (1..).zip(SETUPS) {
        let mut link = if seed % 2 == 0 { Link::new(setup) } else { Link::small(setup) };
        let mut dice = Dice(seed);
        let (mut writing, mut reading) = (link.peer.second(), link.peer.second());
        thread::scope(|scope| {
            scope.spawn(move || Dice(seed + 100).send_numbered(&mut writing, MESSAGES));
            // Ends with the shutdown of this end.
            let received = scope.spawn(move || {
                let events: Vec<_> = std::iter::from_fn(|| reading.next_if_any()).collect();
                lengths_and_order(&events)
            });

            let mut sent = 0;
            for _ in 0..ACTIONS {
                sent += usize::from(act(&mut dice, &mut link, sent));
            }
            link.socket.resume();
            let is_message = |event: &&Event| matches!(event, Event::Binary(_));
            let seen = link.until(|seen| seen.events.iter().filter(is_message).count() == MESSAGES);
            assert_eq!(lengths_and_order(&seen.events), MESSAGES);

            link.socket.notify();
            link.socket.shutdown();
            let total = link.queued_total();
            let seen = link.until(|seen| seen.shut_down == 1 && seen.written.last() >= Some(&total));
            assert!(seen.written.is_sorted());
            assert_eq!(received.join().unwrap(), sent);
        });
    }
}

#[test]
fn a_socket_can_be_destroyed_at_any_moment() {
    for round in 0..80 {
        let mut dice = Dice(round);
        let setup = SETUPS[dice.roll(4)];
        let mut link = if dice.roll(2) == 0 { Link::new(setup) } else { Link::small(setup) };
        let (mut writing, mut reading) = (link.peer.second(), link.peer.second());
        thread::scope(|scope| {
            // Both threads end when the socket is destroyed.
            scope.spawn(move || {
                let frame = writing.binary_frame(&[1; 700]);
                while writing.stream.write_all(&frame).is_ok() {}
            });
            scope.spawn(move || reading.wait_for_end());
            let mut sent = 0;
            for _ in 0..dice.roll(400) {
                sent += usize::from(act(&mut dice, &mut link, sent));
            }
            if dice.roll(2) == 0 {
                link.socket.pause();
                link.owner.last_read(&link.socket);
            }
            link.socket.destroy();
            let events = link.owner.seen(7).events.len();
            link.owner.collect();
            assert_eq!(link.owner.seen(7).events.len(), events);
        });
    }
}
