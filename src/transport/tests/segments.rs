//! Large messages that are sent from memory of the host, which may change, shrink or go while a part is unsent.

use std::cell::RefCell;
use std::io::Read;
use std::rc::Rc;
use std::thread;

use super::host::Memory;
use super::{
    Dice, Event, Family, LINK, Link, LoopOwner, OneKey, Owns, Peer, lengths_and_order, pair, pattern,
    shrink_buffers, wait_until,
};
use crate::connection::{Connection, EventBatch};
use crate::protocol::Role;
use crate::transport::event_loop::{Readiness, SocketCommand};
use crate::transport::socket::{Fault, Stop};

const FAMILIES: [Family; 2] = [Family::Tcp, Family::Unix];
const MEGABYTE: usize = 1024 * 1024;
const LOST: Fault = Fault { errno: libc::EFAULT, write: true };

/// The place of a payload in its memory.
const OFFSET: usize = 100;

/// Memory in which a payload lies between other bytes.
fn memory_of(payload: &[u8]) -> Memory {
    Rc::new(RefCell::new([&[0xEE; OFFSET], payload, &[0xEE; 10]].concat()))
}

/// Sends the payload of `memory` as the addon does. False if it was not sent from there.
fn send(owner: &LoopOwner, memory: &Memory, keeps: bool) -> bool {
    let bytes = memory.borrow();
    let payload = &bytes[OFFSET..bytes.len() - 10];
    let end = OFFSET + payload.len();
    owner.with_transport(LINK, |transport, event_loop| {
        let keep = || keeps.then(|| (Rc::clone(memory), end));
        let before = transport.totals().queued;
        let Some(queued) = transport.send_in_place(event_loop, true, true, payload, keep) else {
            return false;
        };
        assert!(queued > before + payload.len() as u64);
        true
    })
}

/// A link of which the kernel has refused output, and that message.
fn blocked(family: Family) -> (Link<LoopOwner>, Event) {
    let link = Link::<LoopOwner>::small((family, Role::Server));
    let first = pattern(0, 4 * MEGABYTE);
    assert!(send(&link.owner, &memory_of(&first), true));
    assert!(link.pending() > 0);
    (link, Event::Binary(first))
}

/// Runs cycles while the peer receives `count` events.
fn receive(link: &mut Link<LoopOwner>, count: usize) -> Vec<Event> {
    let mut reading = link.peer.second();
    thread::scope(|scope| {
        let reader = scope.spawn(move || (0..count).map(|_| reading.next()).collect());
        wait_until(|| {
            link.owner.cycle();
            reader.is_finished()
        });
        reader.join().unwrap()
    })
}

#[test]
fn refused_bytes_are_those_in_memory_when_they_are_sent() {
    for family in FAMILIES {
        let (mut link, first) = blocked(family);
        let memory = memory_of(&pattern(1, 50_000));
        // The same memory twice, and a copied message in between.
        assert!(send(&link.owner, &memory, true));
        link.queue(b"between");
        assert!(send(&link.owner, &memory, true));
        assert_eq!(Rc::strong_count(&memory), 3);
        memory.borrow_mut()[OFFSET..OFFSET + 50_000].copy_from_slice(&pattern(2, 50_000));
        let changed = Event::Binary(pattern(2, 50_000));
        let expected = [first, changed.clone(), Event::Binary(b"between".to_vec()), changed];
        assert!(receive(&mut link, 4) == expected);
        assert_eq!((link.pending(), Rc::strong_count(&memory)), (0, 1));
    }
}

#[test]
fn memory_that_cannot_be_kept_is_copied() {
    for family in FAMILIES {
        let (mut link, first) = blocked(family);
        let (kept, copied) = (memory_of(&pattern(1, 50_000)), memory_of(&pattern(2, 50_000)));
        assert!(send(&link.owner, &kept, true));
        assert!(send(&link.owner, &copied, false));
        copied.borrow_mut().fill(0);
        let expected = [first, Event::Binary(pattern(1, 50_000)), Event::Binary(pattern(2, 50_000))];
        assert!(receive(&mut link, 3) == expected);
    }
}

