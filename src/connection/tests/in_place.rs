//! Receiving in place and detached frames give the same events as receiving by copy, errors
//! included.

use super::{CountingKeys, Event, config, key_of, opposite, receive_chunks, server, with_limits};
use crate::connection::{Connection, EventBatch, EventRef, MIN_IN_PLACE};
use crate::protocol::{Limits, MaskingKey, ProtocolError, Role};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

/// Moves events into `seen`, reading those in the chunk from it.
fn collect(events: &mut EventBatch, chunk: &[u8], seen: &mut Vec<Event>) {
    while let Some(event) = events.peek() {
        seen.push(match event {
            EventRef::InChunk { binary, start, length } => {
                Event::Message { binary, data: chunk[start..start + length].into(), fragments: Vec::new() }
            }
            event => event.into(),
        });
        events.advance();
    }
}

/// Like `receive_chunks`, in place. `postpone`: every this many chunks, delivery is postponed. `detach`:
/// frames are detached, and every this many of them is reattached before it is complete.
fn receive_in_place(
    connection: &mut Connection,
    bytes: &[u8],
    size: usize,
    postpone: usize,
    detach: usize,
) -> Vec<Event> {
    let (mut events, mut seen, mut keys) = (EventBatch::new(), Vec::new(), CountingKeys::default());
    let (mut rest, mut count, mut detached_count) = (bytes, 0, 0);
    while !rest.is_empty() {
        let (taken, behind) = rest.split_at(size.min(rest.len()));
        rest = behind;
        count += 1;
        let mut chunk = taken.to_vec();
        connection.receive_in_place(&mut chunk, &mut keys, &mut events);
        if postpone > 0 && count % postpone == 0 {
            events.copy_out_chunk(&chunk);
        } else {
            collect(&mut events, &chunk, &mut seen);
        }
        chunk.fill(0xEE);

        if detach == 0 {
            continue;
        }
        let Some((mut frame, mut payload)) = connection.detach_frame() else { continue };
        detached_count += 1;
        // Payloads copied out of the chunk come first.
        collect(&mut events, &[], &mut seen);
        let missing = frame.length() - payload.len();
        let is_reattached = detached_count % detach == 0 || rest.len() < missing;
        let length = if is_reattached { missing.min(rest.len()) / 2 } else { missing };
        let (direct, behind) = rest.split_at(length);
        rest = behind;
        payload.extend_from_slice(direct);
        let is_fine = connection.receive_detached(&mut frame, &mut payload);
        if is_reattached || !is_fine {
            connection.reattach_frame(&frame, &payload, &mut keys, &mut events);
        } else {
            connection.finish_detached(frame, &mut events);
            collect(&mut events, &payload, &mut seen);
        }
    }
    collect(&mut events, &[], &mut seen);
    seen
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![
        0_usize..200,
        Just(MIN_IN_PLACE - 1),
        Just(MIN_IN_PLACE),
        MIN_IN_PLACE..20_000,
        65_000_usize..300_000,
    ];
    (length, any::<u8>())
        .prop_map(|(length, seed)| (0..length).map(|at| (at / 253 + at) as u8 ^ seed).collect())
}

proptest! {
    #[test]
    fn in_place_gives_the_same_events_as_by_copy(
        messages in vec((payload(), any::<bool>(), 0_u8..8), 0..8),
        client: bool,
        size in prop_oneof![1_000_usize..100_000, Just(usize::MAX)],
        postpone in 0_usize..4,
        detach in 0_usize..3,
        broken: bool,
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let mut sender = Connection::new(config(role));
        for (payload, binary, kind) in &messages {
            match kind {
                0 => sender.ping(key_of(role), &payload[..payload.len().min(125)]),
                1 => {
                    sender.send(true, false, key_of(role), payload);
                    sender.send(true, true, key_of(role), b"the end");
                }
                // Text may hold any bytes here, so some of it is an error.
                _ => sender.send(*binary || *kind > 2, true, key_of(role), payload),
            }
        }
        if broken {
            sender.write_raw(&[0xF1, 0x85, 1, 2, 3, 4]);
        }
        let receiver = || Connection::new(config(opposite(role)));
        let expected = receive_chunks(&mut receiver(), sender.output().chunks(size));
        let seen = receive_in_place(&mut receiver(), sender.output(), size, postpone, detach);
        prop_assert_eq!(seen, expected);
    }
}

