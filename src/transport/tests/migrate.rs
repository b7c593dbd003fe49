//! Migration in the middle of everything: nothing is lost or delivered twice, and requests are answered. The end of
//! migrated sockets is in `leaving`.

use std::thread;

use super::{
    Event, Family, LINK, Link, LoopOwner, Owns, Peer, SETUPS, key_of, opposite, pair, pattern, text,
    wait_until,
};
use crate::protocol::Role;
use crate::transport::socket::{INBOUND_HIGH_WATER, Socket};

const MEGABYTE: usize = 1024 * 1024;

/// Migrates to the other driver.
pub(super) fn swap(link: &mut Link<LoopOwner>) {
    if link.owner.is_on_thread(LINK) {
        link.owner.migrate_to_event_loop(LINK);
    } else {
        link.owner.migrate_to_thread(LINK);
    }
}

/// Runs a test from either driver.
pub(super) fn from_both(
    make: impl Fn((Family, Role)) -> Link<LoopOwner>,
    mut test: impl FnMut(&mut Link<LoopOwner>),
) {
    for setup in SETUPS {
        for on_thread in [false, true] {
            let mut link = make(setup);
            if on_thread {
                link.owner.migrate_to_thread(LINK);
            }
            test(&mut link);
        }
    }
}

/// Waits until the driver has served the socket, unless it is blocked or corked: output that only the driver writes
/// has arrived.
fn let_drive(link: &mut Link<LoopOwner>) {
    link.send(b"turn");
    assert_eq!(link.peer.next(), Event::Binary(b"turn".to_vec()));
}

#[test]
fn messages_go_both_ways_after_each_migration() {
    from_both(Link::new, |link| {
        for round in 1..=20 {
            link.peer.send_text("to the owner");
            let seen = link.until(|seen| seen.events.len() == round);
            assert_eq!(seen.events[round - 1], text("to the owner"));
            link.send(b"to the peer");
            assert_eq!(link.peer.next(), Event::Binary(b"to the peer".to_vec()));
            swap(link);
        }
    });
}

#[test]
fn unflushed_output_leaves_with_a_migration() {
    from_both(Link::new, |link| {
        for number in 0..4 {
            link.queue(&[number]);
            swap(link);
            assert_eq!(link.peer.next(), Event::Binary(vec![number]));
        }
    });
}

#[test]
fn only_a_thread_answers_pings() {
    from_both(Link::new, |link| {
        for round in 1..=6_u8 {
            link.peer.ping(&[round]);
            if link.owner.is_on_thread(LINK) {
                assert_eq!(link.peer.next(), Event::Pong(vec![round]));
            }
            let seen = link.until(|seen| seen.events.len() == usize::from(round));
            assert_eq!(seen.events.last(), Some(&Event::Ping(vec![round])));
            // Nothing else was on its way.
            let_drive(link);
            swap(link);
        }
    });
}

#[test]
fn a_message_cut_by_migrations_is_whole() {
    from_both(Link::new, |link| {
        let frame = link.peer.binary_frame(b"in pieces");
        for (sent, byte) in frame.iter().enumerate() {
            link.peer.write(&[*byte]);
            wait_until(|| {
                link.owner.cycle();
                link.socket.bytes_read() == sent as u64 + 1
            });
            swap(link);
        }
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Binary(b"in pieces".to_vec())]);
    });
}

#[test]
fn an_uncollected_head_survives_a_migration() {
    for (family, role) in SETUPS {
        let (ours, theirs) = pair(family);
        let bytes = Peer::new(theirs.try_clone().unwrap(), opposite(role)).framed(|core| {
            core.send(false, true, key_of(opposite(role)), b"whole");
            core.send(false, true, key_of(opposite(role)), b"cut");
        });
        let (head, rest) = bytes.split_at(bytes.len() - 2);
        let mut link = Link::<LoopOwner>::over((ours, theirs), role, head);
        link.owner.migrate_to_thread(LINK);
        link.peer.write(rest);
        assert_eq!(link.until(|seen| seen.events.len() == 2).events, [text("whole"), text("cut")]);
        assert_eq!(link.socket.bytes_read(), bytes.len() as u64);
    }
}

#[test]
fn uncollected_events_are_delivered_after_a_migration() {
    from_both(Link::new, |link| {
        for round in 1..=4 {
            link.peer.send_text("read, not collected");
            wait_until(|| {
                link.owner.poll_readiness();
                link.owner.move_bytes(LINK);
                link.socket.interest().deliver
            });
            swap(link);
            assert_eq!(link.until(|seen| seen.events.len() == round).events.len(), round);
        }
    });
}

#[test]
fn blocked_output_goes_on_with_the_other_driver() {
    for moves in [1, 2, 3] {
        from_both(Link::small, |link| {
            link.queue(&pattern(1, 2 * MEGABYTE));
            link.socket.notify();
            let total = link.queued_total();
            link.socket.watch_drain(MEGABYTE as u64);
            assert_ne!(link.socket.write_now(), 0);
            for _ in 0..moves {
                swap(link);
            }
            // Also output that is queued while it is blocked.
            link.send(b"last");
            assert!(link.pending() > 0);
            let mut reading = link.peer.second();
            thread::scope(|scope| {
                scope.spawn(move || {
                    assert!(reading.next() == Event::Binary(pattern(1, 2 * MEGABYTE)));
                    assert_eq!(reading.next(), Event::Binary(b"last".to_vec()));
                });
                let seen = link.until(|seen| seen.drained == 1 && !seen.written.is_empty());
                let [written] = seen.written[..] else { panic!("told {:?}", seen.written) };
                assert!(written >= total, "{written} of {total}");
            });
            assert_eq!(link.pending(), 0);
        });
    }
}

