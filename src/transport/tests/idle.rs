//! Idle sockets: conditions for it, and that it cannot be observed.

use std::net::Shutdown;
use std::sync::Arc;
use std::thread;

use super::{
    Event, Family, LINK, LoopOwner, Owns, Peer, SETUPS, key_of, opposite, pair, pattern, shrink_buffers, text,
};
use crate::protocol::Role;
use crate::transport::socket::Socket;

/// One socket that only its host holds, and its peer.
struct IdleLink {
    host: LoopOwner,
    peer: Peer,
    role: Role,
    /// Bytes that the peer has sent and received.
    received: u64,
    sent: u64,
}

impl IdleLink {
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

    /// Makes the connection idle. True if it is.
    fn becomes_idle(&mut self) -> bool {
        self.host.make_idle(LINK)
    }

    fn send(&mut self, data: &[u8]) {
        let (key, socket) = (key_of(self.role), self.host.activate(LINK));
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

    /// Runs cycles until `events` events were delivered.
    fn until(&mut self, events: usize) -> &[Event] {
        &self.host.until(LINK, |seen| seen.events.len() >= events).events
    }

    fn assert_totals(&self) {
        let idle = self.host.idle(LINK).unwrap();
        assert_eq!((idle.written, idle.read), (self.sent, self.received));
    }
}

#[test]
fn received_bytes_make_it_active_until_it_is_idle_again() {
    for setup in SETUPS {
        let mut link = IdleLink::new(setup);
        // Writability does not make it active.
        link.host.cycle();
        assert!(link.is_idle());
        for round in 1..=3 {
            let frame = link.framed(format!("message {round}").as_bytes());
            link.receive(&frame);
            assert_eq!(link.until(round)[round - 1], Event::Binary(format!("message {round}").into()));
            assert!(!link.is_idle());
            assert!(link.becomes_idle());
            link.assert_totals();
            link.host.cycle();
            assert!(link.is_idle());
        }
    }
}

#[test]
fn sending_makes_it_active() {
    for setup in SETUPS {
        let mut link = IdleLink::new(setup);
        for round in 1..=3_usize {
            link.send(&[round as u8; 10]);
            assert_eq!(link.peer.next(), Event::Binary(vec![round as u8; 10]));
            assert!(link.becomes_idle());
            link.assert_totals();
        }
        let frame = link.framed(b"and back");
        link.receive(&frame);
        assert_eq!(link.until(1), [Event::Binary(b"and back".to_vec())]);
        assert!(link.becomes_idle());
        link.assert_totals();
    }
}

#[test]
fn it_is_not_idle_within_a_frame_or_a_message() {
    for setup in SETUPS {
        let mut link = IdleLink::new(setup);
        let frame = link.framed(&[1; 200]);
        let key = key_of(link.peer.role);
        let parts = link.peer.framed(|core| {
            core.send(false, false, key, b"in ");
            core.send(false, true, key, b"parts");
        });
        for (bytes, whole) in [(frame, Event::Binary(vec![1; 200])), (parts, text("in parts"))] {
            let events = link.host.seen(LINK).events.len();
            for cut in bytes.chunks(1) {
                assert!(link.is_idle() || !link.becomes_idle());
                link.receive(cut);
                while link.host.idle(LINK).is_some() {
                    link.host.wait();
                    link.host.cycle();
                }
                let read = link.received;
                while link.host.activate(LINK).bytes_read() < read {
                    link.host.wait();
                    link.host.cycle();
                }
            }
            assert_eq!(link.until(events + 1).last(), Some(&whole));
            assert!(link.becomes_idle());
            link.assert_totals();
        }
    }
}

#[test]
fn it_is_not_idle_with_output_in_flight() {
    for setup in SETUPS {
        let mut link = IdleLink::new(setup);
        let data = pattern(0, 2 * 1024 * 1024);
        link.send(&data);
        assert!(link.host.activate(LINK).needs_drain(1024 * 1024));
        link.host.cycle();
        // Bytes that the kernel has refused.
        assert!(!link.becomes_idle());
        let mut reading = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || assert!(reading.next() == Event::Binary(data)));
            link.host.until(LINK, |seen| seen.drained == 1);
        });
        assert!(link.becomes_idle());
        link.assert_totals();
    }
}