#[test]
fn the_rest_of_a_message_that_cannot_be_kept_is_copied() {
    for family in FAMILIES {
        let mut link = Link::<LoopOwner>::small((family, Role::Server));
        let memory = memory_of(&pattern(3, MEGABYTE));
        assert!(send(&link.owner, &memory, false));
        assert!(link.pending() > 0);
        memory.borrow_mut().clear();
        assert!(receive(&mut link, 1) == [Event::Binary(pattern(3, MEGABYTE))]);
    }
}

#[test]
fn a_connection_fails_if_its_memory_is_gone() {
    for family in FAMILIES {
        // Detached, one byte too short, and shrunk in the middle of a payload.
        for length in [0, OFFSET + 50_000 - 1, OFFSET + 10] {
            let (mut link, first) = blocked(family);
            let (lost, later) = (memory_of(&pattern(1, 50_000)), memory_of(&pattern(2, 50_000)));
            assert!(send(&link.owner, &lost, true));
            assert!(send(&link.owner, &later, true));
            lost.borrow_mut().truncate(length);
            assert!(receive(&mut link, 1) == [first]);
            assert_eq!(link.until(|seen| !seen.faults.is_empty()).faults, [LOST]);
            assert_eq!((Rc::strong_count(&lost), Rc::strong_count(&later)), (1, 1));
            assert!(link.pending() > 100_000);
            // A message that was begun before is not completed by other bytes.
            let (mut rest, Link { owner, socket, peer, .. }) = (Vec::new(), &mut link);
            owner.destroy_socket(socket);
            peer.stream.read_to_end(&mut rest).unwrap();
            assert!(rest.len() <= 10, "{} bytes", rest.len());
        }
    }
}

#[test]
fn a_shutdown_follows_all_payloads() {
    for family in FAMILIES {
        let (mut link, first) = blocked(family);
        assert!(send(&link.owner, &memory_of(&pattern(1, 50_000)), true));
        let execute = |link: &Link<LoopOwner>, command| {
            link.owner.with_transport(LINK, |transport, event_loop| transport.execute(event_loop, command));
        };
        execute(&link, SocketCommand::Notify);
        execute(&link, SocketCommand::Shutdown);
        assert!(receive(&mut link, 2) == [first, Event::Binary(pattern(1, 50_000))]);
        let total = link.queued_total();
        let seen = link.until(|seen| seen.shut_down == 1);
        assert_eq!(seen.written.last(), Some(&total));
        assert_eq!(link.peer.next_if_any(), None);
    }
}

#[test]
fn held_back_payloads_leave_when_they_may() {
    for family in FAMILIES {
        let mut link = Link::<LoopOwner>::small((family, Role::Server));
        link.socket.cork(true);
        let memory = memory_of(&pattern(0, MEGABYTE));
        assert!(send(&link.owner, &memory, true));
        link.owner.event_loop.flush();
        assert_eq!(link.pending(), link.queued_total());
        link.owner.with_transport(LINK, |transport, event_loop| {
            transport.execute(event_loop, SocketCommand::Cork(false));
        });
        assert!(link.pending() < link.queued_total());
        assert!(receive(&mut link, 1) == [Event::Binary(pattern(0, MEGABYTE))]);
    }
}

#[test]
fn a_thread_sends_nothing_from_memory() {
    for family in FAMILIES {
        let link = Link::small_of(LoopOwner::on_threads(), (family, Role::Server));
        assert!(!send(&link.owner, &memory_of(&pattern(1, MEGABYTE)), true));
    }
}

