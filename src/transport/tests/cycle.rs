//! The event loop's own rules: order within a cycle, memory of large messages, idle sweeps, references, and the end of its owner.

use std::net::Shutdown;
use std::thread;

use super::{
    Event, Family, LINK, Link, LoopOwner, OneKey, Owns, Peer, SETUPS, key_of, opposite, pair, pattern, text,
    wait_until,
};
use crate::protocol::Role;
use crate::transport::event_loop::{HandedBackEvents, SocketCommand};

const MEGABYTE: usize = 1024 * 1024;

/// Sends a binary message by way of the transport, as the addon does. It leaves with the next flush.
fn run_send(link: &LoopOwner, token: u64, role: Role, data: &[u8]) {
    link.with_transport(token, |transport, event_loop| {
        transport.run(event_loop, |connection| connection.send(true, true, key_of(role), data))
    });
}

#[test]
fn output_of_a_tick_leaves_with_one_flush() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        for number in 0..3 {
            run_send(&link.owner, LINK, link.role, &[number]);
        }
        assert_eq!(link.pending(), link.queued_total());
        link.owner.event_loop.flush();
        assert_eq!(link.pending(), 0);
        for number in 0..3 {
            assert_eq!(link.peer.next(), Event::Binary(vec![number]));
        }
    }
}

#[test]
fn queued_output_leaves_before_the_poller_is_polled() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        run_send(&link.owner, LINK, link.role, b"queued");
        link.owner.event_loop.on_readable();
        assert_eq!(link.pending(), 0);
        assert_eq!(link.peer.next(), Event::Binary(b"queued".to_vec()));
    }
}

#[test]
fn events_known_before_a_poll_are_delivered_before_those_it_reads() {
    let mut owner = LoopOwner::new();
    let (first, theirs) = pair(Family::Unix);
    let mut first_peer = Peer::new(theirs, Role::Client);
    let (second, theirs) = pair(Family::Unix);
    let mut second_peer = Peer::new(theirs, Role::Client);
    owner.take(first, Role::Server, &[], 0);
    owner.take(second, Role::Server, &[], 1);
    // The second connection has a parsed event when bytes of the first one arrive.
    second_peer.send_text("known");
    wait_until(|| {
        owner.poll_readiness();
        owner.move_bytes(1);
        owner.activate(1).interest().deliver
    });
    first_peer.send_text("read later");
    owner.with_transport(1, |transport, event_loop| {
        transport.execute(event_loop, SocketCommand::Resume);
    });
    owner.until(0, |seen| !seen.events.is_empty());
    assert_eq!(*owner.host().deliveries.borrow(), [1, 0]);
}

#[test]
fn an_end_behind_messages_is_delivered_one_cycle_later() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        link.peer.send_text("last words");
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        wait_until(|| {
            link.owner.poll_readiness();
            link.owner.ready(LINK).ended
        });
        link.owner.cycle();
        let seen = link.owner.seen(LINK);
        assert_eq!((&seen.events[..], seen.ended), (&[text("last words")][..], 0));
        assert_eq!(link.until(|seen| seen.ended == 1).events, [text("last words")]);
    }
}

#[test]
fn an_end_behind_bytes_without_an_event_is_delivered_one_cycle_later() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        let frame = link.peer.binary_frame(b"incomplete");
        link.peer.write(&frame[..frame.len() - 1]);
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        wait_until(|| {
            link.owner.poll_readiness();
            link.owner.ready(LINK).ended
        });
        link.owner.cycle();
        assert_eq!((link.socket.bytes_read() > 0, link.owner.seen(LINK).ended), (true, 0));
        link.owner.cycle();
        assert_eq!(link.owner.seen(LINK).ended, 1);
    }
}

