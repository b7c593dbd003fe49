//! Sockets that have nothing in flight and keep next to nothing: when they may, and that nobody notices.

use std::net::Shutdown;
use std::sync::Arc;
use std::thread;

use super::{
    Event, Family, LINK, LoopOwner, Owns, Peer, SETUPS, key_of, opposite, pair, pattern, shrink_buffers,
    text, wait_until,
};
use crate::protocol::Role;
use crate::transport::socket::Socket;

/// One socket that nobody but its host has, and its peer.
struct Resting {
    host: LoopOwner,
    peer: Peer,
    role: Role,
    /// Bytes that the peer has sent and been sent.
    received: u64,
    sent: u64,
}

impl Resting {
    /// Idle from the beginning.
    fn new((family, role): (Family, Role)) -> Self {
        let (ours, theirs) = pair(family);
        shrink_buffers([&ours, &theirs]);
        let mut host = LoopOwner::new();
        host.adopt(ours, role, &[], LINK);
        Self { host, peer: Peer::new(theirs, opposite(role)), role, received: 0, sent: 0 }
    }

    fn is_idle(&self) -> bool {
        self.host.idle(LINK).is_some()
    }

    /// Whether it goes to rest.
    fn rests(&mut self) -> bool {
        self.host.rest(LINK)
    }

    fn send(&mut self, data: &[u8]) {
        let (key, socket) = (key_of(self.role), self.host.wake(LINK));
        let before = socket.with_connection(|connection| connection.queued_total()).unwrap();
        socket.with_connection(|connection| connection.send(true, true, key, data)).unwrap();
        self.sent += socket.with_connection(|connection| connection.queued_total()).unwrap() - before;
        socket.flush();
    }

    /// Has the peer send bytes.
    fn receive(&mut self, bytes: &[u8]) {
        self.received += bytes.len() as u64;
        self.peer.write(bytes);
    }

    fn framed(&mut self, data: &[u8]) -> Vec<u8> {
        let key = key_of(self.peer.role);
        self.peer.framed(|core| core.send(true, true, key, data))
    }

    /// Lets the loop turn until so many events have come.
    fn until(&mut self, events: usize) -> &[Event] {
        &self.host.until(LINK, |seen| seen.events.len() >= events).events
    }

    fn assert_totals(&self) {
        let idle = self.host.idle(LINK).unwrap();
        assert_eq!((idle.written, idle.read), (self.sent, self.received));
    }
}

#[test]
fn what_comes_wakes_it_and_then_it_may_rest_again() {
    for setup in SETUPS {
        let mut resting = Resting::new(setup);
        // That it may write is no news.
        resting.host.turn();
        assert!(resting.is_idle());
        for round in 1..=3 {
            let frame = resting.framed(format!("message {round}").as_bytes());
            resting.receive(&frame);
            assert_eq!(resting.until(round)[round - 1], Event::Binary(format!("message {round}").into()));
            assert!(!resting.is_idle());
            assert!(resting.rests());
            resting.assert_totals();
            resting.host.turn();
            assert!(resting.is_idle());
        }
    }
}

#[test]
fn what_is_sent_wakes_it() {
    for setup in SETUPS {
        let mut resting = Resting::new(setup);
        for round in 1..=3_usize {
            resting.send(&[round as u8; 10]);
            assert_eq!(resting.peer.next(), Event::Binary(vec![round as u8; 10]));
            assert!(resting.rests());
            resting.assert_totals();
        }
        let frame = resting.framed(b"and back");
        resting.receive(&frame);
        assert_eq!(resting.until(1), [Event::Binary(b"and back".to_vec())]);
        assert!(resting.rests());
        resting.assert_totals();
    }
}

#[test]
fn it_does_not_rest_within_a_frame_or_a_message() {
    for setup in SETUPS {
        let mut resting = Resting::new(setup);
        let frame = resting.framed(&[1; 200]);
        let key = key_of(resting.peer.role);
        let parts = resting.peer.framed(|core| {
            core.send(false, false, key, b"in ");
            core.send(false, true, key, b"parts");
        });
        for (bytes, whole) in [(frame, Event::Binary(vec![1; 200])), (parts, text("in parts"))] {
            let events = resting.host.seen(LINK).events.len();
            for cut in bytes.chunks(1) {
                assert!(resting.is_idle() || !resting.rests());
                resting.receive(cut);
                while resting.host.idle(LINK).is_some() {
                    resting.host.wait();
                    resting.host.turn();
                }
                let read = resting.received;
                while resting.host.wake(LINK).bytes_read() < read {
                    resting.host.wait();
                    resting.host.turn();
                }
            }
            assert_eq!(resting.until(events + 1).last(), Some(&whole));
            assert!(resting.rests());
            resting.assert_totals();
        }
    }
}

#[test]
fn it_does_not_rest_with_something_in_flight() {
    for setup in SETUPS {
        let mut resting = Resting::new(setup);
        let data = pattern(0, 2 * 1024 * 1024);
        resting.send(&data);
        assert!(resting.host.wake(LINK).needs_drain(1024 * 1024));
        resting.host.turn();
        // What the kernel has not taken.
        assert!(!resting.rests());
        let mut reading = resting.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || assert!(reading.next() == Event::Binary(data)));
            resting.host.until(LINK, |seen| seen.drained == 1);
        });
        assert!(resting.rests());
        resting.assert_totals();
    }
}

