//! Selection of the messages to compress, and their frames.

use std::sync::Arc;

use flate2::Decompress;

use super::{
    Event, ends, frames, inflate_with_flate2, key_of, narrow, noise, receive, receive_inflating, send,
    send_part, taken, without_takeover, words,
};
use crate::connection::Connection;
use crate::protocol::deflate::{
    Broadcast, Level, MemLevel, OutgoingParams, Pool, Strategy, compress_standalone,
};
use crate::protocol::{MaskingKey, Role};

fn server(outgoing: &OutgoingParams) -> Connection {
    ends(Role::Server, outgoing).0
}

/// The RFC's examples are of zlib's default level; by default ferrows compresses short payloads at a faster one.
fn with_zlib_level() -> OutgoingParams {
    OutgoingParams { level: Level::new(6), ..OutgoingParams::default() }
}

fn send_text(connection: &mut Connection, fin: bool, payload: &[u8], compress: bool) {
    connection.send_compressed(false, fin, None, payload, compress, &mut Broadcast::default());
}

#[test]
fn the_examples_of_rfc_7692() {
    let mut connection = server(&with_zlib_level());
    send_text(&mut connection, true, b"Hello", true);
    send_text(&mut connection, true, b"Hello", true);
    assert_eq!(taken(&mut connection), b"\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00\xC1\x05\xF2\x00\x11\x00\x00");
    let mut connection =
        server(&OutgoingParams { context_takeover: false, threshold: 0, ..with_zlib_level() });
    for _ in 0..3 {
        send_text(&mut connection, true, b"Hello", true);
        assert_eq!(taken(&mut connection), b"\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00");
    }
}

#[test]
fn clients_mask_compressed_payloads() {
    let mut client = ends(Role::Client, &OutgoingParams::default()).0;
    let key = Some(MaskingKey([0x37, 0xFA, 0x21, 0x3D]));
    client.send_compressed(false, true, key, b"Hello", true, &mut Broadcast::default());
    assert_eq!(taken(&mut client), b"\xC1\x87\x37\xFA\x21\x3D\xC5\xB2\xEC\xF4\xFE\xFD\x21");
}

#[test]
fn empty_messages_and_fragments_are_empty_blocks() {
    for outgoing in [OutgoingParams::default(), OutgoingParams { threshold: 0, ..without_takeover() }] {
        let mut connection = server(&outgoing);
        send_text(&mut connection, true, b"", true);
        assert_eq!(taken(&mut connection), b"\xC1\x01\x00");
        send_text(&mut connection, false, b"", true);
        send_text(&mut connection, false, b"", true);
        send_text(&mut connection, true, b"", true);
        let fragments = b"\x41\x05\x00\x00\x00\xFF\xFF\x00\x05\x00\x00\x00\xFF\xFF\x80\x01\x00";
        assert_eq!(taken(&mut connection), fragments);
        // Without `compress` they are sent as empty frames.
        send_text(&mut connection, true, b"", false);
        assert_eq!(taken(&mut connection), b"\x81\x00");
    }
    // The same below the threshold.
    let mut connection = server(&without_takeover());
    send_text(&mut connection, true, b"", true);
    assert_eq!(taken(&mut connection), b"\x81\x00");
}

#[test]
fn empty_frames_do_not_change_the_context() {
    let mut connection = server(&with_zlib_level());
    send_text(&mut connection, true, b"Hello", true);
    send_text(&mut connection, true, b"", true);
    send_text(&mut connection, false, b"", true);
    send_text(&mut connection, true, b"Hello", true);
    let bytes = taken(&mut connection);
    assert!(bytes.ends_with(b"\x80\x05\xF2\x00\x11\x00\x00"), "{bytes:02X?}");
    let seen = receive(&mut super::client(), &bytes);
    let last = Event::Message { binary: false, data: b"Hello".into(), fragments: vec![5] };
    assert_eq!(seen, [Event::text("Hello"), Event::text(""), last]);
}

#[test]
fn with_takeover_every_message_is_compressed() {
    let mut connection = server(&OutgoingParams { threshold: u64::MAX, ..OutgoingParams::default() });
    assert!(connection.decide_compression(true, 0) && connection.decide_compression(true, 1));
    assert!(!connection.decide_compression(false, 100_000));
    send(&mut connection, b"a");
    assert_eq!(frames(&taken(&mut connection))[0].0, 0xC2);
}

#[test]
fn without_takeover_the_threshold_decides() {
    let mut connection = server(&without_takeover());
    for (length, first) in [(0, 0x82), (1, 0x82), (99, 0x82), (100, 0xC2), (5_000, 0xC2)] {
        assert_eq!(connection.decide_compression(true, length), first == 0xC2);
        send(&mut connection, &vec![b'a'; length]);
        let bytes = taken(&mut connection);
        assert_eq!(frames(&bytes)[0].0, first, "{length}");
        let payload = frames(&bytes)[0].1;
        if first == 0x82 {
            assert_eq!(payload, vec![b'a'; length]);
        } else {
            assert_eq!(inflate_with_flate2(&mut Decompress::new(false), payload), vec![b'a'; length]);
        }
    }
    assert!(!Connection::new(super::config(Role::Server)).decide_compression(true, 5_000));
}

