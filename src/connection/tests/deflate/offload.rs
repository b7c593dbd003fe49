//! Offloaded frames: parsing waits for them, and no event is lost or reordered.

use super::{
    Event, EventBatch, client, collect, ends, failed, finish, frame, frames, key_of, narrow, noise, receive,
    receive_inflating, send, send_part, taken, with_deflate, with_limits, without_takeover, words,
};
use crate::connection::tests::CountingKeys;
use crate::connection::{Connection, LARGE_MESSAGE};
use crate::protocol::deflate::{InflateError, InflateJob, OutgoingParams};
use crate::protocol::{Limits, ProtocolError, Role};

/// Output inflated inline.
const MAX_INLINE_OUTPUT: usize = 128 * 1024;

/// Compressible data, different for each seed.
fn large(seed: usize, length: usize) -> Vec<u8> {
    words(seed, 40_000).iter().copied().cycle().take(length).collect()
}

fn is_offloaded(payload: &[u8]) -> bool {
    let (mut sender, mut receiver) = ends(Role::Server, &OutgoingParams::default());
    send(&mut sender, payload);
    let seen = receive(&mut receiver, &taken(&mut sender));
    assert_eq!(receiver.is_inflating(), seen == [Event::Inflating]);
    assert_eq!(receiver.is_inflating(), seen != [Event::binary(payload)]);
    receiver.is_inflating()
}

#[test]
fn only_frames_with_large_output_are_offloaded() {
    for length in [1, LARGE_MESSAGE, MAX_INLINE_OUTPUT - 1] {
        assert!(!is_offloaded(&large(1, length)), "{length}");
    }
    for length in [2 * MAX_INLINE_OUTPUT + 1, 1 << 20] {
        assert!(is_offloaded(&large(1, length)), "{length}");
        assert!(is_offloaded(&noise(1, length)), "{length}");
    }
}

/// Large messages among others, followed by a close frame, and their events. `role` sends.
fn stream(role: Role, outgoing: &OutgoingParams) -> (Vec<u8>, Vec<Event>) {
    let (mut sender, _) = ends(role, outgoing);
    let key = key_of(role);
    let mut expected = Vec::new();
    let mut whole = |sender: &mut Connection, payload: Vec<u8>| {
        send(sender, &payload);
        expected.push(Event::binary(&payload));
    };
    whole(&mut sender, words(1, 500));
    whole(&mut sender, large(1, 300_000));
    whole(&mut sender, large(2, 1_000_000));
    whole(&mut sender, words(1, 700));
    // A large fragment among others, and pings.
    sender.ping(key, b"1");
    expected.push(Event::Ping(b"1".into()));
    let parts = [words(1, 500), large(3, 400_000), Vec::new(), large(4, 150_000), words(2, 100)];
    for (index, part) in parts.iter().enumerate() {
        send_part(&mut sender, index == 4, part);
        if index < 4 {
            sender.ping(key, b"2");
            expected.push(Event::Ping(b"2".into()));
        }
    }
    let fragments = parts.iter().map(|part| part.len() as u32).filter(|&length| length > 0).collect();
    expected.push(Event::Message { binary: true, data: parts.concat(), fragments });
    sender.send(false, true, key, &words(3, 5_000));
    expected.push(Event::Message { binary: false, data: words(3, 5_000), fragments: Vec::new() });
    send(&mut sender, &large(5, 300_000));
    expected.push(Event::binary(&large(5, 300_000)));
    sender.close(Some(4000), b"done", key);
    expected.push(Event::Close(4000, b"done".into()));
    // After the close frame.
    sender.ping(key, b"3");
    (taken(&mut sender), expected)
}

#[test]
fn offloading_gives_the_same_events_at_every_split() {
    for (role, outgoing) in [
        (Role::Server, OutgoingParams::default()),
        (Role::Client, narrow(10)),
        (Role::Server, without_takeover()),
    ] {
        let (bytes, expected) = stream(role, &outgoing);
        let receiver = || ends(role, &outgoing).1;
        let mut whole = receiver();
        assert!(receive_inflating(&mut whole, [&bytes[..]], 0) == expected);
        assert!(!whole.is_receiving());
        for (size, later) in [(1_000, 0), (1_000, 3), (100, 40), (4_000, usize::MAX), (usize::MAX, 0)] {
            let mut receiver = receiver();
            assert!(
                receive_inflating(&mut receiver, bytes.chunks(size), later) == expected,
                "{size}, {later}"
            );
            assert_eq!(receiver.output(), whole.output());
            assert!(!receiver.is_receiving());
        }
    }
}

