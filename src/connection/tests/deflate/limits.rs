//! Limits on memory held for a peer, with compressed messages.

use super::{
    Event, client, failed, frame, receive, receive_inflating, send, send_part, taken, with_limits,
    without_takeover, words,
};
use crate::connection::Connection;
use crate::protocol::deflate::OutgoingParams;
use crate::protocol::{Limits, ProtocolError, Role};

const HELLO: &[u8] = b"\xF2\x48\xCD\xC9\xC9\x07\x00";

fn at_most(max_payload: u64) -> Connection {
    with_limits(Limits { max_payload, ..Limits::default() })
}

fn too_long() -> Event {
    failed(ProtocolError::UnsupportedMessageLength)
}

/// Frames of a server with default parameters for these messages.
fn sent(payloads: &[&[u8]]) -> Vec<u8> {
    let mut server = super::ends(Role::Server, &OutgoingParams::default()).0;
    for payload in payloads {
        send(&mut server, payload);
    }
    taken(&mut server)
}

#[test]
fn inflated_bytes_count() {
    let payload = words(1, 5_000);
    let bytes = sent(&[&payload, &payload]);
    let message = Event::binary(&payload);
    assert_eq!(receive(&mut at_most(5_000), &bytes), [message.clone(), message]);
    assert_eq!(receive(&mut at_most(4_999), &bytes), [too_long()]);
    assert_eq!(receive(&mut at_most(0), &bytes).len(), 2);
}

#[test]
fn max_payload_counts_inflated_bytes() {
    // Seven bytes that inflate to five.
    assert_eq!(receive(&mut at_most(7), &frame(0xC1, HELLO)), [Event::text("Hello")]);
    assert_eq!(receive(&mut at_most(6), &frame(0xC1, HELLO)[..2]), [too_long()]);
}

#[test]
fn max_fragments_counts_the_whole_message() {
    let payload = words(2, 3_000);
    let mut server = super::ends(Role::Server, &OutgoingParams::default()).0;
    for (fin, range) in [(false, 0..1_000), (false, 1_000..2_500), (true, 2_500..3_000)] {
        send_part(&mut server, fin, &payload[range]);
    }
    // The count starts over.
    send(&mut server, &payload);
    let bytes = taken(&mut server);
    let fragmented =
        Event::Message { binary: true, data: payload.clone(), fragments: vec![1_000, 1_500, 500] };
    assert_eq!(receive(&mut at_most(3_000), &bytes), [fragmented, Event::binary(&payload)]);
    for limit in [2_999, 2_500, 2_499, 1_000, 999] {
        assert_eq!(receive(&mut at_most(limit), &bytes), [too_long()]);
    }
}

#[test]
fn the_limit_can_be_changed() {
    let payload = words(3, 2_000);
    let bytes = sent(&[&payload, &payload]);
    let mut connection = at_most(0);
    let half = super::frames(&bytes)[0].1.len() + 4;
    assert_eq!(receive(&mut connection, &bytes[..half]).len(), 1);
    connection.set_max_payload(1_999);
    assert_eq!(receive(&mut connection, &bytes[half..]), [too_long()]);
}

#[test]
fn an_empty_frame_passes_a_lowered_limit() {
    // As without compression.
    let mut connection = at_most(0);
    assert_eq!(receive(&mut connection, &frame(0x41, b"\xF2\x48\xCD\xC9\xC9\x07\x00\x00\x00\xFF\xFF")), []);
    connection.set_max_payload(3);
    let plain = Event::Message { binary: false, data: b"Hello".into(), fragments: vec![5] };
    assert_eq!(receive(&mut connection, &frame(0x80, b"")), [plain]);
}

#[test]
fn a_bomb_is_an_error() {
    let bomb = sent(&[&vec![0; 4 << 20]]);
    assert!(bomb.len() < 8_000);
    assert_eq!(receive(&mut at_most(1 << 17), &bomb), [too_long()]);
    assert_eq!(receive(&mut at_most(100_000), &bomb), [too_long()]);
}

#[test]
fn compressed_fragments_are_counted() {
    let limited = || with_limits(Limits { max_fragments: 2, ..Limits::default() });
    let empty = b"\x00\x00\x00\xFF\xFF";
    let two = [frame(0x41, empty), frame(0x89, b""), frame(0x80, HELLO)].concat();
    assert_eq!(receive(&mut limited(), &two).len(), 2);
    let three = [frame(0x41, empty), frame(0x00, empty), frame(0x80, b"\x00")].concat();
    assert_eq!(receive(&mut limited(), &three), [failed(ProtocolError::TooManyMessageFragments)]);
    assert_eq!(receive(&mut client(), &three), [Event::text("")]);
}

#[test]
fn detached_chunks_are_counted() {
    let limited = || with_limits(Limits { max_buffered_chunks: 2, ..Limits::default() });
    let bytes = frame(0xC1, HELLO);
    let [a, b, c, d] = [&bytes[..2], &bytes[2..4], &bytes[4..6], &bytes[6..]];
    assert_eq!(super::receive_chunks(&mut limited(), [a, &[b, c].concat(), d]), [Event::text("Hello")]);
    let failed = failed(ProtocolError::TooManyBufferedChunks);
    assert_eq!(super::receive_chunks(&mut limited(), [a, b, c, d]), [failed]);
}

#[test]
fn without_takeover_the_limit_holds_for_each_message() {
    let (mut server, _) = super::ends(Role::Server, &without_takeover());
    let payload = words(4, 1_000);
    for _ in 0..3 {
        send(&mut server, &payload);
    }
    let bytes = taken(&mut server);
    assert_eq!(receive(&mut at_most(1_000), &bytes), vec![Event::binary(&payload); 3]);
    assert_eq!(receive(&mut at_most(999), &bytes), [too_long()]);
}

/// A frame that is offloaded, and its message.
fn large() -> (Vec<u8>, Event) {
    let payload = vec![b'a'; 300_000];
    (sent(&[&payload]), Event::binary(&payload))
}

#[test]
fn a_pong_flood_after_an_offloaded_frame_is_reported() {
    let limits = Limits { max_pending_auto_pongs: 2, ..Limits::default() };
    let (bytes, message) = large();
    let stream = [&bytes[..], &b"\x89\x00".repeat(4)].concat();
    let seen = receive_inflating(&mut with_limits(limits), [&stream[..]], 0);
    let ping = || Event::Ping(Vec::new());
    assert!(seen == [message, ping(), ping(), Event::Flooded, ping(), ping()]);
}

#[test]
fn a_pong_flood_before_an_offloaded_frame_keeps_the_rest_of_its_chunk() {
    let limits = Limits { max_pending_auto_pongs: 1, ..Limits::default() };
    let (bytes, message) = large();
    let stream = [b"\x89\x00\x89\x00", &bytes[..], &frame(0x82, b"last")].concat();
    let seen = receive_inflating(&mut with_limits(limits), [&stream[..]], 0);
    let ping = || Event::Ping(Vec::new());
    let expected = [ping(), Event::Flooded, ping(), message, Event::binary(b"last")];
    assert!(seen == expected, "{} events", seen.len());
}