#[test]
fn it_is_not_idle_with_undelivered_events() {
    for setup in SETUPS {
        let mut link = IdleLink::new(setup);
        let frame = link.framed(b"uncollected");
        link.receive(&frame);
        link.host.wait();
        assert_eq!(link.host.poll_readiness(), [LINK]);
        link.host.move_bytes(LINK);
        assert!(!link.becomes_idle());
        assert!(link.host.collect(LINK));
        // Off the list of connections that are looked at again.
        link.host.cycle();
        assert!(link.becomes_idle());
        link.assert_totals();
    }
}

#[test]
fn it_is_not_idle_with_an_open_request() {
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
        let mut link = IdleLink::new((Family::Tcp, Role::Server));
        ask(&link.host.activate(LINK));
        link.host.activate(LINK).flush();
        assert!(!link.becomes_idle());
        undo(&link.host.activate(LINK));
        link.host.activate(LINK).flush();
        assert!(link.becomes_idle());
    }
    let for_good: [Ask; 2] = [
        |socket| socket.shutdown(),
        |socket| socket.with_connection(|core| core.close(None, b"", None)).unwrap(),
    ];
    for ask in for_good {
        let mut link = IdleLink::new((Family::Tcp, Role::Server));
        ask(&link.host.activate(LINK));
        link.host.activate(LINK).flush();
        link.host.cycle();
        assert!(!link.becomes_idle());
    }
}

#[test]
fn it_is_not_idle_with_another_reference() {
    let mut link = IdleLink::new((Family::Tcp, Role::Server));
    let socket = link.host.activate(LINK);
    assert!(!link.becomes_idle());
    drop(socket);
    assert!(link.becomes_idle());
}

#[test]
fn a_requested_event_is_delivered_before_it_is_idle() {
    let mut link = IdleLink::new((Family::Tcp, Role::Server));
    link.host.activate(LINK).notify();
    assert!(!link.becomes_idle());
    assert_eq!(link.host.until(LINK, |seen| !seen.written.is_empty()).written, [0]);
    assert!(link.becomes_idle());
}

#[test]
fn an_end_makes_it_active_for_good() {
    for setup in SETUPS {
        let mut link = IdleLink::new(setup);
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        link.host.until(LINK, |seen| seen.ended == 1);
        assert!(!link.becomes_idle());
        // The other direction is open.
        link.send(b"still here");
        assert_eq!(link.peer.next(), Event::Binary(b"still here".to_vec()));
    }
}

#[test]
fn an_idle_socket_closes_when_it_is_dropped() {
    for setup in SETUPS {
        let mut link = IdleLink::new(setup);
        link.host.destroy(LINK);
        assert_eq!(link.peer.next_if_any(), None);
        // Its id may be another connection's.
        link.host.cycle();
    }
}

#[test]
fn an_activated_socket_can_be_paused_and_read_a_last_time() {
    for setup in SETUPS {
        let mut link = IdleLink::new(setup);
        link.host.activate(LINK).pause();
        let frame = link.framed(b"read ahead");
        link.receive(&frame);
        link.host.wait();
        link.host.cycle();
        assert!(link.host.seen(LINK).events.is_empty());
        let socket = link.host.activate(LINK);
        link.host.last_read(&socket);
        assert_eq!(link.host.seen(LINK).events, [Event::Binary(b"read ahead".to_vec())]);
        link.host.destroy_socket(&socket);
    }
}

#[test]
fn a_socket_of_a_thread_is_never_idle() {
    for (family, role) in SETUPS {
        let (ours, theirs) = pair(family);
        let mut owner = LoopOwner::on_threads();
        owner.adopt(ours, role, &[], LINK);
        assert!(!owner.make_idle(LINK));
        let mut peer = Peer::new(theirs, opposite(role));
        peer.send_text("on a thread");
        assert_eq!(owner.until(LINK, |seen| !seen.events.is_empty()).events, [text("on a thread")]);
        owner.cycle();
        assert!(!owner.make_idle(LINK));
        owner.destroy(LINK);
        peer.wait_for_end();
    }
}

#[test]
fn the_owner_answers_pings_after_an_idle_time() {
    for setup in SETUPS {
        let mut link = IdleLink::new(setup);
        let key = key_of(link.peer.role);
        let ping = link.peer.framed(|core| core.ping(key, b"?"));
        link.receive(&ping);
        assert_eq!(link.until(1), [Event::Ping(b"?".to_vec())]);
        assert!(link.becomes_idle());
        link.send(b"no pong before this");
        assert_eq!(link.peer.next(), Event::Binary(b"no pong before this".to_vec()));
    }
}
