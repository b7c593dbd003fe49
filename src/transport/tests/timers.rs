//! Time limits of connections: the real event loop, sockets and frames, and a clock that the tests move.

use std::io::{Read, Write};
use std::thread;

use super::{
    Event, Family, LINK, LoopOwner, Owns, Peer, SETUPS, key_of, opposite, pair, pattern, shrink_buffers,
};
use crate::connection::{HEARTBEAT_PAYLOAD, TimeLimits};
use crate::protocol::Role;
use crate::transport::timers::DueAction;
use crate::transport::transports::{Backend, Transport};

const TIMEOUT: u64 = 30_000;
/// Longest delay by rounding: of the moment of an event, of a deadline, and of the deadline behind a ping.
const SLACK: u64 = 4 * 64;
const LIMITS: TimeLimits = TimeLimits { idle_timeout: TIMEOUT as u32, max_lifetime: 0, send_pings: true };

struct TimedLink {
    host: LoopOwner,
    peer: Peer,
    role: Role,
    /// Another handle of the socket.
    second: socket2::Socket,
}

impl TimedLink {
    fn new((family, role): (Family, Role), host: LoopOwner, limits: TimeLimits) -> Self {
        let (ours, theirs) = pair(family);
        shrink_buffers([&ours, &theirs]);
        let mut host = host.with_time_limits(limits);
        let second = ours.try_clone().unwrap();
        host.adopt(ours, role, &[], LINK);
        Self { host, peer: Peer::new(theirs, opposite(role)), role, second }
    }

    fn is_idle(&self) -> bool {
        self.host.idle(LINK).is_some()
    }

    fn is_on_thread(&self) -> bool {
        !self.is_idle() && self.host.is_on_thread(LINK)
    }

    /// Lets time pass, as a host does: its timer fires when it is due, and the loop has polled then.
    fn pass(&mut self, millis: u64) -> Vec<DueAction> {
        let end = self.host.host().nanos.get() + millis * 1_000_000;
        let mut actions = Vec::new();
        self.host.cycle();
        while let Some(delay) = self.host.event_loop.timer_delay(false) {
            let nanos = self.host.host().nanos.get();
            let next = nanos + u64::from(delay.max(1)) * 1_000_000;
            if next > end {
                break;
            }
            self.host.host().nanos.set(next);
            self.host.cycle();
            let due = self.host.event_loop.check_timers();
            actions.extend(due.into_iter().map(|due| {
                assert_eq!(u64::from(due.id), LINK);
                due.action
            }));
        }
        self.host.host().nanos.set(end);
        actions
    }

    /// Expects an automatic ping at the peer, and nothing else.
    fn expect_ping(&mut self) {
        assert_eq!(self.peer.next(), Event::Ping(HEARTBEAT_PAYLOAD.to_vec()));
    }

    /// Has the peer send frames, and the loop receive them.
    fn receive(&mut self, bytes: &[u8]) {
        let before = self.bytes_read();
        self.peer.write(bytes);
        while self.bytes_read() < before + bytes.len() as u64 {
            // A part of a frame makes no event on an I/O thread.
            thread::yield_now();
            self.host.cycle();
        }
    }

    fn queued(&self) -> u64 {
        self.host.with_transport(LINK, |transport, _| transport.totals().queued)
    }

    /// Bytes that have reached the peer's system.
    fn acknowledged(&self) -> u64 {
        self.host.with_transport(LINK, |transport, _| transport.active().unwrap().socket().acknowledged())
    }

    fn bytes_read(&self) -> u64 {
        self.host.with_transport(LINK, |transport, _| transport.totals().read)
    }

    fn pong(&mut self, payload: &[u8]) {
        let key = key_of(self.peer.role);
        let frame = self.peer.framed(|core| core.pong(key, payload));
        self.receive(&frame);
    }

    fn seen(&mut self) -> Vec<Event> {
        self.host.cycle();
        self.host.seen(LINK).events.clone()
    }
}

/// Links of all kinds, over the event loop and I/O threads.
fn for_all(limits: TimeLimits, test: impl Fn(&mut TimedLink)) {
    for setup in SETUPS {
        for create in [LoopOwner::new, LoopOwner::on_threads] {
            test(&mut TimedLink::new(setup, create(), limits));
        }
    }
}

fn for_event_loop(limits: TimeLimits, test: impl Fn(&mut TimedLink)) {
    for setup in SETUPS {
        test(&mut TimedLink::new(setup, LoopOwner::new(), limits));
    }
}

#[test]
fn a_silent_peer_is_pinged_at_half_time_and_lost_at_the_end() {
    for_all(LIMITS, |link| {
        let is_idle = link.is_idle();
        assert_eq!(link.pass(TIMEOUT / 2 - 1), []);
        assert_eq!(link.queued(), 0);
        assert_eq!(link.pass(SLACK), []);
        link.expect_ping();
        assert_eq!(link.is_idle(), is_idle);
        assert_eq!(link.pass(TIMEOUT / 2 - SLACK), []);
        assert_eq!(link.pass(SLACK), [DueAction::Terminate]);
        // Once.
        assert_eq!(link.pass(10 * TIMEOUT), []);
    });
}

