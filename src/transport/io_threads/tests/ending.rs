//! The end of a socket: by its owner, by its peer, by a failure.

use std::net::Shutdown;
use std::time::Duration;

use super::{Event, Family, Link, Peer, SETUPS, key_of, pair, text, wait_until};
use crate::protocol::Role;
use crate::transport::socket::Fault;

#[test]
fn a_shutdown_follows_all_output() {
    for setup in SETUPS {
        let mut link = Link::small(setup);
        for number in 0..10 {
            link.queue(&vec![number; 100_000]);
        }
        link.socket.shutdown();
        for number in 0..10 {
            assert_eq!(link.peer.next(), Event::Binary(vec![number; 100_000]));
        }
        assert_eq!(link.peer.next_if_any(), None);
        link.until(|seen| seen.shut_down == 1);
        // The other direction is still open. A second shutdown does nothing.
        link.socket.shutdown();
        link.peer.send_text("still here");
        let seen = link.until(|seen| !seen.events.is_empty());
        assert_eq!((&seen.events[..], seen.shut_down), (&[text("still here")][..], 1));
    }
}

#[test]
fn a_shutdown_without_output_is_immediate() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        link.socket.shutdown();
        assert_eq!(link.peer.next_if_any(), None);
        link.until(|seen| seen.shut_down == 1);
    }
}

#[test]
fn the_peers_end_comes_after_its_events() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        for _ in 0..1000 {
            link.peer.send_text("last words");
        }
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        // `until` checks that no event follows the end.
        let seen = link.until(|seen| seen.ended == 1);
        assert_eq!(seen.events.len(), 1000);
        // Another poll does not report the end again.
        link.wait_for_thread();
        link.wait_for_thread();
        assert_eq!(link.owner.collect(), 0);
    }
}

#[test]
fn a_reset_is_one_read_fault() {
    let mut link = Link::new((Family::Tcp, Role::Server));
    link.peer.send_text("before");
    link.until(|seen| seen.events.len() == 1);
    link.peer.stream.set_linger(Some(Duration::ZERO)).unwrap();
    link.peer = Peer::new(pair(Family::Unix).1, Role::Client);
    let seen = link.until(|seen| !seen.faults.is_empty());
    assert_eq!(seen.faults, [Fault { errno: libc::ECONNRESET, write: false }]);
    assert_eq!(seen.ended, 0);

    link.queue(b"too late");
    assert_ne!(link.socket.write_now(), 0);
    assert_eq!(link.owner.collect(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_unix_peer_that_leaves_bytes_unread_is_a_fault() {
    let mut link = Link::new((Family::Unix, Role::Client));
    link.queue(b"unread");
    assert_eq!(link.socket.write_now(), 0);
    link.peer = Peer::new(pair(Family::Unix).1, Role::Server);
    let seen = link.until(|seen| !seen.faults.is_empty());
    assert_eq!(seen.faults, [Fault { errno: libc::ECONNRESET, write: false }]);
}

#[test]
fn writing_to_a_peer_that_is_gone_is_a_write_fault() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        link.peer = Peer::new(pair(Family::Unix).1, link.peer.role);
        link.until(|seen| seen.ended == 1);
        let Link { owner, socket, role, .. } = &mut link;
        // The peer's kernel answers the first bytes with a reset.
        wait_until(|| {
            socket.with_connection(|core| core.send(true, true, key_of(*role), b"hello?")).unwrap();
            socket.flush();
            owner.collect();
            !owner.seen(7).faults.is_empty()
        });
        let faults = &owner.seen(7).faults;
        assert!(faults[0].write, "{faults:?}");
        assert!([libc::EPIPE, libc::ECONNRESET].contains(&faults[0].errno), "{faults:?}");
    }
}

#[test]
fn a_blocked_write_fails_when_the_peer_is_gone() {
    for setup in SETUPS {
        let mut link = Link::small(setup);
        link.queue(&vec![1; 1024 * 1024]);
        assert_ne!(link.socket.write_now(), 0);
        // Nothing is read: only an attempt to write finds out.
        link.socket.pause();
        link.peer.stream.set_linger(Some(Duration::ZERO)).unwrap();
        link.peer = Peer::new(pair(Family::Unix).1, link.peer.role);
        assert!(link.until(|seen| !seen.faults.is_empty()).events.is_empty());
    }
}

#[test]
fn destroy_closes_the_descriptor_and_ends_events() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        link.peer.ping(b"");
        assert_eq!(link.peer.next(), Event::Pong(Vec::new()));
        link.socket.destroy();
        link.peer.wait_for_end();

        // It may still be in the mailbox.
        assert!(link.owner.collect() <= 1);
        let rings = link.owner.rings();
        link.socket.flush();
        link.socket.pause();
        link.socket.resume();
        link.socket.notify();
        link.socket.shutdown();
        link.socket.destroy();
        assert_eq!(link.socket.write_now(), 0);
        assert_eq!(link.socket.with_connection(|_| ()), None);
        assert_eq!((link.owner.rings(), link.owner.collect()), (rings, 0));
        assert!(link.owner.seen(7).events.is_empty());
    }
}

#[test]
fn a_last_read_returns_input_withheld_by_a_pause() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        link.peer.ping(b"read");
        assert_eq!(link.peer.next(), Event::Pong(b"read".to_vec()));
        // Has an effect on a paused socket only.
        link.owner.last_read(&link.socket);
        assert!(link.owner.seen(7).events.is_empty());

        link.socket.pause();
        link.peer.send_text("unread");
        let Link { owner, socket, .. } = &mut link;
        // The network may take a moment.
        wait_until(|| {
            owner.last_read(socket);
            owner.seen(7).events.len() == 2
        });
        assert_eq!(owner.seen(7).events, [Event::Ping(b"read".to_vec()), text("unread")]);

        link.peer.send_text("too late");
        link.socket.destroy();
        link.owner.last_read(&link.socket);
        assert_eq!(link.owner.seen(7).events.len(), 2);
    }
}

#[test]
fn destroy_ends_a_socket_in_any_state() {
    for setup in SETUPS {
        // Blocked: queued output is dropped.
        let mut link = Link::small(setup);
        link.queue(&vec![1; 1024 * 1024]);
        assert_ne!(link.socket.write_now(), 0);
        link.socket.destroy();
        link.peer.wait_for_end();

        // Paused, with unread input.
        let mut link = Link::small(setup);
        link.socket.pause();
        link.peer.send_text("unread");
        link.socket.destroy();
        link.peer.wait_for_end();

        // The peer has ended already.
        let mut link = Link::new(setup);
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        link.until(|seen| seen.ended == 1);
        link.socket.destroy();
        link.peer.wait_for_end();

        // The thread has not adopted it yet.
        let mut link = Link::new(setup);
        link.socket.destroy();
        link.peer.wait_for_end();
    }
}
