//! Receiving in place with some messages compressed gives the same events as receiving by copy.

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_assert, prop_oneof, proptest};

use super::{
    CountingKeys, Event, EventBatch, EventRef, OutgoingParams, client, ends, finish, frame, key_of, noise,
    receive_inflating, send, taken, words,
};
use crate::connection::{Connection, MIN_IN_PLACE};
use crate::protocol::Role;

/// Like `receive_inflating`, in place and with detached frames. Offloaded frames are finished
/// before the next chunk.
fn receive_in_place(connection: &mut Connection, bytes: &[u8], size: usize) -> (Vec<Event>, usize) {
    let (mut events, mut seen, mut keys) = (EventBatch::new(), Vec::new(), CountingKeys::default());
    let (mut rest, mut stayed) = (bytes, 0);
    while !rest.is_empty() {
        let mut taken = size.min(rest.len());
        let mut chunk = rest[..taken].to_vec();
        connection.receive_in_place(&mut chunk, &mut keys, &mut events);
        stayed += collect(connection, &mut events, &chunk, &mut seen);
        chunk.fill(0xEE);
        if let Some((mut frame, mut payload)) = connection.detach_frame() {
            let direct = (frame.length() - payload.len()).min(rest.len() - taken);
            payload.extend_from_slice(&rest[taken..taken + direct]);
            taken += direct;
            if connection.receive_detached(&mut frame, &mut payload) && payload.len() == frame.length() {
                connection.finish_detached(frame, &mut events);
                stayed += collect(connection, &mut events, &payload, &mut seen);
            } else {
                connection.reattach_frame(&frame, &payload, &mut keys, &mut events);
            }
        }
        rest = &rest[taken..];
    }
    (seen, stayed)
}

/// Moves events into `seen`. Returns the number of messages that stayed in the chunk.
fn collect(
    connection: &mut Connection,
    events: &mut EventBatch,
    chunk: &[u8],
    seen: &mut Vec<Event>,
) -> usize {
    let mut stayed = 0;
    while let Some(event) = events.peek() {
        match event {
            EventRef::InChunk { binary, start, length } => {
                stayed += 1;
                let data = chunk[start..start + length].into();
                seen.push(Event::Message { binary, data, fragments: Vec::new() });
            }
            EventRef::Inflating => {}
            event => seen.push(event.into()),
        }
        events.advance();
        while let Some(job) = connection.take_inflate_job() {
            connection.finish_inflate_job(finish(job), &mut CountingKeys::default(), events);
        }
    }
    stayed
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![
        4 => 0_usize..200,
        2 => MIN_IN_PLACE - 1..MIN_IN_PLACE + 1,
        2 => MIN_IN_PLACE..20_000,
        1 => 65_000_usize..180_000,
    ];
    (length, 0_usize..20).prop_map(|(length, seed)| match seed % 5 {
        0 => noise(seed as u64, length),
        _ => words(seed, length.min(5_000)).iter().copied().cycle().take(length).collect(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn in_place_gives_the_same_events_as_by_copy(
        messages in vec((payload(), 0_u8..8), 1..10),
        client: bool,
        size in prop_oneof![200_usize..5_000, 5_000_usize..100_000, Just(usize::MAX)],
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let (mut sender, _) = ends(role, &OutgoingParams::default());
        for (payload, kind) in &messages {
            match kind {
                0 => sender.ping(key_of(role), &payload[..payload.len().min(125)]),
                1 => {
                    super::send_part(&mut sender, false, payload);
                    super::send_part(&mut sender, true, b"the end");
                }
                2 => {
                    sender.send(true, false, key_of(role), payload);
                    sender.send(true, true, key_of(role), b"the end");
                }
                3 | 4 => sender.send(true, true, key_of(role), payload),
                _ => send(&mut sender, payload),
            }
        }
        let receiver = || ends(role, &OutgoingParams::default()).1;
        let bytes = taken(&mut sender);
        let expected = receive_inflating(&mut receiver(), bytes.chunks(size), 0);
        let (seen, _) = receive_in_place(&mut receiver(), &bytes, size);
        prop_assert!(seen == expected);
        prop_assert!(messages.iter().filter(|(_, kind)| *kind > 0).count() <= seen.len());
    }
}

#[test]
fn uncompressed_messages_stay_in_the_chunk_until_a_compressed_one() {
    let (mut sender, _) = ends(Role::Server, &OutgoingParams::default());
    let plain = noise(1, MIN_IN_PLACE);
    let compressed = noise(2, MIN_IN_PLACE);
    sender.send(true, true, None, &plain);
    sender.send(true, true, None, &plain);
    send(&mut sender, &compressed);
    sender.send(true, true, None, &plain);
    let (seen, stayed) = receive_in_place(&mut client(), &taken(&mut sender), usize::MAX);
    assert!(seen == [&plain, &plain, &compressed, &plain].map(|payload| Event::binary(payload)));
    assert_eq!(stayed, 2);
}

#[test]
fn compressed_frames_are_never_detached() {
    let payload = noise(3, 300_000);
    let (mut sender, _) = ends(Role::Server, &OutgoingParams::default());
    send(&mut sender, &payload);
    super::send_part(&mut sender, false, b"a");
    super::send_part(&mut sender, true, &payload);
    let bytes = taken(&mut sender);
    let mut receiver = client();
    let mut events = EventBatch::new();
    for chunk in bytes.chunks(40_000) {
        receiver.receive(chunk, &mut CountingKeys::default(), &mut events);
        assert!(receiver.detach_frame().is_none());
        collect(&mut receiver, &mut events, &[], &mut Vec::new());
        assert!(receiver.detach_frame().is_none());
    }
    assert!(receiver.is_between_frames());
    // The same for RSV1 without valid DEFLATE.
    let invalid = frame(0xC2, &vec![0xFF; 100_000]);
    receiver.receive(&invalid[..50_000], &mut CountingKeys::default(), &mut events);
    assert!(receiver.detach_frame().is_none());
    // An uncompressed frame is detached.
    let mut receiver = client();
    receiver.receive(&frame(0x82, &payload)[..50_000], &mut CountingKeys::default(), &mut events);
    let (frame, begun) = receiver.detach_frame().unwrap();
    assert_eq!(frame.length(), 300_000);
    receiver.reattach_frame(&frame, &begun, &mut CountingKeys::default(), &mut events);
}
