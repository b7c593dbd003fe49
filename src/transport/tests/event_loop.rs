//! The event loop as the driver: messages, pings, writing. Pauses and the end of a peer are in `readiness`.

use std::net::Shutdown;
use std::thread;

use super::{
    Event, Family, LINK, Link, LoopOwner, Owns, Peer, SETUPS, key_of, opposite, pair, pattern, text,
    wait_until,
};
use crate::protocol::Role;
use crate::transport::socket::Fault;

const MEGABYTE: usize = 1024 * 1024;

#[test]
fn messages_go_both_ways() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        for round in 1..=3 {
            link.peer.send_text("to the owner");
            let seen = link.until(|seen| seen.events.len() == round);
            assert_eq!(seen.events[round - 1], text("to the owner"));
            link.send(b"to the peer");
            // The owner writes at once.
            assert_eq!(link.pending(), 0);
            assert_eq!(link.peer.next(), Event::Binary(b"to the peer".to_vec()));
        }
    }
}

#[test]
fn the_owner_answers_pings() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        link.peer.ping(b"?");
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Ping(b"?".to_vec())]);
        link.send(b"no pong before this");
        assert_eq!(link.peer.next(), Event::Binary(b"no pong before this".to_vec()));
    }
}

#[test]
fn the_owner_answers_a_ping_in_the_head() {
    for (family, role) in SETUPS {
        let (ours, theirs) = pair(family);
        let head = Peer::new(theirs.try_clone().unwrap(), opposite(role))
            .framed(|core| core.ping(key_of(opposite(role)), b"early"));
        let mut link = Link::<LoopOwner>::over((ours, theirs), role, &head);
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Ping(b"early".to_vec())]);
        link.send(b"no pong before this");
        assert_eq!(link.peer.next(), Event::Binary(b"no pong before this".to_vec()));
    }
}

#[test]
fn large_messages_pass_each_other_in_order() {
    const LENGTHS: [usize; 6] = [3 * MEGABYTE + 1, 0, 70_000, 16 * 1024, 2 * MEGABYTE, 1];
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::small(setup);
        let messages = || LENGTHS.iter().enumerate().map(|(at, &length)| pattern(at, length));
        let expected: Vec<_> = messages().map(Event::Binary).collect();
        let (mut writing, mut reading) = (link.peer.second(), link.peer.second());
        thread::scope(|scope| {
            scope.spawn(move || {
                for message in messages() {
                    let frame = writing.binary_frame(&message);
                    writing.write(&frame);
                }
            });
            let received =
                scope.spawn(move || (0..LENGTHS.len()).map(|_| reading.next()).collect::<Vec<_>>());
            for message in messages() {
                link.send(&message);
            }
            link.socket.notify();
            let total = link.queued_total();
            let is_done = |seen: &super::Seen| seen.events.len() == LENGTHS.len() && seen.written == [total];
            // `assert!` does not print megabytes.
            assert!(link.until(is_done).events == expected);
            assert!(received.join().unwrap() == expected);
        });
        assert_eq!(link.pending(), 0);
    }
}

#[test]
fn a_blocked_writer_goes_on_when_it_can() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::small(setup);
        for round in 1..=2 {
            link.queue(&pattern(round, MEGABYTE));
            link.socket.notify();
            let total = link.queued_total();
            assert!(link.socket.needs_drain(MEGABYTE as u64));
            assert_ne!(link.socket.write_now(), 0);
            // Readability changes nothing for the writer.
            let pending = link.pending();
            link.peer.ping(b"");
            link.until(|seen| seen.events.len() == round);
            assert!(0 < link.pending() && link.pending() <= pending);
            assert_eq!(link.owner.seen(LINK).drained, round - 1);

            let mut reading = link.peer.second();
            thread::scope(|scope| {
                scope.spawn(move || assert_eq!(reading.next(), Event::Binary(pattern(round, MEGABYTE))));
                let seen = link.until(|seen| seen.drained == round);
                assert_eq!(seen.written.last(), Some(&total));
            });
            assert_eq!(link.pending(), 0);
        }
    }
}

