//! Readiness on the event loop is told once: what it was about must be found later, when the socket is resumed or
//! collected from, without anything new being told. And the end of a peer, in every company.

use std::net::Shutdown;
use std::thread;

use super::{Event, Family, LINK, Link, LoopOwner, SETUPS, key_of, pattern, text, wait_until};
use crate::protocol::{ProtocolError, Role};
use crate::transport::event_loop::Readiness;
use crate::transport::socket::{Fault, INBOUND_HIGH_WATER};

/// What one look at a socket reads at most: four buffers.
const ONE_LOOK: u64 = 4 * 64 * 1024;

/// Has the poller tell until `done` holds for what is known of the socket. Nothing is read.
fn listen_until(link: &mut Link<LoopOwner>, done: impl Fn(Readiness) -> bool) {
    wait_until(|| {
        link.owner.listen();
        done(link.owner.ready(LINK))
    });
}

#[test]
fn a_turn_tells_of_what_is_there_at_once() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        assert_eq!(link.owner.listen(), [LINK]);
        assert_eq!(
            link.owner.ready(LINK),
            Readiness { read: false, ended: false, hung_up: false, write: true }
        );
        assert_eq!(link.owner.listen(), []);
        link.peer.send_text("data");
        listen_until(&mut link, |ready| ready.read && !ready.ended);
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        listen_until(&mut link, |ready| ready.read && ready.ended);
        assert_eq!(link.owner.listen(), []);

        // Of a socket that is added all is told, also what was there before.
        link.owner.poller.remove(&link.socket);
        link.owner.poller.add(&link.socket).unwrap();
        let mut told = Vec::new();
        link.owner.poller.poll(|token, ready| told.push((token, ready)));
        assert_eq!(told, [(LINK, Readiness { read: true, ended: true, hung_up: false, write: true })]);
        let seen = link.until(|seen| seen.ended == 1);
        assert_eq!(seen.events, [text("data")]);
    }
}

#[test]
fn what_came_during_a_pause_is_found_without_a_new_event() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        for round in 1..=3 {
            link.socket.pause();
            link.peer.send_text("unread");
            let read = link.socket.bytes_read();
            listen_until(&mut link, |ready| ready.read);
            link.owner.turn();
            link.owner.turn();
            assert_eq!((link.socket.bytes_read(), link.owner.seen(LINK).events.len()), (read, round - 1));
            link.socket.resume();
            assert_eq!(link.owner.listen(), []);
            assert_eq!(link.until(|seen| seen.events.len() == round).events[round - 1], text("unread"));
        }
    }
}

#[test]
fn pausing_again_and_again_loses_nothing() {
    const MESSAGES: usize = 3000;
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::small(setup);
        let mut peer = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || {
                for number in 0..MESSAGES {
                    let frame = peer.binary_frame(&pattern(number, 500));
                    peer.write(&frame);
                }
            });
            while link.owner.seen(LINK).events.len() < MESSAGES {
                link.socket.pause();
                link.owner.turn();
                link.owner.listen();
                link.socket.resume();
                link.owner.wait();
                link.owner.listen();
                link.owner.move_bytes(LINK);
                link.socket.pause();
                assert!(!link.owner.collect(LINK));
                link.socket.resume();
                link.owner.collect(LINK);
            }
        });
        let expected = (0..MESSAGES).map(|number| Event::Binary(pattern(number, 500)));
        assert!(link.owner.seen(LINK).events.iter().cloned().eq(expected));
    }
}