#[test]
fn it_does_not_rest_with_news_that_nobody_has_collected() {
    for setup in SETUPS {
        let mut resting = Resting::new(setup);
        let frame = resting.framed(b"uncollected");
        resting.receive(&frame);
        resting.host.wait();
        assert_eq!(resting.host.listen(), [LINK]);
        resting.host.move_bytes(LINK);
        assert!(!resting.rests());
        assert!(resting.host.collect(LINK));
        // Off the list of connections that are looked at again.
        resting.host.turn();
        assert!(resting.rests());
        resting.assert_totals();
    }
}

#[test]
fn it_does_not_rest_while_something_was_asked_for() {
    type Ask = fn(&Arc<Socket>);
    let asked: [(Ask, Ask); 3] = [
        (|socket| socket.pause(), |socket| socket.resume()),
        (|socket| socket.cork(true), |socket| socket.cork(false)),
        (
            |socket| socket.with_connection(|core| core.send(true, false, None, b"")).unwrap(),
            |socket| socket.with_connection(|core| core.send(true, true, None, b"")).unwrap(),
        ),
    ];
    for (ask, undo) in asked {
        let mut resting = Resting::new((Family::Tcp, Role::Server));
        ask(&resting.host.wake(LINK));
        resting.host.wake(LINK).flush();
        assert!(!resting.rests());
        undo(&resting.host.wake(LINK));
        resting.host.wake(LINK).flush();
        assert!(resting.rests());
    }
    let for_good: [Ask; 3] = [
        |socket| socket.tap(),
        |socket| socket.shutdown(),
        |socket| socket.with_connection(|core| core.close(None, b"", None)).unwrap(),
    ];
    for ask in for_good {
        let mut resting = Resting::new((Family::Tcp, Role::Server));
        ask(&resting.host.wake(LINK));
        resting.host.wake(LINK).flush();
        resting.host.turn();
        assert!(!resting.rests());
    }
}

#[test]
fn it_does_not_rest_while_somebody_else_has_it() {
    let mut resting = Resting::new((Family::Tcp, Role::Server));
    let socket = resting.host.wake(LINK);
    assert!(!resting.rests());
    drop(socket);
    assert!(resting.rests());
}

#[test]
fn a_notice_comes_before_it_rests() {
    let mut resting = Resting::new((Family::Tcp, Role::Server));
    resting.host.wake(LINK).notify();
    assert!(!resting.rests());
    assert_eq!(resting.host.until(LINK, |seen| !seen.written.is_empty()).written, [0]);
    assert!(resting.rests());
}

#[test]
fn an_end_wakes_it_for_good() {
    for setup in SETUPS {
        let mut resting = Resting::new(setup);
        resting.peer.stream.shutdown(Shutdown::Write).unwrap();
        resting.host.until(LINK, |seen| seen.ended == 1);
        assert!(!resting.rests());
        // The other direction is open.
        resting.send(b"still here");
        assert_eq!(resting.peer.next(), Event::Binary(b"still here".to_vec()));
    }
}

#[test]
fn an_idle_socket_closes_when_it_is_dropped() {
    for setup in SETUPS {
        let mut resting = Resting::new(setup);
        resting.host.destroy(LINK);
        assert_eq!(resting.peer.next_if_any(), None);
        // Its number may be another one's.
        resting.host.turn();
    }
}

#[test]
fn a_socket_that_was_woken_can_be_paused_and_read_at_last() {
    for setup in SETUPS {
        let mut resting = Resting::new(setup);
        resting.host.wake(LINK).pause();
        let frame = resting.framed(b"read ahead");
        resting.receive(&frame);
        resting.host.wait();
        resting.host.turn();
        assert!(resting.host.seen(LINK).events.is_empty());
        let socket = resting.host.wake(LINK);
        resting.host.last_read(&socket);
        assert_eq!(resting.host.seen(LINK).events, [Event::Binary(b"read ahead".to_vec())]);
        resting.host.give_up(&socket);
    }
}

#[test]
fn a_socket_that_was_woken_goes_to_a_thread_and_rests_when_it_is_back() {
    for setup in SETUPS {
        let mut resting = Resting::new(setup);
        for round in 1..=3 {
            resting.host.wake(LINK);
            resting.host.give_to_thread(LINK);
            assert!(!resting.rests());
            let frame = resting.framed(b"on a thread");
            resting.receive(&frame);
            resting.until(round);
            resting.send(b"from a thread");
            assert_eq!(resting.peer.next(), Event::Binary(b"from a thread".to_vec()));
            resting.host.take_back(LINK);
            // Until the thread has let go of it.
            wait_until(|| {
                resting.host.turn();
                resting.rests()
            });
            resting.assert_totals();
        }
    }
}

#[test]
fn pings_are_the_owners_to_answer_when_it_has_rested() {
    for setup in SETUPS {
        let mut resting = Resting::new(setup);
        let key = key_of(resting.peer.role);
        let ping = resting.peer.framed(|core| core.ping(key, b"?"));
        resting.receive(&ping);
        assert_eq!(resting.until(1), [Event::Ping(b"?".to_vec())]);
        assert!(resting.rests());
        resting.send(b"no pong before this");
        assert_eq!(resting.peer.next(), Event::Binary(b"no pong before this".to_vec()));
    }
}