/// Both sides have ended when the peer's last message is read: the host's loop decides.
#[test]
fn an_end_of_both_sides_is_delivered_as_by_the_loop_of_the_host() {
    for setup in SETUPS {
        for at_once in [false, true] {
            let mut link = Link::<LoopOwner>::new(setup);
            link.owner.host().reports_end_with_bytes.set(at_once);
            link.socket.shutdown();
            link.until(|seen| seen.shut_down == 1);
            link.peer.send_text("last words");
            link.peer.stream.shutdown(Shutdown::Write).unwrap();
            wait_until(|| {
                link.owner.poll_readiness();
                link.owner.ready(LINK).hung_up
            });
            link.owner.cycle();
            let seen = link.owner.seen(LINK);
            assert_eq!((&seen.events[..], seen.ended), (&[text("last words")][..], usize::from(at_once)));
            assert_eq!(link.until(|seen| seen.ended == 1).events, [text("last words")]);
        }
    }
}

#[test]
fn the_payload_of_a_large_frame_has_memory_of_its_own() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::small(setup);
        let mut peer = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || {
                for number in 0..3 {
                    let frame = peer.binary_frame(&pattern(number, 3 * MEGABYTE));
                    peer.write(&frame);
                }
            });
            link.until(|seen| seen.events.len() == 3);
        });
        let expected = (0..3).map(|number| Event::Binary(pattern(number, 3 * MEGABYTE)));
        assert!(link.owner.seen(LINK).events.iter().cloned().eq(expected));
        assert!(link.owner.host().allocations.get() > 0);
    }
}

#[test]
fn without_memory_a_large_frame_is_received_as_any_other() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::small(setup);
        link.owner.host().has_memory.set(false);
        let mut peer = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || {
                let frame = peer.binary_frame(&pattern(1, 3 * MEGABYTE));
                peer.write(&frame);
            });
            link.until(|seen| !seen.events.is_empty());
        });
        assert!(link.owner.seen(LINK).events == [Event::Binary(pattern(1, 3 * MEGABYTE))]);
        assert!(link.owner.host().allocations.get() > 0);
    }
}

#[test]
fn large_messages_of_many_sockets_share_the_arena() {
    const SOCKETS: u64 = 24;
    const ROUNDS: usize = 6;
    let mut owner = LoopOwner::new();
    let mut peers: Vec<_> = (0..SOCKETS)
        .map(|token| {
            let (family, role) = SETUPS[token as usize % SETUPS.len()];
            let (ours, theirs) = pair(family);
            owner.take(ours, role, &[], token);
            Peer::new(theirs, opposite(role))
        })
        .collect();
    // Large enough to be received in place from the second read on, and more than the arena holds at once.
    for round in 0..ROUNDS {
        for (token, peer) in peers.iter_mut().enumerate() {
            let frame = peer.binary_frame(&pattern(round + token, 20_000));
            peer.write(&frame);
        }
        for token in 0..SOCKETS {
            let seen = owner.until(token, |seen| seen.events.len() > round);
            assert!(seen.events[round] == Event::Binary(pattern(round + token as usize, 20_000)));
        }
    }
}

#[test]
fn nothing_is_read_or_written_once_the_owner_is_ending() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        link.owner.cycle();
        link.peer.send_text("too late");
        run_send(&link.owner, LINK, link.role, b"unsent");
        link.owner.host().is_running.set(false);
        let queued = link.queued_total();
        for _ in 0..3 {
            link.owner.cycle();
        }
        assert_eq!((link.socket.bytes_read(), link.pending()), (0, queued));
        link.owner.event_loop.flush();
        link.owner.event_loop.write_all_now();
        assert_eq!(link.pending(), queued);
        assert!(link.owner.event_loop.has_ended() && link.owner.seen(LINK).events.is_empty());
    }
}

#[test]
fn the_end_closes_active_and_idle_connections() {
    for (family, role) in SETUPS {
        let mut owner = LoopOwner::new();
        let (active, theirs) = pair(family);
        let mut active_peer = Peer::new(theirs, opposite(role));
        let (idle, theirs) = pair(family);
        let mut idle_peer = Peer::new(theirs, opposite(role));
        owner.take(active, role, &[], 0);
        owner.adopt(idle, role, &[], 1);
        assert!(owner.idle(0).is_none() && owner.idle(1).is_some());
        owner.event_loop.end(Box::new(()));
        active_peer.wait_for_end();
        idle_peer.wait_for_end();
        assert_eq!(owner.event_loop.active_count(), 0);
    }
}

