//! Sockets of an event loop that it or an I/O thread drives: the same events and the same bytes. Their ends are in
//! `ending`.

use std::thread;

use super::{
    Event, Family, LINK, Link, LoopOwner, Peer, SETUPS, key_of, opposite, pair, pattern, text, wait_until,
};
use crate::protocol::Role;

const MEGABYTE: usize = 1024 * 1024;

/// Runs a test with either driver.
pub(super) fn with_both(
    make: impl Fn(LoopOwner, (Family, Role)) -> Link<LoopOwner>,
    mut test: impl FnMut(&mut Link<LoopOwner>),
) {
    for setup in SETUPS {
        for owner in [LoopOwner::new(), LoopOwner::on_threads()] {
            test(&mut make(owner, setup));
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
fn messages_go_both_ways() {
    with_both(Link::of, |link| {
        for round in 1..=20 {
            link.peer.send_text("to the owner");
            let seen = link.until(|seen| seen.events.len() == round);
            assert_eq!(seen.events[round - 1], text("to the owner"));
            link.send(b"to the peer");
            assert_eq!(link.peer.next(), Event::Binary(b"to the peer".to_vec()));
        }
    });
}

#[test]
fn only_a_thread_answers_pings() {
    with_both(Link::of, |link| {
        for round in 1..=6_u8 {
            link.peer.ping(&[round]);
            if link.owner.is_on_thread(LINK) {
                assert_eq!(link.peer.next(), Event::Pong(vec![round]));
            }
            let seen = link.until(|seen| seen.events.len() == usize::from(round));
            assert_eq!(seen.events.last(), Some(&Event::Ping(vec![round])));
            // Nothing else was on its way.
            let_drive(link);
        }
    });
}

#[test]
fn a_message_that_arrives_byte_by_byte_is_whole() {
    with_both(Link::of, |link| {
        let frame = link.peer.binary_frame(b"in pieces");
        for (sent, byte) in frame.iter().enumerate() {
            link.peer.write(&[*byte]);
            wait_until(|| {
                link.owner.cycle();
                link.socket.bytes_read() == sent as u64 + 1
            });
        }
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Binary(b"in pieces".to_vec())]);
    });
}

#[test]
fn a_head_precedes_later_input() {
    for (family, role) in SETUPS {
        for owner in [LoopOwner::new(), LoopOwner::on_threads()] {
            let (ours, theirs) = pair(family);
            let bytes = Peer::new(theirs.try_clone().unwrap(), opposite(role)).framed(|core| {
                core.send(false, true, key_of(opposite(role)), b"whole");
                core.send(false, true, key_of(opposite(role)), b"cut");
            });
            let (head, rest) = bytes.split_at(bytes.len() - 2);
            let mut link = Link::adopted(owner, (ours, theirs), role, head);
            link.peer.write(rest);
            assert_eq!(link.until(|seen| seen.events.len() == 2).events, [text("whole"), text("cut")]);
            assert_eq!(link.socket.bytes_read(), bytes.len() as u64);
        }
    }
}

#[test]
fn a_socket_adopted_paused_is_not_read_until_resumed() {
    for (family, role) in SETUPS {
        for create in [LoopOwner::new, LoopOwner::on_threads] {
            for has_head in [true, false] {
                let (ours, theirs) = pair(family);
                let mut peer = Peer::new(theirs.try_clone().unwrap(), opposite(role));
                let head = if has_head { peer.binary_frame(b"head") } else { Vec::new() };
                peer.send_text("early");
                let mut link = Link::adopted(create().paused(), (ours, theirs), role, &head);
                for _ in 0..3 {
                    let_drive(&mut link);
                    link.owner.cycle();
                }
                assert_eq!(link.socket.bytes_read(), head.len() as u64);
                assert_eq!(link.owner.seen(LINK).events, []);

                link.socket.resume();
                let count = 1 + usize::from(has_head);
                let seen = link.until(|seen| seen.events.len() == count);
                assert_eq!(seen.events[count - 1], text("early"));
                assert!(!has_head || seen.events[0] == Event::Binary(b"head".to_vec()));
            }
        }
    }
}

#[test]
fn blocked_output_goes_on_when_it_can() {
    with_both(Link::small_of, |link| {
        link.queue(&pattern(1, 2 * MEGABYTE));
        link.socket.notify();
        let total = link.queued_total();
        link.socket.watch_drain(MEGABYTE as u64);
        // The owner writes first, and the driver the rest.
        assert_ne!(link.socket.write_now(), 0);
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

#[test]
fn output_of_owner_and_driver_stays_in_order() {
    const MESSAGES: usize = 40;
    with_both(Link::small_of, |link| {
        let mut reading = link.peer.second();
        thread::scope(|scope| {
            let received = scope.spawn(move || {
                (0..MESSAGES).all(|number| reading.next() == Event::Binary(pattern(number, 150_000)))
            });
            for number in 0..MESSAGES {
                link.send(&pattern(number, 150_000));
                link.socket.notify();
                // Writes on this thread, beside an I/O thread.
                link.socket.write_now();
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
fn a_cork_holds_back_output_behind_blocked_output() {
    with_both(Link::small_of, |link| {
        link.queue(&pattern(1, MEGABYTE));
        assert_ne!(link.socket.write_now(), 0);
        link.socket.cork(true);
        link.socket.notify();
        let first = link.queued_total();
        link.send(b"held back");
        let mut reading = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || assert!(reading.next() == Event::Binary(pattern(1, MEGABYTE))));
            assert_eq!(link.until(|seen| !seen.written.is_empty()).written, [first]);
        });
        assert_eq!(link.socket.write_now(), link.queued_total() - first);
        link.socket.cork(false);
        assert_eq!(link.peer.next(), Event::Binary(b"held back".to_vec()));
    });
}

#[test]
fn a_thread_answers_no_ping_before_those_of_the_owner() {
    for setup in SETUPS {
        let mut link = Link::of(LoopOwner::on_threads(), setup);
        assert!(link.socket.set_may_pong(false));
        link.peer.ping(b"first");
        wait_until(|| link.socket.bytes_read() > 0);
        // The owner has not seen it.
        assert!(!link.socket.set_may_pong(true));
        assert_eq!(link.until(|seen| seen.events.len() == 1).events, [Event::Ping(b"first".to_vec())]);
        assert!(link.socket.set_may_pong(true));
        link.peer.ping(b"second");
        assert_eq!(link.peer.next(), Event::Pong(b"second".to_vec()));
    }
}