/// Hands a blocked socket back. Returns the events of all bytes: received by the peer before, and left as output.
fn hand_back(link: &mut Link<LoopOwner>) -> (Vec<Event>, Option<Fault>) {
    let (events, rest) = link.owner.with_transport(LINK, |transport, event_loop| {
        let events = transport.hand_back(event_loop).unwrap();
        (events, transport.stream().unwrap().connection.output().to_vec())
    });
    let mut received = Vec::new();
    link.peer.stream.read_to_end(&mut received).unwrap();
    received.extend_from_slice(&rest);
    let mut reader = Connection::new(super::config(link.peer.role, false));
    let mut batch = EventBatch::new();
    reader.receive(&received, &mut OneKey, &mut batch);
    let mut seen = Vec::new();
    while let Some(event) = batch.peek() {
        seen.push(Event::from(event));
        batch.advance();
    }
    (seen, events.fault)
}

#[test]
fn a_socket_is_handed_back_with_its_payloads() {
    for family in FAMILIES {
        let (mut link, first) = blocked(family);
        let memory = memory_of(&pattern(1, 50_000));
        assert!(send(&link.owner, &memory, true));
        link.queue(b"last");
        let expected = vec![first, Event::Binary(pattern(1, 50_000)), Event::Binary(b"last".to_vec())];
        assert!(hand_back(&mut link) == (expected, None));
        assert_eq!(Rc::strong_count(&memory), 1);
    }
}

#[test]
fn a_socket_without_the_memory_of_a_payload_is_handed_back_with_a_fault() {
    for family in FAMILIES {
        let (mut link, first) = blocked(family);
        let memory = memory_of(&pattern(1, 50_000));
        assert!(send(&link.owner, &memory, true));
        link.queue(b"last");
        memory.borrow_mut().clear();
        let (seen, fault) = hand_back(&mut link);
        // The part of the first message that had not been taken by the socket is dropped with the second, or not.
        assert!(seen.is_empty() || seen == [first]);
        assert_eq!(fault, Some(LOST));
    }
}

#[test]
fn the_end_of_a_connection_or_of_its_owner_releases_memory() {
    for ends_owner in [false, true] {
        let (mut link, _) = blocked(Family::Tcp);
        let memory = memory_of(&pattern(1, 50_000));
        assert!(send(&link.owner, &memory, true));
        assert_eq!(Rc::strong_count(&memory), 2);
        if ends_owner {
            link.owner.event_loop.end(Box::new(()));
        } else {
            link.owner.destroy(LINK);
        }
        assert_eq!(Rc::strong_count(&memory), 1);
    }
}

#[test]
fn a_peer_that_is_lost_releases_memory() {
    let (mut link, _) = blocked(Family::Tcp);
    let memory = memory_of(&pattern(1, 50_000));
    assert!(send(&link.owner, &memory, true));
    link.lose_peer();
    link.until(|seen| !seen.faults.is_empty());
    link.owner.destroy(LINK);
    assert_eq!(Rc::strong_count(&memory), 1);
}

/// One random operation. Returns the memory of a message that was sent.
fn act(dice: &mut Dice, link: &mut Link<LoopOwner>, number: usize) -> Option<Memory> {
    let execute = |link: &Link<LoopOwner>, command| {
        link.owner.with_transport(LINK, |transport, event_loop| transport.execute(event_loop, command));
    };
    match dice.roll(16) {
        0..=3 => {
            let payload = pattern(number, if dice.roll(3) == 0 { dice.roll(400_000) } else { dice.length() });
            let memory = memory_of(&payload);
            if !send(&link.owner, &memory, dice.roll(4) > 0) {
                link.owner.with_transport(LINK, |transport, event_loop| {
                    transport.run(event_loop, |connection| connection.send(true, true, None, &payload))
                });
            }
            return Some(memory);
        }
        4 => link.owner.event_loop.flush(),
        5 => execute(link, SocketCommand::WriteNow),
        6 => execute(link, SocketCommand::Cork(dice.roll(3) == 0)),
        7 => execute(link, SocketCommand::Notify),
        8 => link.owner.event_loop.write_all_now(),
        _ => link.owner.cycle(),
    }
    None
}