/// Sweeps to the end. Each step looks at one connection. Returns the number of bytes freed.
fn sweep(owner: &LoopOwner) -> usize {
    let count = owner.event_loop.active_count();
    owner.event_loop.begin_sweep();
    let (mut steps, mut freed) = (0, 0);
    while let Some(bytes) = owner.event_loop.sweep_one() {
        steps += 1;
        freed += bytes;
        if steps < count {
            // Nothing happens in the middle of a sweep.
            owner.event_loop.begin_sweep();
        }
    }
    assert_eq!(steps, count);
    freed
}

#[test]
fn a_sweep_makes_unused_connections_idle() {
    const SOCKETS: u64 = 5;
    let mut owner = LoopOwner::new();
    let mut peers = Vec::new();
    for token in 0..SOCKETS {
        let (ours, theirs) = pair(Family::Unix);
        owner.take(ours, Role::Server, &[], token);
        peers.push(Peer::new(theirs, Role::Client));
    }
    owner.cycle();
    // The first sweep only notes the totals.
    assert_eq!((sweep(&owner), owner.event_loop.active_count()), (0, 5));
    peers[2].send_text("used");
    owner.until(2, |seen| !seen.events.is_empty());
    owner.cycle();
    assert!(sweep(&owner) > 0);
    assert_eq!(owner.event_loop.active_count(), 1);
    for token in 0..SOCKETS {
        assert_eq!(owner.idle(token).is_some(), token != 2);
    }
    // Idle connections are read as before.
    peers[4].send_text("again");
    assert_eq!(owner.until(4, |seen| !seen.events.is_empty()).events, [text("again")]);
}

#[test]
fn the_first_reference_keeps_the_loop_alive_and_the_last_one_lets_it_end() {
    let owner = LoopOwner::new();
    let is_alive = || owner.requests.is_kept_alive.get();
    assert!(!is_alive());
    owner.event_loop.set_ref(true);
    owner.event_loop.set_ref(true);
    owner.event_loop.set_ref(false);
    assert!(is_alive());
    owner.event_loop.set_ref(false);
    assert!(!is_alive());
}

#[test]
fn a_detached_transport_continues_as_a_stream() {
    for setup in SETUPS {
        let mut link = Link::<LoopOwner>::new(setup);
        let frame = link.peer.binary_frame(b"in two halves");
        let (first, second) = frame.split_at(5);
        link.peer.write(first);
        wait_until(|| {
            link.owner.cycle();
            link.socket.bytes_read() == first.len() as u64
        });
        link.owner.with_transport(LINK, |transport, event_loop| {
            let events = transport.hand_back(event_loop).unwrap();
            assert_eq!(events, HandedBackEvents::default());
            let stream = transport.stream().expect("a stream");
            stream.receive(second, &mut OneKey);
            let event = stream.events.peek().map(Event::from);
            assert_eq!(event, Some(Event::Binary(b"in two halves".to_vec())));
            assert_eq!(transport.totals().read, frame.len() as u64);
            assert_eq!(transport.fd(), -1);
            assert!(transport.hand_back(event_loop).is_none());
        });
        assert_eq!(link.socket.owner_fd(), -1);
    }
}

#[test]
fn an_unmasked_large_message_is_written_from_the_callers_memory() {
    let mut link = Link::<LoopOwner>::small((Family::Tcp, Role::Server));
    let payload = pattern(1, 2 * MEGABYTE);
    let mut reading = link.peer.second();
    thread::scope(|scope| {
        let expected = Event::Binary(payload.clone());
        scope.spawn(move || assert!(reading.next() == expected));
        link.owner.with_transport(LINK, |transport, event_loop| {
            assert!(transport.send_in_place(event_loop, true, true, &payload[..100], || None).is_none());
            let queued = transport.send_in_place(event_loop, true, true, &payload, || None).unwrap();
            assert_eq!(queued, transport.totals().queued);
            assert!(transport.totals().written > 0);
        });
        wait_until(|| {
            link.owner.cycle();
            link.pending() == 0
        });
    });
}