#[test]
fn a_blocked_writer_learns_that_the_peer_is_gone() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::small(setup);
        link.queue(&vec![1; MEGABYTE]);
        assert_ne!(link.socket.write_now(), 0);
        // Nothing is read: only writability reports it.
        link.socket.pause();
        link.lose_peer();
        let seen = link.until(|seen| !seen.faults.is_empty());
        assert!(seen.events.is_empty() && seen.faults[0].write, "{:?}", seen.faults);
        // It is reported once.
        link.owner.cycle();
        assert_eq!(link.owner.seen(LINK).faults.len(), 1);
    }
}

#[test]
fn a_shutdown_follows_all_output() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::small(setup);
        link.queue(&pattern(0, MEGABYTE));
        link.socket.shutdown();
        assert_ne!(link.pending(), 0);
        let mut reading = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || {
                assert_eq!(reading.next(), Event::Binary(pattern(0, MEGABYTE)));
                assert_eq!(reading.next_if_any(), None);
            });
            link.until(|seen| seen.shut_down == 1);
        });
        // The other direction is still open.
        link.peer.send_text("still here");
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [text("still here")]);
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        link.until(|seen| seen.ended == 1);
    }
}

#[test]
fn a_cork_holds_the_output_back() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        link.socket.cork(true);
        link.send(b"held back");
        assert_eq!(link.pending(), link.queued_total());
        link.socket.cork(false);
        assert_eq!(link.pending(), 0);
        assert_eq!(link.peer.next(), Event::Binary(b"held back".to_vec()));
    }
}

#[test]
fn many_sockets_do_not_get_mixed_up() {
    const SOCKETS: u64 = 120;
    let mut host = LoopOwner::new();
    let mut ends: Vec<_> = (0..SOCKETS)
        .map(|token| {
            let (family, role) = SETUPS[token as usize % SETUPS.len()];
            let (ours, theirs) = pair(family);
            (host.take(ours, role, &[], token), Peer::new(theirs, opposite(role)))
        })
        .collect();
    for (token, (_, peer)) in ends.iter_mut().enumerate() {
        peer.send_text(&format!("peer {token}"));
    }
    for token in 0..SOCKETS {
        let expected = [text(&format!("peer {token}"))];
        assert_eq!(host.until(token, |seen| !seen.events.is_empty()).events, expected);
    }
    for (socket, peer) in &mut ends {
        host.destroy_socket(socket);
        assert_eq!(peer.next_if_any(), None);
    }
}

#[test]
fn a_descriptor_that_cannot_be_polled_is_refused() {
    let mut host = LoopOwner::new();
    let (ours, _theirs) = pair(Family::Unix);
    let socket = host.take(ours, Role::Server, &[], LINK);
    // Twice in one poller.
    assert!(host.poller.add_fd(&socket.owner_fd(), LINK).is_err());
    host.destroy_socket(&socket);
    assert_eq!(socket.owner_fd(), -1);
    assert!(host.poller.add_fd(&socket.owner_fd(), LINK).is_err());
    host.poller.remove(&socket);
}

#[test]
fn writing_to_a_peer_that_is_gone_is_a_write_fault() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        link.peer = Peer::new(pair(Family::Unix).1, link.peer.role);
        link.until(|seen| seen.ended == 1);
        // The peer's system answers the first bytes with a reset.
        wait_until(|| {
            link.send(b"ping?");
            link.owner.cycle();
            !link.owner.seen(LINK).faults.is_empty()
        });
        let [Fault { errno, write: true }] = link.owner.seen(LINK).faults[..] else {
            panic!("no write failed")
        };
        assert!([libc::EPIPE, libc::ECONNRESET].contains(&errno), "{errno}");
    }
}