#[test]
fn an_idle_connection_stays_idle_while_its_peer_answers() {
    for_event_loop(LIMITS, |link| {
        for _ in 0..20 {
            assert!(link.is_idle());
            assert_eq!(link.pass(TIMEOUT / 2 + SLACK), []);
            link.expect_ping();
            link.pong(HEARTBEAT_PAYLOAD);
            assert!(link.is_idle());
        }
        assert_eq!(link.seen(), []);
        assert_eq!(link.host.host().deliveries.borrow().len(), 0);
        assert_eq!(link.host.event_loop.active_count(), 0);
    });
}

#[test]
fn an_active_connection_keeps_pongs_of_automatic_pings_to_itself() {
    for_all(LIMITS, |link| {
        link.host.activate(LINK);
        for _ in 0..5 {
            let queued = link.queued();
            // A thread has a clock of its own: to it, the pong has come just now.
            while link.queued() == queued {
                assert_eq!(link.pass(SLACK), []);
            }
            link.expect_ping();
            // In two parts, the first of which is no frame.
            let key = key_of(link.peer.role);
            let frame = link.peer.framed(|core| core.pong(key, HEARTBEAT_PAYLOAD));
            link.receive(&frame[..3]);
            link.receive(&frame[3..]);
        }
        link.pong(b"the program's own");
        link.host.until(LINK, |seen| !seen.events.is_empty());
        assert_eq!(link.seen(), [Event::Pong(b"the program's own".to_vec())]);
    });
}

#[test]
fn an_idle_connection_receives_other_frames_as_any() {
    for_event_loop(LIMITS, |link| {
        let key = key_of(link.peer.role);
        let frames = link.peer.framed(|core| {
            core.pong(key, HEARTBEAT_PAYLOAD);
            core.send(false, true, key, b"behind a pong");
        });
        let large = link.peer.binary_frame(&pattern(0, 30_000));
        link.receive(&frames);
        assert_eq!(link.seen(), [Event::Text("behind a pong".into())]);
        assert!(link.host.make_idle(LINK));
        link.receive(&large[..10]);
        assert!(!link.host.make_idle(LINK));
        link.receive(&large[10..]);
        link.host.until(LINK, |seen| seen.events.len() == 2);
        assert!(link.seen()[1] == Event::Binary(pattern(0, 30_000)));
        assert!(link.host.make_idle(LINK));
        link.pong(b"");
        assert_eq!(link.seen()[2], Event::Pong(Vec::new()));
    });
}

#[test]
fn the_end_of_a_peer_reaches_an_idle_connection() {
    for_event_loop(LIMITS, |link| {
        link.pong(HEARTBEAT_PAYLOAD);
        link.peer.stream.shutdown(std::net::Shutdown::Write).unwrap();
        link.host.until(LINK, |seen| seen.ended == 1);
    });
}

#[test]
fn any_bytes_count_and_without_pings_only_they_do() {
    for_all(TimeLimits { send_pings: false, ..LIMITS }, |link| {
        let frame = link.peer.binary_frame(&[7; 40]);
        for byte in frame.chunks(1) {
            assert_eq!(link.pass(TIMEOUT - 1), []);
            link.receive(byte);
        }
        let more = if link.is_on_thread() { TIMEOUT } else { 0 };
        assert_eq!(link.pass(TIMEOUT - 1), []);
        assert_eq!(link.pass(more + SLACK), [DueAction::Terminate]);
        assert_eq!(link.queued(), 0);
    });
}

#[test]
fn bytes_that_wait_unread_are_no_silence() {
    for_event_loop(TimeLimits { send_pings: false, ..LIMITS }, |link| {
        let frame = link.peer.binary_frame(b"it had no turn to be read");
        link.peer.write(&frame);
        // The timer fires although the loop has not polled.
        link.host.host().nanos.set(2 * TIMEOUT * 1_000_000);
        assert_eq!(link.host.event_loop.check_timers(), []);
        assert_eq!(link.pass(TIMEOUT - 1), []);
        assert_eq!(link.pass(SLACK), [DueAction::Terminate]);
    });
}

#[test]
fn a_peer_has_half_of_the_time_to_answer_a_late_ping() {
    for_all(LIMITS, |link| {
        link.host.host().nanos.set(10 * TIMEOUT * 1_000_000);
        assert_eq!(link.host.event_loop.check_timers(), []);
        link.expect_ping();
        assert_eq!(link.pass(TIMEOUT / 2 - 1), []);
        assert_eq!(link.pass(SLACK), [DueAction::Terminate]);
    });
}

#[test]
fn a_paused_connection_is_kept() {
    for_all(LIMITS, |link| {
        link.host.activate(LINK).pause();
        assert_eq!(link.pass(5 * TIMEOUT), []);
        link.host.activate(LINK).resume();
        assert_eq!(link.pass(2 * TIMEOUT), [DueAction::Terminate]);
    });
}

