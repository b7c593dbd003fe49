//! The end of sockets with either driver: closing, the peer's end, failures, and destroying them in every state.

use std::net::Shutdown;
use std::thread;

use super::either_driver::with_both;
use super::{Event, Family, LINK, Link, LoopOwner, Owns, key_of, pattern, text, wait_until};
use crate::protocol::Role;
use crate::transport::socket::Fault;

const MEGABYTE: usize = 1024 * 1024;

#[test]
fn a_shutdown_waits_for_blocked_output() {
    with_both(Link::small_of, |link| {
        link.queue(&pattern(1, MEGABYTE));
        link.socket.notify();
        let total = link.queued_total();
        assert_ne!(link.socket.write_now(), 0);
        link.socket.shutdown();
        link.owner.cycle();
        assert_eq!(link.owner.seen(LINK).shut_down, 0);
        let mut reading = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || {
                assert!(reading.next() == Event::Binary(pattern(1, MEGABYTE)));
                assert_eq!(reading.next_if_any(), None);
            });
            let seen = link.until(|seen| seen.shut_down == 1);
            assert_eq!(seen.written, [total]);
        });
        // It is reported once, and the other direction is still open.
        link.peer.send_text("still here");
        let seen = link.until(|seen| !seen.events.is_empty());
        assert_eq!((&seen.events[..], seen.shut_down), (&[text("still here")][..], 1));
    });
}

#[test]
fn a_closing_handshake_ends_both_directions() {
    with_both(Link::of, |link| {
        let role = link.role;
        link.socket.with_connection(|core| core.close(Some(1000), b"bye", key_of(role))).unwrap();
        link.socket.flush();
        assert_eq!(link.peer.next(), Event::Close(1000));
        let role = link.peer.role;
        let reply = link.peer.framed(|core| core.close(Some(1000), b"bye", key_of(role)));
        link.peer.write(&reply);
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Close(1000)]);
        link.socket.shutdown();
        assert_eq!(link.peer.next_if_any(), None);
        link.until(|seen| seen.shut_down == 1);
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        link.until(|seen| seen.ended == 1);
    });
}

#[test]
fn the_peers_end_is_delivered_once() {
    with_both(Link::of, |link| {
        for _ in 0..100 {
            link.peer.send_text("last words");
        }
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        // `Seen` checks that it is reported once.
        assert_eq!(link.until(|seen| seen.ended == 1).events.len(), 100);
        for round in 0..4 {
            link.send(&[round]);
            assert_eq!(link.peer.next(), Event::Binary(vec![round]));
            link.owner.cycle();
        }
    });
}

#[test]
fn a_pause_holds_back_an_end_behind_messages() {
    with_both(Link::of, |link| {
        link.socket.pause();
        link.peer.send_text("last words");
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        // Read ahead, or not yet.
        for _ in 0..3 {
            link.owner.cycle();
        }
        assert_eq!((link.owner.seen(LINK).events.len(), link.owner.seen(LINK).ended), (0, 0));
        link.socket.resume();
        assert_eq!(link.until(|seen| seen.ended == 1).events, [text("last words")]);
    });
}

#[test]
fn a_failure_is_delivered_once() {
    for setup in [(Family::Tcp, Role::Server), (Family::Tcp, Role::Client)] {
        for owner in [LoopOwner::new(), LoopOwner::on_threads()] {
            let mut link = Link::of(owner, setup);
            link.lose_peer();
            let faults = &link.until(|seen| !seen.faults.is_empty()).faults;
            assert_eq!(*faults, [Fault { errno: libc::ECONNRESET, write: false }]);
            for _ in 0..4 {
                link.queue(b"to a closed peer");
                link.socket.flush();
                link.owner.cycle();
            }
            assert_eq!(link.owner.seen(LINK).faults.len(), 1);
        }
    }
}

#[test]
fn blocked_output_fails_with_its_peer() {
    with_both(Link::small_of, |link| {
        link.queue(&vec![1; MEGABYTE]);
        assert_ne!(link.socket.write_now(), 0);
        link.socket.pause();
        link.lose_peer();
        assert!(link.until(|seen| !seen.faults.is_empty()).events.is_empty());
    });
}

/// Destroys a socket that `prepare` has brought into some state, with either driver.
fn destroyed_after(prepare: impl Fn(&mut Link<LoopOwner>)) {
    with_both(Link::small_of, |link| {
        prepare(link);
        let told = link.owner.seen(LINK).events.len();
        let Link { owner, socket, peer, .. } = link;
        owner.destroy_socket(socket);
        peer.wait_for_end();
        // It may still be in the mailbox.
        owner.cycle();
        assert_eq!(owner.seen(LINK).events.len(), told);
        // No task, no job and no mailbox holds it.
        wait_until(|| std::sync::Arc::strong_count(socket) == 1);
    });
}

#[test]
fn destroy_ends_a_socket_that_has_done_nothing() {
    destroyed_after(|_| {});
}

#[test]
fn destroy_drops_blocked_output() {
    destroyed_after(|link| {
        link.queue(&vec![1; MEGABYTE]);
        assert_ne!(link.socket.write_now(), 0);
    });
    // With a shutdown that waits for it.
    destroyed_after(|link| {
        link.queue(&vec![1; MEGABYTE]);
        link.socket.shutdown();
    });
    // With a cork over it.
    destroyed_after(|link| {
        link.send(&vec![1; MEGABYTE]);
        link.socket.cork(true);
        link.send(b"held back");
    });
}

#[test]
fn destroy_drops_unread_input() {
    destroyed_after(|link| {
        link.socket.pause();
        link.peer.send_text("unread");
    });
    // In the middle of a message, and with an uncollected one.
    destroyed_after(|link| {
        link.peer.send_text("read, not collected");
        let frame = link.peer.binary_frame(&[1; 1000]);
        link.peer.write(&frame[..500]);
        link.owner.poll_readiness();
        link.owner.move_bytes(LINK);
    });
}

#[test]
fn destroy_follows_the_peers_end() {
    destroyed_after(|link| {
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        link.until(|seen| seen.ended == 1);
    });
}
