//! The outbound side under a slow peer: what is pending, and what the owner is told when it is not any more.

use std::io::Read;

use super::{Event, Link, SETUPS};

const MEGABYTE: usize = 1024 * 1024;

#[test]
fn what_the_kernel_refuses_is_pending_and_drained_comes_once() {
    for setup in SETUPS {
        let mut link = Link::small(setup);
        for round in 1..=2 {
            link.queue(&vec![1; MEGABYTE]);
            let before = link.pending();
            assert!(before > MEGABYTE as u64);
            assert!(link.socket.needs_drain(MEGABYTE as u64));
            let pending = link.socket.write_now();
            assert!(0 < pending && pending < before, "{pending} of {before}");
            // The thread goes on trying. More only makes it more.
            assert!(link.pending() <= pending);
            link.queue(&vec![2; MEGABYTE]);
            assert!(link.socket.write_now() > pending);
            assert_eq!((link.owner.collect(), link.owner.seen(7).drained), (0, round - 1));

            assert_eq!(link.peer.next(), Event::Binary(vec![1; MEGABYTE]));
            assert_eq!(link.peer.next(), Event::Binary(vec![2; MEGABYTE]));
            link.until(|seen| seen.drained == round);
            assert_eq!(link.pending(), 0);

            // A little output does not drain anything.
            assert!(!link.socket.needs_drain(MEGABYTE as u64));
            link.turn();
            link.peer.ping(b"");
            assert_eq!(link.peer.next(), Event::Pong(Vec::new()));
            let seen = link.until(|seen| seen.events.len() == round);
            assert_eq!((seen.drained, seen.written.len()), (round, 0));
            // Waits for the thread, which would take the next round's output along with the pong.
            assert_eq!(link.socket.write_now(), 0);
        }
    }
}

#[test]
fn write_now_writes_at_once() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        link.queue(b"now");
        assert_ne!(link.pending(), 0);
        assert_eq!(link.socket.write_now(), 0);
        assert_eq!(link.pending(), 0);
        assert_eq!(link.peer.next(), Event::Binary(b"now".to_vec()));
        assert_eq!(link.socket.write_now(), 0);
    }
}

#[test]
fn notify_is_answered_once() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        link.queue(b"watched");
        link.socket.notify();
        assert_eq!(link.owner.rings(), 0);
        link.socket.flush();
        let total = link.queued_total();
        assert_eq!(link.until(|seen| !seen.written.is_empty()).written, [total]);
        assert_eq!(link.peer.next(), Event::Binary(b"watched".to_vec()));

        link.turn();
        link.peer.ping(b"");
        assert_eq!(link.until(|seen| seen.events.len() == 1).written, [total]);

        // Nothing is queued: the answer is there already.
        link.socket.notify();
        let total = link.queued_total();
        assert_eq!(link.until(|seen| seen.written.len() == 2).written[1], total);
    }
}

#[test]
fn an_owner_that_keeps_asking_is_answered_on_the_way() {
    for setup in SETUPS {
        let mut link = Link::small(setup);
        link.queue(&vec![1; MEGABYTE]);
        let first = link.queued_total();
        link.socket.notify();
        link.queue(&vec![2; 8 * MEGABYTE]);
        link.socket.notify();
        let total = link.queued_total();
        link.socket.flush();

        let mut bytes = vec![0; usize::try_from(first).unwrap()];
        (&link.peer.stream).read_exact(&mut bytes).unwrap();
        let written = link.until(|seen| !seen.written.is_empty()).written[0];
        assert!(first <= written && written < total, "{written} is not between {first} and {total}");

        assert_eq!(link.peer.next(), Event::Binary(vec![2; 8 * MEGABYTE]));
        let seen = link.until(|seen| seen.written.last() == Some(&total));
        assert_eq!(seen.written.len(), 2);
    }
}

#[test]
fn a_cork_holds_back_all_but_what_was_being_written() {
    for setup in SETUPS {
        let mut link = Link::small(setup);
        link.queue(&vec![1; MEGABYTE]);
        link.socket.notify();
        let first = link.queued_total();
        assert_ne!(link.socket.write_now(), 0);
        link.socket.cork(true);
        link.send(b"held back");
        assert_eq!(link.peer.next(), Event::Binary(vec![1; MEGABYTE]));
        assert_eq!(link.until(|seen| !seen.written.is_empty()).written, [first]);
        // Neither a write from here nor an automatic pong gets past the cork.
        assert_eq!(link.socket.write_now(), link.queued_total() - first);
        link.peer.ping(b"");
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Ping(Vec::new())]);

        link.socket.cork(false);
        assert_eq!(link.peer.next(), Event::Binary(b"held back".to_vec()));
        assert_eq!(link.peer.next(), Event::Pong(Vec::new()));
    }
}

#[test]
fn the_memory_of_a_burst_is_given_back() {
    for setup in SETUPS {
        let mut link = Link::small(setup);
        for _ in 0..2 {
            link.send(&vec![1; MEGABYTE]);
            link.peer.next();
        }
        for _ in 0..3 {
            let mut queue = Vec::new();
            // Also waits for the thread to be done with what was sent before.
            link.turn();
            link.socket.with_connection(|core| core.take_output(&mut queue)).unwrap();
            assert!(queue.capacity() <= 64 * 1024, "{} bytes are kept", queue.capacity());
        }
    }
}