#[test]
fn output_stays_in_order_across_migrations() {
    const MESSAGES: usize = 40;
    from_both(Link::small, |link| {
        let mut reading = link.peer.second();
        thread::scope(|scope| {
            let received = scope.spawn(move || {
                (0..MESSAGES).all(|number| reading.next() == Event::Binary(pattern(number, 150_000)))
            });
            for number in 0..MESSAGES {
                link.send(&pattern(number, 150_000));
                link.socket.notify();
                swap(link);
                link.owner.cycle();
            }
            let total = link.queued_total();
            let seen = link.until(|seen| seen.written.last() == Some(&total));
            assert!(seen.written.is_sorted(), "{:?}", seen.written);
            assert!(received.join().unwrap());
        });
        assert_eq!(link.pending(), 0);
    });
}

#[test]
fn a_pause_survives_migrations() {
    from_both(Link::new, |link| {
        let_drive(link);
        link.socket.pause();
        link.peer.send_text("unread");
        for _ in 0..3 {
            swap(link);
            let_drive(link);
            link.owner.cycle();
            assert_eq!(link.socket.bytes_read(), 0);
        }
        link.socket.resume();
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [text("unread")]);
    });
}

#[test]
fn the_other_driver_holds_paused_events_back() {
    from_both(Link::new, |link| {
        link.peer.send_text("read");
        wait_until(|| {
            link.owner.poll_readiness();
            link.owner.move_bytes(LINK);
            link.socket.interest().deliver
        });
        link.socket.pause();
        for _ in 0..2 {
            swap(link);
            let_drive(link);
            link.owner.cycle();
            assert!(link.owner.seen(LINK).events.is_empty());
        }
        link.socket.resume();
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [text("read")]);
    });
}

#[test]
fn a_cork_survives_migrations() {
    from_both(Link::new, |link| {
        link.socket.cork(true);
        for number in 0..3 {
            link.send(&[number]);
            swap(link);
        }
        // The automatic pongs of a thread are held back, too.
        assert_eq!(link.socket.write_now(), link.queued_total());
        link.socket.cork(false);
        for number in 0..3 {
            assert_eq!(link.peer.next(), Event::Binary(vec![number]));
        }
    });
}

#[test]
fn a_cork_over_blocked_output_survives_migrations() {
    from_both(Link::small, |link| {
        link.queue(&pattern(1, MEGABYTE));
        assert_ne!(link.socket.write_now(), 0);
        link.socket.cork(true);
        link.socket.notify();
        let first = link.queued_total();
        link.send(b"held back");
        swap(link);
        let mut reading = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || assert!(reading.next() == Event::Binary(pattern(1, MEGABYTE))));
            assert_eq!(link.until(|seen| !seen.written.is_empty()).written, [first]);
        });
        swap(link);
        assert_eq!(link.socket.write_now(), link.queued_total() - first);
        link.socket.cork(false);
        assert_eq!(link.peer.next(), Event::Binary(b"held back".to_vec()));
    });
}

#[test]
fn the_high_water_mark_holds_for_the_other_driver() {
    const MESSAGES: usize = 2000;
    from_both(Link::small, |link| {
        let bytes = link.peer.binary_frame(&[1; 1000]).repeat(MESSAGES);
        let mut peer = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || peer.write(&bytes));
            let is_full = |socket: &Socket| !socket.interest().read;
            wait_until(|| {
                link.owner.poll_readiness();
                link.owner.move_bytes(LINK);
                is_full(&link.socket)
            });
            let read = link.socket.bytes_read();
            assert!(read > INBOUND_HIGH_WATER as u64 * 9 / 10);
            for _ in 0..2 {
                swap(link);
                let_drive(link);
                link.owner.poll_readiness();
                link.owner.move_bytes(LINK);
                assert_eq!(link.socket.bytes_read(), read);
            }
            link.until(|seen| seen.events.len() == MESSAGES);
        });
    });
}

#[test]
fn a_flood_is_read_whole_across_migrations() {
    const LENGTHS: [usize; 6] = [0, 1_500_000, 7, 60_000, 65_536, 200];
    const ROUNDS: usize = 12;
    from_both(Link::new, |link| {
        let mut peer = link.peer.second();
        let length = |number: usize| LENGTHS[number % LENGTHS.len()];
        thread::scope(|scope| {
            scope.spawn(move || {
                for number in 0..ROUNDS * LENGTHS.len() {
                    let frame = peer.binary_frame(&pattern(number, length(number)));
                    peer.write(&frame);
                }
            });
            let mut moves = 0;
            while link.owner.seen(LINK).events.len() < ROUNDS * LENGTHS.len() {
                swap(link);
                moves += 1;
                link.owner.cycle();
                if moves % 8 == 0 && link.owner.seen(LINK).events.len() < ROUNDS * LENGTHS.len() {
                    link.owner.wait();
                }
            }
            assert!(moves > ROUNDS, "only {moves} moves");
        });
        for (number, event) in link.owner.seen(LINK).events.iter().enumerate() {
            assert!(*event == Event::Binary(pattern(number, length(number))), "message {number}");
        }
    });
}

#[test]
fn migrations_that_a_thread_never_sees_leave_the_socket_with_its_owner() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        for _ in 0..200 {
            link.owner.migrate_to_thread(LINK);
            link.owner.migrate_to_event_loop(LINK);
        }
        link.peer.ping(b"?");
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Ping(b"?".to_vec())]);
        let_drive(&mut link);
        let Link { owner, socket, .. } = &mut link;
        owner.destroy_socket(socket);
        link.peer.wait_for_end();
    }
}
