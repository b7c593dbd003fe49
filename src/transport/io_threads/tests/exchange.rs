//! Bytes in both directions: messages, bytes behind the handshake, automatic pongs, large messages, many
//! sockets.

use std::thread;

use super::{Event, Family, Link, Owner, Peer, SETUPS, key_of, opposite, pair, pattern, text, wait_until};
use crate::protocol::Role;

#[test]
fn messages_go_both_ways() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        for round in 1..=3 {
            link.peer.send_text("to the owner");
            let seen = link.until(|seen| seen.events.len() == round);
            assert_eq!(seen.events[round - 1], text("to the owner"));
            link.send(b"to the peer");
            assert_eq!(link.peer.next(), Event::Binary(b"to the peer".to_vec()));
        }
    }
}

#[test]
fn a_frame_may_arrive_byte_by_byte() {
    let mut link = Link::new((Family::Tcp, Role::Server));
    let frame = link.peer.binary_frame(b"in pieces");
    for (sent, byte) in frame.iter().enumerate() {
        link.peer.write(&[*byte]);
        wait_until(|| link.socket.bytes_read() == sent as u64 + 1);
    }
    assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Binary(b"in pieces".to_vec())]);
}

#[test]
fn the_head_precedes_later_input() {
    for (family, role) in SETUPS {
        let (ours, theirs) = pair(family);
        let mut peer = Peer::new(theirs, opposite(role));
        let bytes = peer.framed(|core| {
            core.send(false, true, key_of(opposite(role)), b"whole");
            core.send(false, true, key_of(opposite(role)), b"cut");
        });
        let (head, rest) = bytes.split_at(bytes.len() - 2);
        let mut owner = Owner::new();
        let socket = owner.adopt(ours, role, head, 1);
        assert_eq!(socket.bytes_read(), head.len() as u64);
        assert_eq!(owner.until(1, |seen| !seen.events.is_empty()).events, [text("whole")]);
        peer.write(rest);
        assert_eq!(owner.until(1, |seen| seen.events.len() == 2).events[1], text("cut"));
        assert_eq!(socket.bytes_read(), bytes.len() as u64);
        socket.destroy();
    }
}

#[test]
fn pings_are_answered_without_the_owner() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        for number in 0..5 {
            link.peer.ping(&[number]);
            assert_eq!(link.peer.next(), Event::Pong(vec![number]));
        }
        let pings: Vec<_> = (0..5).map(|number| Event::Ping(vec![number])).collect();
        assert_eq!(link.until(|seen| seen.events.len() == 5).events, pings);
    }
}

#[test]
fn a_ping_in_the_head_is_left_to_the_owner() {
    for (family, role) in SETUPS {
        let (ours, theirs) = pair(family);
        let head = Peer::new(theirs.try_clone().unwrap(), opposite(role))
            .framed(|core| core.ping(key_of(opposite(role)), b"early"));
        let mut link = Link::over((ours, theirs), role, &head);
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Ping(b"early".to_vec())]);
        // The thread answers later ones. No pong was sent before.
        link.peer.ping(b"late");
        assert_eq!(link.peer.next(), Event::Pong(b"late".to_vec()));
    }
}

#[test]
fn large_messages_pass_each_other_in_order() {
    const LENGTHS: [usize; 6] = [3 * 1024 * 1024 + 1, 0, 70_000, 16 * 1024, 2 * 1024 * 1024, 1];
    for setup in SETUPS {
        let mut link = Link::small(setup);
        let expected: Vec<_> =
            LENGTHS.iter().enumerate().map(|(at, &length)| Event::Binary(pattern(at, length))).collect();
        let (mut writing, mut reading) = (link.peer.second(), link.peer.second());
        let frames: Vec<_> = LENGTHS
            .iter()
            .enumerate()
            .map(|(at, &length)| writing.binary_frame(&pattern(at, length)))
            .collect();
        thread::scope(|scope| {
            scope.spawn(move || {
                for frame in frames {
                    writing.write(&frame);
                }
            });
            let received =
                scope.spawn(move || (0..LENGTHS.len()).map(|_| reading.next()).collect::<Vec<_>>());
            for (at, &length) in LENGTHS.iter().enumerate() {
                link.send(&pattern(at, length));
            }
            // Not `assert_eq!`, which would print megabytes.
            assert!(link.until(|seen| seen.events.len() == LENGTHS.len()).events == expected);
            assert!(received.join().unwrap() == expected);
        });
        // The peer may receive the last byte before the thread counts it.
        wait_until(|| link.pending() == 0);
    }
}

#[test]
fn many_sockets_do_not_get_mixed_up() {
    const SOCKETS: u64 = 120;
    let mut owner = Owner::new();
    let mut ends: Vec<_> = (0..SOCKETS)
        .map(|token| {
            let (family, role) = SETUPS[token as usize % SETUPS.len()];
            let (ours, theirs) = pair(family);
            (owner.adopt(ours, role, &[], token), Peer::new(theirs, opposite(role)), role)
        })
        .collect();
    for (token, (_, peer, _)) in ends.iter_mut().enumerate() {
        peer.send_text(&format!("peer {token}"));
    }
    for (token, (socket, _, role)) in (0..).zip(&ends) {
        assert_eq!(
            owner.until(token, |seen| !seen.events.is_empty()).events,
            [text(&format!("peer {token}"))]
        );
        let answer = format!("owner {token}");
        socket.with_connection(|core| core.send(false, true, key_of(*role), answer.as_bytes())).unwrap();
        socket.flush();
    }
    for (token, (socket, peer, _)) in ends.iter_mut().enumerate() {
        assert_eq!(peer.next(), text(&format!("owner {token}")));
        socket.destroy();
        assert_eq!(peer.next_if_any(), None);
    }
}