#[test]
fn the_first_fragment_decides() {
    let long = vec![b'a'; 200];
    for (outgoing, first, compress, compressed) in [
        (without_takeover(), &long[..], true, true),
        (without_takeover(), &long[..99], true, false),
        (without_takeover(), &long[..], false, false),
        (without_takeover(), b"", true, false),
        (OutgoingParams::default(), b"", true, true),
        (OutgoingParams::default(), b"a", false, false),
    ] {
        let mut connection = server(&outgoing);
        send_text(&mut connection, false, first, compress);
        // Later arguments do not change the decision.
        assert_eq!(connection.decide_compression(!compress, 0), compressed);
        connection.ping(None, b"?");
        send_text(&mut connection, false, &long, !compress);
        send_text(&mut connection, true, b"b", !compress);
        let bytes = taken(&mut connection);
        let bits: Vec<u8> = frames(&bytes).iter().map(|frame| frame.0).collect();
        let expected = if compressed { [0x41, 0x89, 0x00, 0x80] } else { [0x01, 0x89, 0x00, 0x80] };
        assert_eq!(bits, expected);
        let payload = [first, &long, b"b"].concat();
        if compressed {
            let parts: Vec<u8> = [0, 2, 3].iter().flat_map(|&at| frames(&bytes)[at].1.to_vec()).collect();
            assert_eq!(inflate_with_flate2(&mut Decompress::new(false), &parts), payload);
        }
        let seen = receive(&mut super::client(), &bytes);
        assert!(matches!(&seen[1], Event::Message { data, .. } if *data == payload));
        // The next message decides for itself.
        assert!(connection.decide_compression(true, 1_000));
    }
}

#[test]
fn precompressed_payloads_are_framed_like_others() {
    for outgoing in [OutgoingParams::default(), without_takeover(), narrow(9)] {
        for role in [Role::Server, Role::Client] {
            let (mut sender, mut receiver) = ends(role, &outgoing);
            let mut expected = Vec::new();
            for round in 0..6 {
                let payload = words(round, 300);
                assert!(sender.decide_compression(true, 300));
                if round % 2 == 0 {
                    let compressed =
                        compress_standalone(&Pool::default(), sender.outgoing_params().unwrap(), &payload);
                    sender.send_precompressed(true, true, key_of(role), &compressed);
                } else {
                    send(&mut sender, &payload);
                }
                expected.push(Event::binary(&payload));
            }
            // As fragments, in turn.
            for (round, fin) in [(6, false), (7, false), (8, false), (9, true)] {
                assert!(sender.decide_compression(true, 300));
                if round % 2 == 0 {
                    let compressed = compress_standalone(&Pool::default(), &outgoing, &words(round, 300));
                    sender.send_precompressed(true, fin, key_of(role), &compressed);
                } else {
                    send_part(&mut sender, fin, &words(round, 300));
                }
            }
            let data = (6..10).flat_map(|round| words(round, 300)).collect();
            expected.push(Event::Message { binary: true, data, fragments: vec![300; 4] });
            assert_eq!(receive(&mut receiver, &taken(&mut sender)), expected);
        }
    }
    assert!(Connection::new(super::config(Role::Server)).outgoing_params().is_none());
}

#[test]
fn the_history_starts_with_the_dictionary() {
    let dictionary: Arc<[u8]> = Arc::from(words(1, 1_000));
    for context_takeover in [true, false] {
        let outgoing = OutgoingParams {
            dictionary: Some(Arc::clone(&dictionary)),
            context_takeover,
            threshold: 0,
            ..OutgoingParams::default()
        };
        let (mut sender, mut receiver) = ends(Role::Server, &outgoing);
        let mut expected = Vec::new();
        let mut say = |sender: &mut Connection, alone: bool| {
            let payload = words(1, 900);
            expected.push(Event::binary(&payload));
            assert!(sender.decide_compression(true, payload.len()));
            if alone {
                let compressed = compress_standalone(&Pool::default(), &outgoing, &payload);
                sender.send_precompressed(true, true, None, &compressed);
            } else {
                send(sender, &payload);
            }
            let bytes = taken(sender);
            assert_eq!(receive(&mut receiver, &bytes), [Event::binary(&payload)]);
            bytes.len()
        };
        let first = say(&mut sender, false);
        assert!(first < 60, "{first}");
        let alone = say(&mut sender, true);
        assert!(alone > 100, "{alone}");
        let mut last = 0;
        for _ in 0..3 {
            sender.trim_memory();
            last = say(&mut sender, false);
        }
        // With takeover the peer's window has moved on; without it each message starts with the
        // dictionary.
        assert!(context_takeover || last == first, "{last}");
    }
}

#[test]
fn connections_exchange_random_messages() {
    let payloads = [words(1, 2_000), noise(2, 500), words(3, 2_000), vec![0; 70_000], b"x".to_vec()];
    for level in [None, Level::new(0), Level::new(1), Level::new(9)] {
        for (strategy, bits) in [(Strategy::Default, 15), (Strategy::Fixed, 10), (Strategy::Rle, 8)] {
            let outgoing = OutgoingParams {
                level,
                strategy,
                mem_level: MemLevel::new(if bits == 8 { 1 } else { 9 }).unwrap(),
                ..narrow(bits)
            };
            let (mut sender, mut receiver) = ends(Role::Client, &outgoing);
            for payload in &payloads {
                send(&mut sender, payload);
            }
            let seen = receive_inflating(&mut receiver, taken(&mut sender).chunks(1_000), 0);
            assert!(seen == payloads.each_ref().map(|payload| Event::binary(payload)), "{outgoing:?}");
        }
    }
}