#[test]
fn an_end_that_came_with_data_is_found_after_it() {
    for setup in SETUPS {
        for paused in [false, true] {
            let mut link = Link::<LoopOwner>::new(setup);
            if paused {
                link.socket.pause();
            }
            // More than one look reads.
            for number in 0..5 {
                let frame = link.peer.binary_frame(&pattern(number, 20_000));
                link.peer.write(&frame);
            }
            link.peer.stream.shutdown(Shutdown::Write).unwrap();
            listen_until(&mut link, |ready| ready.ended);
            link.owner.turn();
            assert_eq!(link.owner.seen(LINK).events.is_empty(), paused);
            link.socket.resume();
            let seen = link.until(|seen| seen.ended == 1);
            let expected = (0..5).map(|number| Event::Binary(pattern(number, 20_000)));
            assert!(seen.events.iter().cloned().eq(expected));
            // It is not told again, and does not keep the loop busy.
            link.owner.turn();
            assert_eq!((link.owner.collect(LINK), link.owner.listen()), (false, vec![]));
            // It can still be answered.
            link.send(b"answer");
            assert_eq!(link.peer.next(), Event::Binary(b"answer".to_vec()));
        }
    }
}

#[test]
fn a_reset_during_a_pause_is_a_read_fault_at_once() {
    let mut link = Link::<LoopOwner>::new((Family::Tcp, Role::Server));
    link.peer.send_text("before");
    link.until(|seen| seen.events.len() == 1);
    link.socket.pause();
    link.lose_peer();
    listen_until(&mut link, |ready| ready.ended);
    let seen = link.until(|seen| !seen.faults.is_empty());
    assert_eq!(seen.faults, [Fault { errno: libc::ECONNRESET, write: false }]);
    assert_eq!((seen.events.len(), seen.ended), (1, 0));
    link.owner.turn();
    assert_eq!(link.owner.seen(LINK).faults.len(), 1);
    link.queue(b"to nobody");
    assert_ne!(link.socket.write_now(), 0);
}

#[test]
fn reading_stops_at_the_high_water_mark_until_collected() {
    const MESSAGES: usize = 2000;
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::small(setup);
        let frame = link.peer.binary_frame(&[1; 1000]);
        let bytes = frame.repeat(MESSAGES);
        let full = (INBOUND_HIGH_WATER / 1032) as u64 * frame.len() as u64;
        let mut peer = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || peer.write(&bytes));
            wait_until(|| {
                link.owner.listen();
                link.owner.move_bytes(LINK);
                !link.socket.interest().read
            });
            let read = link.socket.bytes_read();
            assert!(full <= read && read <= full + ONE_LOOK, "{read} bytes were read");
            link.owner.move_bytes(LINK);
            assert_eq!(link.socket.bytes_read(), read);
            link.until(|seen| seen.events.len() == MESSAGES);
        });
    }
}

#[test]
fn one_look_does_not_read_without_end() {
    let mut link = Link::<LoopOwner>::new((Family::Unix, Role::Server));
    link.socket.pause();
    // One message, so that nothing is for the owner to collect.
    let bytes = link.peer.binary_frame(&pattern(0, 8 * 1024 * 1024));
    let mut peer = link.peer.second();
    thread::scope(|scope| {
        scope.spawn(move || peer.write(&bytes));
        listen_until(&mut link, |ready| ready.read);
        link.socket.resume();
        let mut read = 0;
        while link.owner.seen(LINK).events.is_empty() {
            link.owner.wait();
            link.owner.turn();
            let now = link.socket.bytes_read();
            assert!(now <= read + 2 * ONE_LOOK, "{} bytes in one turn", now - read);
            read = now;
        }
        assert_eq!(link.owner.seen(LINK).events, [Event::Binary(pattern(0, 8 * 1024 * 1024))]);
    });
}

#[test]
fn a_last_read_finds_what_a_pause_held_back() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        link.socket.pause();
        link.peer.send_text("unread");
        listen_until(&mut link, |ready| ready.read);
        let Link { owner, socket, .. } = &mut link;
        owner.last_read(socket);
        assert_eq!(owner.seen(LINK).events, [text("unread")]);
    }
}

