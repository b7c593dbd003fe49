//! The end of sockets that have migrated: closing, the peer's end, failures, and destroying them in every state.

use std::net::Shutdown;
use std::thread;

use super::either_driver::{from_both, swap};
use super::{Event, Family, LINK, Link, LoopOwner, Owns, SETUPS, key_of, pattern, text, wait_until};
use crate::protocol::Role;
use crate::transport::socket::{Fault, Interest};

const MEGABYTE: usize = 1024 * 1024;

#[test]
fn a_shutdown_waits_for_output_of_either_driver() {
    for moves in [1, 2] {
        from_both(Link::small, |link| {
            link.queue(&pattern(1, MEGABYTE));
            link.socket.notify();
            let total = link.queued_total();
            assert_ne!(link.socket.write_now(), 0);
            link.socket.shutdown();
            for _ in 0..moves {
                swap(link);
                link.owner.cycle();
            }
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
            swap(link);
            link.peer.send_text("still here");
            let seen = link.until(|seen| !seen.events.is_empty());
            assert_eq!((&seen.events[..], seen.shut_down), (&[text("still here")][..], 1));
        });
    }
}

#[test]
fn a_closing_handshake_continues_across_migrations() {
    from_both(Link::new, |link| {
        let role = link.role;
        link.socket.with_connection(|core| core.close(Some(1000), b"bye", key_of(role))).unwrap();
        link.socket.flush();
        swap(link);
        assert_eq!(link.peer.next(), Event::Close(1000));
        let role = link.peer.role;
        let reply = link.peer.framed(|core| core.close(Some(1000), b"bye", key_of(role)));
        link.peer.write(&reply);
        swap(link);
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Close(1000)]);
        swap(link);
        link.socket.shutdown();
        swap(link);
        assert_eq!(link.peer.next_if_any(), None);
        link.until(|seen| seen.shut_down == 1);
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        link.until(|seen| seen.ended == 1);
    });
}

#[test]
fn the_peers_end_is_delivered_once_by_either_driver() {
    from_both(Link::new, |link| {
        for _ in 0..100 {
            link.peer.send_text("last words");
        }
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        // Before, while, and after it is read. `Seen` checks that it is reported once.
        while link.owner.seen(LINK).ended == 0 {
            swap(link);
            link.owner.cycle();
        }
        assert_eq!(link.owner.seen(LINK).events.len(), 100);
        for round in 0..4 {
            swap(link);
            link.send(&[round]);
            assert_eq!(link.peer.next(), Event::Binary(vec![round]));
            link.owner.cycle();
        }
    });
}

#[test]
fn an_end_during_a_pause_is_found_by_the_other_driver() {
    from_both(Link::new, |link| {
        link.socket.pause();
        link.peer.send_text("last words");
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        link.owner.cycle();
        swap(link);
        link.owner.cycle();
        assert_eq!((link.owner.seen(LINK).events.len(), link.owner.seen(LINK).ended), (0, 0));
        link.socket.resume();
        assert_eq!(link.until(|seen| seen.ended == 1).events, [text("last words")]);
    });
}

#[test]
fn a_failure_is_delivered_once_by_either_driver() {
    for setup in [(Family::Tcp, Role::Server), (Family::Tcp, Role::Client)] {
        for on_thread in [false, true] {
            let mut link = Link::<LoopOwner>::new(setup);
            if on_thread {
                link.owner.migrate_to_thread(LINK);
            }
            link.lose_peer();
            while link.owner.seen(LINK).faults.is_empty() {
                swap(&mut link);
                link.owner.cycle();
            }
            assert_eq!(link.owner.seen(LINK).faults, [Fault { errno: libc::ECONNRESET, write: false }]);
            for _ in 0..4 {
                swap(&mut link);
                link.queue(b"to a closed peer");
                link.socket.flush();
                link.owner.cycle();
            }
            assert_eq!(link.owner.seen(LINK).faults.len(), 1);
        }
    }
}

#[test]
fn blocked_output_of_a_migrated_socket_fails_with_its_peer() {
    from_both(Link::small, |link| {
        link.queue(&vec![1; MEGABYTE]);
        assert_ne!(link.socket.write_now(), 0);
        link.socket.pause();
        swap(link);
        link.lose_peer();
        assert!(link.until(|seen| !seen.faults.is_empty()).events.is_empty());
    });
}

#[test]
fn a_destroyed_socket_does_not_migrate() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        link.peer.send_text("unread");
        link.socket.destroy();
        link.socket.move_to_thread().unwrap();
        link.socket.move_to_owner();
        assert_eq!((link.socket.owner_fd(), link.socket.interest()), (-1, Interest::default()));
        link.owner.cycle();
        assert!(link.owner.seen(LINK).events.is_empty());
    }
}

/// Destroys a socket that `prepare` has brought into some state, on either driver and after each number of
/// migrations.
fn destroyed_after(prepare: impl Fn(&mut Link<LoopOwner>)) {
    for moves in 0..3 {
        from_both(Link::small, |link| {
            prepare(link);
            for _ in 0..moves {
                swap(link);
            }
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