#[test]
fn every_split_around_a_large_frame() {
    let (mut sender, _) = ends(Role::Server, &OutgoingParams::default());
    let payload = vec![b'a'; 200_000];
    let small = words(1, 30);
    for payload in [&small, &payload, &small, &payload] {
        send(&mut sender, payload);
    }
    sender.ping(None, b"p");
    let bytes = taken(&mut sender);
    let expected: Vec<Event> = [&small, &payload, &small, &payload]
        .map(|payload| Event::binary(payload))
        .into_iter()
        .chain([Event::Ping(b"p".into())])
        .collect();
    for cut in (0..bytes.len()).step_by(3) {
        let (head, tail) = bytes.split_at(cut);
        for later in [0, 1] {
            let seen = receive_inflating(&mut client(), [head, tail], later);
            assert!(seen == expected, "cut at {cut}, {later}");
        }
    }
}

#[test]
fn nothing_is_parsed_while_a_frame_is_offloaded() {
    let (mut sender, _) = ends(Role::Server, &OutgoingParams::default());
    send(&mut sender, &large(1, 300_000));
    sender.ping(None, b"behind");
    let mut receiver = client();
    let mut events = EventBatch::new();
    let mut keys = CountingKeys::default();
    receiver.receive(&taken(&mut sender), &mut keys, &mut events);
    let mut seen = Vec::new();
    let job = collect(&mut receiver, &mut events, &mut seen).unwrap();
    assert!(receiver.take_inflate_job().is_none(), "it can be taken once");
    // More input arrives, valid and invalid, also in place.
    receiver.receive(&frame(0x82, b"more"), &mut keys, &mut events);
    let mut chunk = [frame(0x82, &[9; 5_000]), frame(0x82, &[8; 10])].concat();
    receiver.receive_in_place(&mut chunk, &mut keys, &mut events);
    receiver.receive(b"\xF1\x00", &mut keys, &mut events);
    assert!(events.is_empty() && receiver.is_receiving() && receiver.output().is_empty());
    assert!(receiver.detach_frame().is_none());
    // Output is still sent.
    receiver.send(true, true, None, b"out");
    assert_eq!(taken(&mut receiver).len(), 5);

    receiver.finish_inflate_job(finish(job), &mut keys, &mut events);
    assert!(collect(&mut receiver, &mut events, &mut seen).is_none());
    let expected = [
        Event::binary(&large(1, 300_000)),
        Event::Ping(b"behind".into()),
        Event::binary(b"more"),
        Event::binary(&[9; 5_000]),
        Event::binary(&[8; 10]),
        failed(ProtocolError::UnexpectedRsv23),
    ];
    assert!(seen == expected);
    assert_eq!(receiver.output().len(), 12, "the answer to the ping");
}

#[test]
fn a_job_may_finish_before_its_event_is_delivered() {
    // Events need not be read in between.
    let (mut sender, _) = ends(Role::Server, &OutgoingParams::default());
    send(&mut sender, &words(1, 100));
    send(&mut sender, &large(1, 300_000));
    send(&mut sender, &words(2, 100));
    let mut receiver = client();
    let mut events = EventBatch::new();
    receiver.receive(&taken(&mut sender), &mut CountingKeys::default(), &mut events);
    let job = receiver.take_inflate_job().unwrap();
    receiver.finish_inflate_job(finish(job), &mut CountingKeys::default(), &mut events);
    let mut seen: Vec<Event> = Vec::new();
    while let Some(event) = events.peek() {
        seen.push(event.into());
        events.advance();
    }
    let payloads = [words(1, 100), large(1, 300_000), words(2, 100)].map(|payload| Event::binary(&payload));
    let [first, second, third] = payloads;
    assert!(seen == [first, Event::Inflating, second, third]);
}

