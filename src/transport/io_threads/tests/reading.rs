//! Inbound backpressure: pause and high-water mark. Also the end of parsing after a protocol error.

use std::net::Shutdown;
use std::thread;

use super::{Event, Family, Link, Owner, Peer, SETUPS, opposite, pair, text, wait_until};
use crate::protocol::{ProtocolError, Role};
use crate::transport::socket::INBOUND_HIGH_WATER;

/// The most bytes of one read.
const ONE_READ: u64 = 64 * 1024;

#[test]
fn a_paused_socket_is_not_read_until_resumed() {
    const MESSAGES: usize = 8 * 1024;
    for setup in SETUPS {
        let mut link = Link::small(setup);
        link.peer.send_text("before");
        link.until(|seen| seen.events.len() == 1);
        link.socket.pause();
        let read_before = link.socket.bytes_read();

        let bytes = link.peer.binary_frame(&[1; 1024]).repeat(MESSAGES);
        let sent = link.peer.fill(&bytes);
        link.wait_for_thread_paused();
        assert_eq!(link.socket.bytes_read(), read_before);
        assert_eq!(link.owner.collect(), 0);

        link.socket.resume();
        let mut peer = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(|| peer.write(&bytes[sent..]));
            link.until(|seen| seen.events.len() == 1 + MESSAGES);
        });
    }
}

#[test]
fn input_of_several_turns_is_read_to_the_end() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        link.socket.pause();
        // One message, so that the owner has no event to collect. The kernel's buffers have input for several
        // turns.
        let bytes = link.peer.binary_frame(&vec![1; 16 * 1024 * 1024]);
        let sent = link.peer.fill(&bytes);
        link.socket.resume();
        wait_until(|| link.socket.bytes_read() == sent as u64);
        link.peer.write(&bytes[sent..=sent]);
        wait_until(|| link.socket.bytes_read() == sent as u64 + 1);
    }
}

#[test]
fn repeated_pauses_lose_no_event() {
    const MESSAGES: usize = 3000;
    for setup in SETUPS {
        let mut link = Link::new(setup);
        let bytes = link.peer.binary_frame(&[1; 500]).repeat(MESSAGES);
        let mut peer = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || peer.write(&bytes));
            link.until(|seen| !seen.events.is_empty());
            while link.owner.seen(7).events.len() < MESSAGES {
                link.socket.pause();
                link.socket.resume();
                link.owner.wait();
                link.socket.pause();
                link.owner.collect();
                link.socket.resume();
                link.owner.collect();
            }
        });
    }
}

#[test]
fn events_before_a_pause_are_delivered_after_it() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        link.peer.ping(b"");
        assert_eq!(link.peer.next(), Event::Pong(Vec::new()));
        link.socket.pause();
        // The socket is in the mailbox since before the pause.
        assert_eq!(link.owner.collect(), 1);
        assert!(link.owner.seen(7).events.is_empty());
        assert_eq!(link.owner.rings(), 1);
        link.socket.resume();
        assert_eq!(link.owner.rings(), 2);
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Ping(Vec::new())]);
    }
}

#[test]
fn a_paused_socket_reports_its_output() {
    for setup in SETUPS {
        let mut link = Link::small(setup);
        link.peer.ping(b"");
        assert_eq!(link.peer.next(), Event::Pong(Vec::new()));
        link.socket.pause();
        link.queue(&vec![1; 1024 * 1024]);
        assert_ne!(link.socket.write_now(), 0);
        assert!(link.socket.needs_drain(1024 * 1024));
        link.socket.notify();
        link.socket.shutdown();
        let total = link.queued_total();
        while link.peer.next_if_any().is_some() {}
        let seen = link.until(|seen| seen.shut_down == 1);
        assert_eq!((&seen.written[..], seen.drained), (&[total][..], 1));
        assert!(seen.events.is_empty());
        link.socket.resume();
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Ping(Vec::new())]);
    }
}

#[test]
fn a_failure_ends_a_pause_and_keeps_events() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        link.peer.ping(b"");
        assert_eq!(link.peer.next(), Event::Pong(Vec::new()));
        link.socket.pause();
        link.peer.stream.shutdown(Shutdown::Both).unwrap();
        let Link { owner, socket, peer, role } = &mut link;
        *peer = Peer::new(pair(Family::Unix).1, peer.role);
        wait_until(|| {
            socket.with_connection(|core| core.send(true, true, super::key_of(*role), b"hello?")).unwrap();
            socket.write_now();
            owner.collect();
            !owner.seen(7).faults.is_empty()
        });
        assert!(owner.seen(7).events.is_empty());
        owner.last_read(socket);
        assert_eq!(owner.seen(7).events, [Event::Ping(Vec::new())]);
    }
}