#[test]
fn nothing_is_lost_or_reordered_in_random_operations() {
    for seed in 0..24 {
        let (mut dice, family) = (Dice(seed), FAMILIES[(seed % 2) as usize]);
        let mut link = Link::<LoopOwner>::small((family, Role::Server));
        let mut memories = Vec::new();
        let mut reading = link.peer.second();
        thread::scope(|scope| {
            let received = scope.spawn(move || {
                let events: Vec<_> = std::iter::from_fn(|| reading.next_if_any()).collect();
                lengths_and_order(&events)
            });
            for _ in 0..400 {
                memories.extend(act(&mut dice, &mut link, memories.len()));
            }
            let finish = |command| {
                link.owner
                    .with_transport(LINK, |transport, event_loop| transport.execute(event_loop, command));
            };
            finish(SocketCommand::Cork(false));
            finish(SocketCommand::Shutdown);
            link.until(|seen| seen.shut_down == 1);
            assert_eq!(received.join().unwrap(), memories.len(), "seed {seed}");
        });
        assert_eq!(link.pending(), 0);
        assert!(memories.iter().all(|memory| Rc::strong_count(memory) == 1));
    }
}

#[test]
fn a_turn_ends_after_its_bytes_and_the_next_cycle_goes_on() {
    for family in FAMILIES {
        let mut link = Link::<LoopOwner>::new((family, Role::Server));
        let memory = memory_of(&pattern(1, 40_000));
        link.socket.cork(true);
        link.queue(b"first");
        assert!(send(&link.owner, &memory, true));
        link.socket.cork(false);
        // The header of the second message is 4 bytes long.
        let before = 7 + 4;
        assert_eq!(link.pending(), before + 40_000);
        let payload = pattern(1, 40_000);
        for (turn, stop, pending) in [
            (before as usize - 1, Stop::External(40_000), before + 40_000),
            (before as usize - 1, Stop::More, 40_001),
            (1, Stop::More, 40_000),
            (39_999, Stop::More, 1),
        ] {
            let external = if pending > 40_001 { &[] } else { &payload[..] };
            let written = link.socket.write(&mut { turn }, external);
            assert_eq!((written.stop, link.pending()), (stop, pending));
            assert_eq!(written.interest.write, stop == Stop::More);
        }
        // More than the host allows for one turn.
        link.queue(&pattern(2, 200_000));
        let all = [b"first".to_vec(), payload, pattern(2, 200_000)].map(Event::Binary);
        link.owner.set_ready(LINK, Readiness { write: true, ..Readiness::default() });
        assert!(receive(&mut link, 3) == all);
    }
}

#[test]
fn one_payload_is_shared_by_all_connections() {
    let mut owner = LoopOwner::new();
    let memory = memory_of(&pattern(0, MEGABYTE));
    let mut peers = Vec::new();
    for token in 0..20 {
        let (ours, theirs) = pair(Family::Unix);
        shrink_buffers([&ours, &theirs]);
        owner.take(ours, Role::Server, &[], token);
        peers.push(Peer::new(theirs, Role::Client));
        owner.with_transport(token, |transport, event_loop| {
            let keep = || Some((Rc::clone(&memory), OFFSET + MEGABYTE));
            let sent =
                transport.send_in_place(event_loop, true, true, &memory.borrow()[OFFSET..][..MEGABYTE], keep);
            assert!(sent.is_some());
        });
    }
    assert_eq!(Rc::strong_count(&memory), 21);
    for (token, mut peer) in peers.into_iter().enumerate() {
        thread::scope(|scope| {
            let reader = scope.spawn(move || peer.next() == Event::Binary(pattern(0, MEGABYTE)));
            wait_until(|| {
                owner.cycle();
                reader.is_finished()
            });
            assert!(reader.join().unwrap());
        });
        owner.destroy(token as u64);
    }
    assert_eq!(Rc::strong_count(&memory), 1);
}