#[test]
fn only_complete_large_messages_stay_in_the_chunk() {
    let mut peer = Connection::new(config(Role::Client));
    let key = Some(MaskingKey([1, 2, 3, 4]));
    peer.send(true, true, key, &[8; MIN_IN_PLACE]);
    peer.send(true, true, key, &[7; MIN_IN_PLACE - 1]);
    let mut chunk = peer.output().to_vec();
    let mut events = EventBatch::new();
    server().receive_in_place(&mut chunk, &mut CountingKeys::default(), &mut events);
    // After a header with a two-byte length and a key.
    let start = 8;
    assert_eq!(events.peek(), Some(EventRef::InChunk { binary: true, start, length: MIN_IN_PLACE }));
    assert_eq!(chunk[start..start + MIN_IN_PLACE], [8; MIN_IN_PLACE]);
    assert_eq!(events.payload_bytes(), 2 * MIN_IN_PLACE - 1);
    events.advance();
    assert!(matches!(events.peek(), Some(EventRef::Message { .. })));
}

#[test]
fn only_large_frames_with_received_payload_are_detached() {
    let detached = |length: usize, fin: bool, sent: usize| {
        let mut peer = Connection::new(config(Role::Client));
        peer.send(true, fin, Some(MaskingKey([1, 2, 3, 4])), &vec![7; length]);
        let mut connection = server();
        receive_chunks(&mut connection, [&peer.output()[..sent]]);
        connection.detach_frame().map(|(frame, payload)| (frame.length(), payload.len()))
    };
    assert_eq!(detached(1024 * 1024, true, 14 + 65_536), Some((1024 * 1024, 65_536)));
    assert_eq!(detached(1024 * 1024, true, 14 + 32_768), Some((1024 * 1024, 32_768)));
    assert_eq!(detached(1024 * 1024, true, 14 + 32_767), None);
    assert_eq!(detached(65_536, true, 14 + 65_535), Some((65_536, 65_535)));
    assert_eq!(detached(65_535, true, 8 + 65_000), None);
    assert_eq!(detached(1024 * 1024, false, 14 + 65_536), None);
    assert_eq!(detached(16 * 1024 * 1024 + 1, true, 14 + 1024 * 1024), None);
    assert_eq!(detached(1024 * 1024, true, 14 + 1024 * 1024), None);
}

#[test]
fn chunks_of_a_detached_frame_count() {
    let limits = Limits { max_buffered_chunks: 3, ..Limits::default() };
    let mut connection = with_limits(Role::Server, limits);
    let mut peer = Connection::new(config(Role::Client));
    peer.send(true, true, Some(MaskingKey([1, 2, 3, 4])), &vec![7; 100_000]);
    receive_chunks(&mut connection, [&peer.output()[..50_000]]);
    let (mut frame, mut payload) = connection.detach_frame().unwrap();
    let mut next = |connection: &mut Connection, payload: &mut Vec<u8>| {
        let sent = payload.len() + 8;
        payload.extend_from_slice(&peer.output()[sent..sent + 1000]);
        connection.receive_detached(&mut frame, payload)
    };
    assert!(next(&mut connection, &mut payload));
    assert!(next(&mut connection, &mut payload));
    assert!(!next(&mut connection, &mut payload));
    let mut events = EventBatch::new();
    connection.reattach_frame(&frame, &payload, &mut CountingKeys::default(), &mut events);
    assert_eq!(events.peek(), Some(EventRef::Failed(ProtocolError::TooManyBufferedChunks)));
}

#[test]
fn a_detached_text_fails_at_the_first_invalid_byte() {
    let mut peer = Connection::new(config(Role::Client));
    let mut text = vec![b'a'; 200_000];
    text[100_000] = 0xFF;
    peer.send(false, true, Some(MaskingKey([1, 2, 3, 4])), &text);
    let bytes = peer.output();
    let mut connection = server();
    receive_chunks(&mut connection, [&bytes[..50_000]]);
    let (mut frame, mut payload) = connection.detach_frame().unwrap();
    let header = 50_000 - payload.len();
    payload.extend_from_slice(&bytes[50_000..header + 100_000]);
    assert!(connection.receive_detached(&mut frame, &mut payload));
    payload.push(bytes[header + 100_000]);
    assert!(!connection.receive_detached(&mut frame, &mut payload));
    let mut events = EventBatch::new();
    connection.reattach_frame(&frame, &payload, &mut CountingKeys::default(), &mut events);
    assert_eq!(events.peek(), Some(EventRef::Failed(ProtocolError::InvalidUtf8)));
    assert!(!connection.is_receiving());
}