#[test]
fn a_peer_that_reads_slowly_is_kept_and_one_that_stops_is_lost() {
    for_all(LIMITS, |link| {
        let (data, key) = (pattern(0, 8 * 1024 * 1024), key_of(link.role));
        let socket = link.host.activate(LINK);
        socket.with_connection(|connection| connection.send(true, true, key, &data)).unwrap();
        socket.flush();
        link.host.cycle();
        link.peer.stream.set_nonblocking(true).unwrap();
        for _ in 0..4 {
            assert_eq!(link.pass(TIMEOUT * 3 / 4), []);
            let (mut part, mut length, before) = (vec![0; 16 * 1024], 0, link.acknowledged());
            // An I/O thread, and the kernel, work at their own pace.
            while length < 128 * 1024 || link.acknowledged() <= before {
                length += (&link.peer.stream).read(&mut part).unwrap_or(0);
                link.host.cycle();
            }
        }
        assert_eq!(link.pass(3 * TIMEOUT), [DueAction::Terminate]);
    });
}

#[test]
fn a_ping_that_the_kernel_refuses_is_sent_later() {
    for_event_loop(LIMITS, |link| {
        // Bytes that the idle connection does not know of.
        let mut filled = 0;
        while let Ok(length) = (&link.second).write(&[0; 4096]) {
            filled += length;
        }
        assert_eq!(link.pass(TIMEOUT / 2 + SLACK), []);
        assert!(!link.is_idle());
        let mut bytes = vec![0; filled];
        link.peer.stream.read_exact(&mut bytes).unwrap();
        while link.host.with_transport(LINK, |transport, _| transport.totals().pending()) > 0 {
            link.host.wait();
            link.host.cycle();
        }
        link.expect_ping();
    });
}

#[test]
fn a_closing_connection_is_left_to_the_closing_handshake() {
    for_all(TimeLimits { max_lifetime: 3 * TIMEOUT as u32, ..LIMITS }, |link| {
        let key = key_of(link.role);
        link.host.with_transport(LINK, |transport, event_loop| {
            transport.run(event_loop, |connection| connection.close(Some(1000), b"", key));
        });
        link.host.cycle();
        assert_eq!(link.pass(10 * TIMEOUT), []);
        assert_eq!(link.peer.next(), Event::Close(1000));
    });
}

#[test]
fn a_lifetime_ends_once_whatever_the_peer_does() {
    for_all(TimeLimits { idle_timeout: 0, max_lifetime: 3 * TIMEOUT as u32, send_pings: true }, |link| {
        for _ in 0..3 {
            let frame = link.peer.binary_frame(b"busy");
            assert_eq!(link.pass(TIMEOUT - 1), []);
            link.receive(&frame);
        }
        assert_eq!(link.pass(SLACK), [DueAction::Close]);
        assert_eq!(link.pass(10 * TIMEOUT), []);
    });
}

#[test]
fn deadlines_of_a_closed_connection_do_not_meet_the_next_one() {
    for setup in SETUPS {
        let mut link = TimedLink::new(setup, LoopOwner::new(), LIMITS);
        assert_eq!(link.pass(TIMEOUT / 2 - 1), []);
        link.host.destroy(LINK);
        link.host.event_loop.transports().remove(LINK as u32);
        let (ours, theirs) = pair(setup.0);
        link.host.adopt(ours, setup.1, &[], LINK);
        link.peer = Peer::new(theirs, opposite(setup.1));
        assert_eq!(link.pass(TIMEOUT / 2 - 1), []);
        assert_eq!(link.queued(), 0);
        assert_eq!(link.pass(SLACK), []);
        link.expect_ping();
    }
}

#[test]
fn a_stream_is_passed_to_the_host() {
    let host = LoopOwner::new();
    let mut config = super::config(Role::Server, false);
    config.time_limits = LIMITS;
    let stream = std::rc::Rc::new(std::cell::RefCell::new(Transport::over_stream(config.into())));
    let id = host.event_loop.transports().insert(std::rc::Rc::clone(&stream));
    host.event_loop.watch(id, &LIMITS);
    let at = |millis: u64| {
        host.host().nanos.set(millis * 1_000_000);
        let due = host.event_loop.check_timers();
        if let Backend::Stream(stream) = stream.borrow_mut().backend()
            && due.iter().any(|due| due.action == DueAction::Flush)
        {
            assert_eq!(stream.connection.output(), b"\x89\x05idle\0");
            stream.discard_output();
        }
        due.into_iter().map(|due| due.action).collect::<Vec<_>>()
    };
    assert_eq!(at(TIMEOUT / 2 - 1), []);
    assert_eq!(at(TIMEOUT / 2 + SLACK), [DueAction::Flush]);
    host.event_loop.note_received(id);
    assert_eq!(at(TIMEOUT + 2 * SLACK), [DueAction::Flush]);
    assert_eq!(at(3 * TIMEOUT / 2 + 3 * SLACK), [DueAction::Terminate]);
    // The host has found another sign.
    host.event_loop.note_alive(id);
    assert_eq!(at(2 * TIMEOUT + 4 * SLACK), [DueAction::Flush]);
}
