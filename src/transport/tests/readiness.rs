//! Readiness is reported once on the event loop: its cause must be found later, when the socket is resumed or
//! collected from, without a new report. And the end of a peer, together with everything else.

use std::net::Shutdown;
use std::thread;

use super::{Event, Family, LINK, Link, LoopOwner, SETUPS, key_of, pattern, text, wait_until};
use crate::protocol::{ProtocolError, Role};
use crate::transport::event_loop::{LARGE_FRAME_TURN, Readiness};
use crate::transport::socket::{Fault, INBOUND_HIGH_WATER};

/// Most bytes that one look at a socket reads: four buffers.
const ONE_LOOK: u64 = 4 * 64 * 1024;

/// Polls until `done` holds for the readiness of the socket. Nothing is read.
fn poll_until(link: &mut Link<LoopOwner>, done: impl Fn(Readiness) -> bool) {
    wait_until(|| {
        link.owner.poll_readiness();
        done(link.owner.ready(LINK))
    });
}

#[test]
fn a_poll_reports_present_readiness() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        assert_eq!(link.owner.poll_readiness(), [LINK]);
        assert_eq!(
            link.owner.ready(LINK),
            Readiness { read: false, ended: false, hung_up: false, write: true }
        );
        assert_eq!(link.owner.poll_readiness(), []);
        link.peer.send_text("data");
        poll_until(&mut link, |ready| ready.read && !ready.ended);
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        poll_until(&mut link, |ready| ready.read && ready.ended);
        assert_eq!(link.owner.poll_readiness(), []);

        // For an added socket, present readiness is reported, too.
        link.owner.poller.remove(&link.socket);
        link.owner.poller.add_fd(&link.socket.owner_fd(), LINK).unwrap();
        let mut told = Vec::new();
        link.owner.poller.poll(|token, ready| told.push((token, ready)));
        assert_eq!(told, [(LINK, Readiness { read: true, ended: true, hung_up: false, write: true })]);
        let seen = link.until(|seen| seen.ended == 1);
        assert_eq!(seen.events, [text("data")]);
    }
}

#[test]
fn bytes_received_during_a_pause_need_no_new_report() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        for round in 1..=3 {
            link.socket.pause();
            link.peer.send_text("unread");
            let read = link.socket.bytes_read();
            poll_until(&mut link, |ready| ready.read);
            link.owner.cycle();
            link.owner.cycle();
            assert_eq!((link.socket.bytes_read(), link.owner.seen(LINK).events.len()), (read, round - 1));
            link.socket.resume();
            assert_eq!(link.owner.poll_readiness(), []);
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
                link.owner.cycle();
                link.owner.poll_readiness();
                link.socket.resume();
                link.owner.wait();
                link.owner.poll_readiness();
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
            poll_until(&mut link, |ready| ready.ended);
            link.owner.cycle();
            assert_eq!(link.owner.seen(LINK).events.is_empty(), paused);
            link.socket.resume();
            let seen = link.until(|seen| seen.ended == 1);
            let expected = (0..5).map(|number| Event::Binary(pattern(number, 20_000)));
            assert!(seen.events.iter().cloned().eq(expected));
            // It is not reported again, and does not keep the loop busy.
            link.owner.cycle();
            assert_eq!((link.owner.collect(LINK), link.owner.poll_readiness()), (false, vec![]));
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
    poll_until(&mut link, |ready| ready.ended);
    let seen = link.until(|seen| !seen.faults.is_empty());
    assert_eq!(seen.faults, [Fault { errno: libc::ECONNRESET, write: false }]);
    assert_eq!((seen.events.len(), seen.ended), (1, 0));
    link.owner.cycle();
    assert_eq!(link.owner.seen(LINK).faults.len(), 1);
    link.queue(b"to a closed peer");
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
                link.owner.poll_readiness();
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
        poll_until(&mut link, |ready| ready.read);
        link.socket.resume();
        let mut read = 0;
        while link.owner.seen(LINK).events.is_empty() {
            link.owner.wait();
            link.owner.cycle();
            let now = link.socket.bytes_read();
            // A turn and the look that follows it in the same cycle.
            assert!(now <= read + 2 * LARGE_FRAME_TURN as u64, "{} bytes in one turn", now - read);
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
        poll_until(&mut link, |ready| ready.read);
        let Link { owner, socket, .. } = &mut link;
        owner.last_read(socket);
        assert_eq!(owner.seen(LINK).events, [text("unread")]);
    }
}

#[test]
fn a_token_reported_late_is_harmless() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        link.owner.cycle();
        link.peer.send_text("unseen");
        // The kernel has reported readiness, but the poller is polled after the socket is gone.
        link.owner.wait();
        link.owner.poller.remove(&link.socket);
        assert_eq!(link.owner.poll_readiness(), []);
        link.socket.destroy();
        link.owner.cycle();
        // A read without cause finds nothing.
        link.owner.move_bytes(LINK);
        assert_eq!((link.owner.collect(LINK), link.owner.seen(LINK).events.len()), (false, 0));
    }
}

#[test]
fn readiness_without_cause_is_harmless() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::small(setup);
        let all = Readiness { read: true, ended: false, hung_up: false, write: true };
        link.owner.set_ready(LINK, all);
        link.owner.cycle();
        assert_eq!(link.owner.ready(LINK), Readiness::default());
        link.queue(&pattern(1, 1024 * 1024));
        assert_ne!(link.socket.write_now(), 0);
        assert!(link.socket.needs_drain(1024 * 1024));
        link.owner.set_ready(LINK, all);
        link.owner.cycle();
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

/// As for a Node socket, an end during a pause is reported if no event precedes it.
#[test]
fn a_paused_socket_reports_an_end_that_no_event_precedes() {
    for setup in SETUPS {
        for has_data in [false, true] {
            let mut link = Link::<LoopOwner>::new(setup);
            link.socket.pause();
            if has_data {
                link.peer.send_text("data");
            }
            link.peer.stream.shutdown(Shutdown::Write).unwrap();
            poll_until(&mut link, |ready| ready.read && ready.ended);
            link.owner.cycle();
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

/// A read stops at urgent data, and bytes behind it are not reported again.
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
        poll_until(&mut link, |ready| ready.read && ready.ended);
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Binary(b"whole".to_vec())]);
    }
}