#[test]
fn errors_of_an_offloaded_frame_are_reported_when_it_finishes() {
    let (mut sender, _) = ends(Role::Server, &OutgoingParams::default());
    send(&mut sender, &large(1, 300_000));
    let bytes = taken(&mut sender);
    let (_, payload) = frames(&bytes)[0];

    // Invalid after a valid beginning.
    let broken = [payload, &[0, 0, 0xFF, 0xFF, 0x06]].concat();
    let fault = failed(ProtocolError::InvalidDeflate(InflateError::BlockType));
    let stream = [frame(0xC2, &broken), frame(0x82, b"unseen")].concat();
    for size in [100, usize::MAX] {
        let mut receiver = client();
        assert!(receive_inflating(&mut receiver, stream.chunks(size), 1) == std::slice::from_ref(&fault));
        assert!(!receiver.is_receiving());
        assert_eq!(receive(&mut receiver, b"\x89\x00"), []);
    }
    // Text that is not UTF-8.
    let noise = deflated(&noise(1, 300_000));
    let invalid = receive_inflating(&mut client(), [&frame(0xC1, &noise)[..], b"\x89\x00"], 1);
    assert!(invalid == [failed(ProtocolError::InvalidUtf8)]);
    // Too long.
    for (limit, fits) in [(300_000, true), (299_999, false)] {
        let mut limited = with_limits(Limits { max_payload: limit, ..Limits::default() });
        let seen = receive_inflating(&mut limited, [&bytes[..], b"\x89\x00"], 1);
        let too_long = [failed(ProtocolError::UnsupportedMessageLength)];
        assert!(if fits { seen.len() == 2 } else { seen == too_long });
    }
    // One fragment more than allowed.
    let mut limited = with_limits(Limits { max_fragments: 1, ..Limits::default() });
    let stream = [frame(0x42, b"\x00\x00\x00\xFF\xFF"), frame(0x80, payload), frame(0x89, b"")].concat();
    let seen = receive_inflating(&mut limited, [&stream[..]], 0);
    assert!(seen == [failed(ProtocolError::TooManyMessageFragments)]);
}

fn deflated(payload: &[u8]) -> Vec<u8> {
    let (mut sender, _) = ends(Role::Server, &OutgoingParams::default());
    send(&mut sender, payload);
    frames(&taken(&mut sender))[0].1.to_vec()
}

#[test]
fn taking_a_connection_takes_its_offloaded_frame() {
    let (mut sender, _) = ends(Role::Server, &OutgoingParams::default());
    let payload = large(1, 300_000);
    send(&mut sender, &payload);
    send(&mut sender, b"behind");
    let mut receiver = client();
    let mut events = EventBatch::new();
    receiver.receive(&taken(&mut sender), &mut CountingKeys::default(), &mut events);
    let mut seen = Vec::new();
    let job = collect(&mut receiver, &mut events, &mut seen).unwrap();
    let mut taken = receiver.take();
    assert!(taken.is_inflating() && !receiver.is_inflating());
    taken.finish_inflate_job(finish(job), &mut CountingKeys::default(), &mut events);
    assert!(collect(&mut taken, &mut events, &mut seen).is_none());
    assert!(seen == [Event::binary(&payload), Event::binary(b"behind")]);
    // The connection left behind is a fresh one without the extension: no job to take or finish.
    assert!(receiver.take_inflate_job().is_none() && !receiver.trim_memory().may_free_more);
}

#[test]
fn an_unexpected_job_is_dropped() {
    let mut inflations = [1, 2].map(|_| {
        let mut receiver = client();
        receive(&mut receiver, &frame(0xC2, &deflated(&large(1, 300_000))));
        receiver.take_inflate_job()
    });
    let mut events = EventBatch::new();
    for mut connection in [with_deflate(Role::Client), super::super::client()] {
        let job = finish(inflations.iter_mut().find_map(Option::take).unwrap());
        connection.finish_inflate_job(job, &mut CountingKeys::default(), &mut events);
        assert!(events.is_empty() && connection.is_receiving());
    }
}

#[test]
fn a_lost_job_fails_the_connection() {
    let (mut sender, mut receiver) = ends(Role::Server, &OutgoingParams::default());
    send(&mut sender, &large(1, 300_000));
    send(&mut sender, b"behind it");
    receive(&mut receiver, &taken(&mut sender));
    drop(receiver.take_inflate_job());
    let mut events = EventBatch::new();
    receiver.finish_inflate_job(InflateJob::failed(), &mut CountingKeys::default(), &mut events);
    let mut seen = Vec::new();
    assert!(collect(&mut receiver, &mut events, &mut seen).is_none());
    assert_eq!(seen, [failed(ProtocolError::InvalidDeflate(InflateError::Other))]);
    assert!(!receiver.is_receiving());
}
