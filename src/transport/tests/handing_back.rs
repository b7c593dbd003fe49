//! Sockets that are detached in the middle of messages, with either driver: unsent bytes are the connection's output,
//! and received ones are not lost.

use std::io::Read;
use std::net::Shutdown;
use std::thread;

use super::either_driver::with_both;
use super::{
    Dice, Event, LINK, Link, LoopOwner, OneKey, SETUPS, lengths_and_order, pair, pattern, shrink_buffers,
    wait_until,
};

const MEGABYTE: usize = 1024 * 1024;

#[test]
fn output_is_whole_and_in_order() {
    with_both(Link::small_of, |link| {
        let role = link.role;
        link.queue(&pattern(1, MEGABYTE));
        assert_ne!(link.socket.write_now(), 0);
        link.queue(b"last");
        let queued = link.queued_total();
        let mut remains = link.socket.hand_back().unwrap();
        let unsent = remains.connection.output().len() as u64;
        assert_eq!(unsent, remains.connection.pending());
        assert_eq!(remains.connection.written_total() + unsent, queued);
        // Commands add output behind that.
        remains.connection.ping(super::key_of(role), b"more");
        let rest = remains.connection.output().to_vec();
        // The descriptor is closed: the remaining bytes are passed directly.
        let mut received = Vec::new();
        link.peer.stream.read_to_end(&mut received).unwrap();
        received.extend_from_slice(&rest);
        let mut reader = crate::connection::Connection::new(super::config(link.peer.role, false));
        let mut events = crate::connection::EventBatch::new();
        reader.receive(&received, &mut OneKey, &mut events);
        let mut seen = Vec::new();
        while let Some(event) = events.peek() {
            seen.push(Event::from(event));
            events.advance();
        }
        let expected = [
            Event::Binary(pattern(1, MEGABYTE)),
            Event::Binary(b"last".to_vec()),
            Event::Ping(b"more".to_vec()),
        ];
        assert!(seen == expected);
        assert!(link.socket.hand_back().is_none());
    });
}

#[test]
fn half_a_message_stays_with_the_connection() {
    with_both(Link::of, |link| {
        let whole = link.peer.binary_frame(b"one and the other half");
        let (first, second) = whole.split_at(9);
        link.peer.write(first);
        wait_until(|| {
            link.owner.cycle();
            link.socket.bytes_read() == first.len() as u64
        });
        let mut remains = link.socket.hand_back().unwrap();
        assert_eq!(remains.bytes_read, first.len() as u64);
        let mut events = std::mem::take(&mut remains.undelivered.events);
        remains.connection.receive(second, &mut OneKey, &mut events);
        assert_eq!(events.peek().map(Event::from), Some(Event::Binary(b"one and the other half".to_vec())));
    });
}

/// Handed back while an I/O thread is reading.
#[test]
fn bytes_that_are_being_read_stay_with_the_connection() {
    const MESSAGES: usize = 400;
    for (seed, setup) in (0..4).flat_map(|round| SETUPS.map(|setup| (round, setup))) {
        let (family, role) = setup;
        let (ours, theirs) = pair(family);
        shrink_buffers([&ours, &theirs]);
        let mut host = ours.try_clone().unwrap();
        let mut link = Link::adopted(LoopOwner::on_threads(), (ours, theirs), role, &[]);
        let mut dice = Dice(seed);
        let messages = (0..MESSAGES).map(|number| link.peer.binary_frame(&pattern(number, dice.roll(4000))));
        let bytes = messages.collect::<Vec<_>>().concat();
        let mut writing = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(|| {
                writing.write(&bytes);
                writing.stream.shutdown(Shutdown::Write).unwrap();
            });
            link.until(|seen| !seen.events.is_empty());
            // A single core may show none of the reads.
            while !link.socket.is_being_read() && link.socket.bytes_read() < bytes.len() as u64 {
                if !link.socket.interest().read {
                    link.owner.cycle();
                }
            }
            let mut remains = link.socket.hand_back().unwrap();
            let mut events = std::mem::take(&mut remains.undelivered.events);
            // The host reads the rest.
            host.set_nonblocking(false).unwrap();
            let mut rest = Vec::new();
            host.read_to_end(&mut rest).unwrap();
            remains.connection.receive(&rest, &mut OneKey, &mut events);
            let mut seen = std::mem::take(&mut link.owner.seen_mut(LINK).events);
            while let Some(event) = events.peek() {
                seen.push(event.into());
                events.advance();
            }
            assert_eq!(lengths_and_order(&seen), MESSAGES);
        });
    }
}
