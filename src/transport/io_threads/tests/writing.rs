//! Output to a slow peer: pending bytes, and the events when they are written.

use std::io::Read;

use super::{Event, Link, SETUPS};
use crate::transport::socket::Stop;

const MEGABYTE: usize = 1024 * 1024;

#[test]
fn refused_output_is_pending_and_drains_once() {
    for setup in SETUPS {
        let mut link = Link::small(setup);
        for round in 1..=2 {
            link.queue(&vec![1; MEGABYTE]);
            let before = link.pending();
            assert!(before > MEGABYTE as u64);
            assert!(link.socket.needs_drain(MEGABYTE as u64));
            let pending = link.socket.write_now();
            assert!(0 < pending && pending < before, "{pending} of {before}");
            // The thread continues to write. More output adds to the pending bytes.
            assert!(link.pending() <= pending);
            link.queue(&vec![2; MEGABYTE]);
            assert!(link.socket.write_now() > pending);
            assert_eq!((link.owner.collect(), link.owner.seen(7).drained), (0, round - 1));

            assert_eq!(link.peer.next(), Event::Binary(vec![1; MEGABYTE]));
            assert_eq!(link.peer.next(), Event::Binary(vec![2; MEGABYTE]));
            link.until(|seen| seen.drained == round);
            assert_eq!(link.pending(), 0);

            // Output below the mark reports no drain.
            assert!(!link.socket.needs_drain(MEGABYTE as u64));
            link.wait_for_thread();
            link.peer.ping(b"");
            assert_eq!(link.peer.next(), Event::Pong(Vec::new()));
            let seen = link.until(|seen| seen.events.len() == round);
            assert_eq!((seen.drained, seen.written.len()), (round, 0));
            // Waits for the thread, which would write the next round's output with the pong.
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
fn notify_reports_once() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        link.queue(b"watched");
        link.socket.notify();
        assert_eq!(link.owner.rings(), 0);
        link.socket.flush();
        let total = link.queued_total();
        assert_eq!(link.until(|seen| !seen.written.is_empty()).written, [total]);
        assert_eq!(link.peer.next(), Event::Binary(b"watched".to_vec()));

        link.wait_for_thread();
        link.peer.ping(b"");
        assert_eq!(link.until(|seen| seen.events.len() == 1).written, [total]);

        // Nothing is queued: it is reported at once.
        link.socket.notify();
        let total = link.queued_total();
        assert_eq!(link.until(|seen| seen.written.len() == 2).written[1], total);
    }
}

#[test]
fn repeated_notifies_report_before_all_output_is_written() {
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
fn a_cork_holds_back_output_queued_after_it() {
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
        // The cork holds back both a write from this thread and an automatic pong.
        assert_eq!(link.socket.write_now(), link.queued_total() - first);
        link.peer.ping(b"");
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Ping(Vec::new())]);

        link.socket.cork(false);
        assert_eq!(link.peer.next(), Event::Binary(b"held back".to_vec()));
        assert_eq!(link.peer.next(), Event::Pong(Vec::new()));
    }
}

#[test]
fn the_memory_of_a_burst_is_freed() {
    for setup in SETUPS {
        let mut link = Link::small(setup);
        for _ in 0..2 {
            link.send(&vec![1; MEGABYTE]);
            link.peer.next();
        }
        for _ in 0..3 {
            let mut queue = Vec::new();
            // Also waits for the thread to finish earlier output.
            link.wait_for_thread();
            link.socket.with_connection(|core| core.take_output(&mut queue)).unwrap();
            assert!(queue.capacity() <= 64 * 1024, "{} bytes are kept", queue.capacity());
        }
    }
}

#[test]
fn a_thread_does_not_write_while_the_owner_waits() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        link.queue(b"waits");
        let queued = link.queued_total();
        link.socket.set_owner_waits(true);
        // On this thread, in place of the worker's, which does not know of the output.
        assert_eq!((link.socket.write_on_thread(), link.pending()), (Stop::More, queued));
        link.socket.set_owner_waits(false);
        link.socket.flush();
        assert_eq!(link.peer.next(), Event::Binary(b"waits".to_vec()));
    }
}

#[test]
fn a_turn_of_a_thread_is_bounded() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        // The task has looked at the socket: if it found refused output later, it would write, too.
        link.peer.ping(b"?");
        assert_eq!(link.peer.next(), Event::Pong(b"?".to_vec()));
        let mut reading = link.peer.second();
        std::thread::scope(|scope| {
            scope.spawn(move || assert_eq!(reading.next(), Event::Binary(vec![1; 8 * MEGABYTE])));
            link.queue(&vec![1; 8 * MEGABYTE]);
            loop {
                let before = link.pending();
                let stop = link.socket.write_on_thread();
                let written = before - link.pending();
                assert!(written <= MEGABYTE as u64, "{written} bytes in a turn");
                assert!(stop != Stop::More || written == MEGABYTE as u64);
                if stop == Stop::All {
                    break;
                }
            }
        });
        assert_eq!(link.pending(), 0);
    }
}