#[test]
fn input_left_by_a_full_inbox_after_a_pause_is_read() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        let frame = link.peer.binary_frame(&[1; 1024]);
        let until_full = INBOUND_HIGH_WATER / (1024 + 32) + 1;
        let (before, during) = (until_full - 16, 100);
        let bytes = |messages: usize| (messages * frame.len()) as u64;
        link.peer.write(&frame.repeat(before));
        wait_until(|| link.socket.bytes_read() >= bytes(before));
        link.socket.pause();
        // The poller reports these bytes during the pause, and not again.
        link.peer.write(&frame.repeat(during));
        link.wait_for_thread_paused();
        link.socket.resume();
        wait_until(|| link.socket.bytes_read() >= bytes(until_full));
        link.until(|seen| seen.events.len() == before + during);
    }
}

/// A peer that sends without end, to an owner that collects no event.
fn high_water(setup: (Family, Role), payload: usize) {
    let mut link = Link::small(setup);
    let frame = link.peer.binary_frame(&vec![1; payload]);
    let until_full = INBOUND_HIGH_WATER / (payload + 32) + 1;
    let messages = until_full + 1024 * 1024 / frame.len();
    let bytes = frame.repeat(messages);
    let full = (until_full * frame.len()) as u64;
    let mut peer = link.peer.second();
    thread::scope(|scope| {
        scope.spawn(move || peer.write(&bytes));
        wait_until(|| link.socket.bytes_read() >= full);
        let read = link.socket.bytes_read();
        assert!(read <= full + ONE_READ, "{read} bytes were read");
        // The thread polls the socket, but does not read it.
        link.wait_for_thread();
        assert_eq!(link.socket.bytes_read(), read);
        assert_eq!(link.owner.rings(), 1);
        link.until(|seen| seen.events.len() == messages);
    });
}

#[test]
fn reading_stops_at_the_high_water_mark_until_collected() {
    for setup in SETUPS {
        high_water(setup, 1000);
    }
}

#[test]
fn events_without_payload_fill_the_inbox_too() {
    high_water((Family::Unix, Role::Server), 0);
    high_water((Family::Tcp, Role::Client), 0);
}

#[test]
fn a_head_can_fill_the_inbox() {
    let (ours, theirs) = pair(Family::Tcp);
    let mut peer = Peer::new(theirs, opposite(Role::Server));
    let head = peer.binary_frame(&vec![1; INBOUND_HIGH_WATER + 1]);
    let mut owner = Owner::new();
    peer.send_text("more");
    let socket = owner.adopt(ours, Role::Server, &head, 1);
    // Waits until the thread has polled the socket.
    socket.with_connection(|core| core.ping(None, b"")).unwrap();
    socket.flush();
    assert_eq!(peer.next(), Event::Ping(Vec::new()));
    assert_eq!(socket.bytes_read(), head.len() as u64);
    assert_eq!(owner.until(1, |seen| seen.events.len() == 2).events[1], text("more"));
    socket.destroy();
}

#[test]
fn nothing_is_parsed_after_a_protocol_error() {
    for setup in SETUPS {
        let mut link = Link::new(setup);
        link.peer.send_text("fine");
        let mut broken = link.peer.binary_frame(b"broken");
        broken[0] |= 0x20;
        link.peer.write(&broken);
        for _ in 0..100 {
            link.peer.send_text("too late");
            link.peer.ping(b"too late");
        }
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        let seen = link.until(|seen| seen.ended == 1);
        assert_eq!(seen.events, [text("fine"), Event::Failed(ProtocolError::UnexpectedRsv23)]);
        // No pong was sent, and a close frame still can be.
        let role = link.role;
        link.socket.with_connection(|core| core.close(Some(1002), b"", super::key_of(role))).unwrap();
        link.socket.shutdown();
        assert_eq!(link.peer.next(), Event::Close(1002));
        assert_eq!(link.peer.next_if_any(), None);
    }
}