#[test]
fn a_token_that_is_told_late_is_harmless() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        link.owner.turn();
        link.peer.send_text("unseen");
        // The kernel has told; nobody has listened when the socket goes.
        link.owner.wait();
        link.owner.poller.remove(&link.socket);
        assert_eq!(link.owner.listen(), []);
        link.socket.destroy();
        link.owner.turn();
        // Somebody who believes that there is something finds nothing.
        link.owner.move_bytes(LINK);
        assert_eq!((link.owner.collect(LINK), link.owner.seen(LINK).events.len()), (false, 0));
    }
}

#[test]
fn readiness_without_cause_is_harmless() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::small(setup);
        let all = Readiness { read: true, ended: false, hung_up: false, write: true };
        link.owner.believe(LINK, all);
        link.owner.turn();
        assert_eq!(link.owner.ready(LINK), Readiness::default());
        link.queue(&pattern(1, 1024 * 1024));
        assert_ne!(link.socket.write_now(), 0);
        assert!(link.socket.needs_drain(1024 * 1024));
        link.owner.believe(LINK, all);
        link.owner.turn();
        let mut reading = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || assert_eq!(reading.next(), Event::Binary(pattern(1, 1024 * 1024))));
            link.until(|seen| seen.drained == 1);
        });
        link.peer.send_text("still here");
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [text("still here")]);
    }
}

#[test]
fn nothing_is_parsed_after_a_protocol_error() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        let mut broken = link.peer.binary_frame(b"broken");
        broken[0] |= 0x20;
        link.peer.write(&broken);
        link.peer.send_text("too late");
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        let seen = link.until(|seen| seen.ended == 1);
        assert_eq!(seen.events, [Event::Failed(ProtocolError::UnexpectedRsv23)]);
        let role = link.role;
        link.socket.with_connection(|core| core.close(Some(1002), b"", key_of(role))).unwrap();
        link.socket.shutdown();
        assert_eq!((link.peer.next(), link.peer.next_if_any()), (Event::Close(1002), None));
    }
}

/// A paused socket of Node's has an end told that nothing is in front of, and none that something is.
#[test]
fn a_paused_socket_is_told_of_a_bare_end() {
    for setup in SETUPS {
        for has_data in [false, true] {
            let mut link = Link::<LoopOwner>::new(setup);
            link.socket.pause();
            if has_data {
                link.peer.send_text("data");
            }
            link.peer.stream.shutdown(Shutdown::Write).unwrap();
            listen_until(&mut link, |ready| ready.read && ready.ended);
            link.owner.turn();
            assert_eq!(link.owner.seen(LINK).ended, usize::from(!has_data));
            assert!(link.owner.seen(LINK).events.is_empty());
            link.socket.resume();
            let seen = link.until(|seen| seen.ended == 1);
            assert_eq!(seen.events.len(), usize::from(has_data));
        }
    }
}

#[test]
fn a_paused_socket_notices_a_reset_and_keeps_what_was_before_it() {
    for role in [Role::Server, Role::Client] {
        let mut link = Link::<LoopOwner>::new((Family::Tcp, role));
        link.socket.pause();
        link.peer.send_text("data");
        link.lose_peer();
        assert_eq!(link.until(|seen| !seen.faults.is_empty()).events, []);
        let socket = link.socket.clone();
        link.owner.last_read(&socket);
        assert_eq!(link.owner.seen(LINK).events, [text("data")]);
    }
}

/// A read stops at urgent data, and what is behind it is not told of again.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn urgent_data_stalls_nothing() {
    for role in [Role::Server, Role::Client] {
        let mut link = Link::<LoopOwner>::new((Family::Tcp, role));
        let frame = link.peer.framed(|core| core.send(true, true, key_of(super::opposite(role)), b"whole"));
        let (first, rest) = frame.split_at(3);
        link.peer.stream.send(first).unwrap();
        link.peer.stream.send_with_flags(b"!", libc::MSG_OOB).unwrap();
        link.peer.stream.send(rest).unwrap();
        listen_until(&mut link, |ready| ready.read && ready.ended);
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Binary(b"whole".to_vec())]);
    }
}
