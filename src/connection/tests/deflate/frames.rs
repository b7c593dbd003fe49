//! Compressed frames at every split: the examples of RFC 7692 section 7.2.3, and invalid frames.

use super::{Event, assert_same_however_cut, client, failed, frame, receive, receive_chunks};
use crate::connection::{Config, Connection};
use crate::protocol::deflate::{DeflateParams, InflateError};
use crate::protocol::{ProtocolError, Role};

const HELLO: &[u8] = b"\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00";

fn hello(fragments: &[u32]) -> Event {
    Event::Message { binary: false, data: b"Hello".into(), fragments: fragments.into() }
}

#[test]
fn the_examples_of_rfc_7692_section_7_2_3() {
    // One compressed block, in one frame and in two; the window is kept between messages.
    let one = [HELLO, b"\xC1\x05\xF2\x00\x11\x00\x00"].concat();
    assert_eq!(receive(&mut client(), &one), [hello(&[]), hello(&[])]);
    let two = b"\x41\x03\xF2\x48\xCD\x80\x04\xC9\xC9\x07\x00";
    let fragmented = receive(&mut client(), two);
    let [Event::Message { binary: false, data, fragments }] = &fragmented[..] else {
        panic!("{fragmented:?}")
    };
    assert_eq!((&data[..], fragments.iter().sum::<u32>()), (&b"Hello"[..], 5));
    // A stored block, a final block, two blocks.
    for payload in [
        &b"\x00\x05\x00\xFA\xFF\x48\x65\x6C\x6C\x6F\x00"[..],
        b"\xF3\x48\xCD\xC9\xC9\x07\x00\x00",
        b"\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00",
    ] {
        assert_eq!(receive(&mut client(), &frame(0xC1, payload)), [hello(&[])]);
    }
    // An empty last fragment.
    let empty = b"\x41\x0B\xF2\x48\xCD\xC9\xC9\x07\x00\x00\x00\xFF\xFF\x80\x01\x00";
    assert_eq!(receive(&mut client(), empty), [hello(&[5])]);
}

#[test]
fn a_final_block_is_followed_by_a_new_stream() {
    let last = frame(0xC1, b"\xF3\x48\xCD\xC9\xC9\x07\x00\x00");
    assert_eq!(receive(&mut client(), &[&last, HELLO, &last, &last].concat()), vec![hello(&[]); 4]);
    // A reference to the previous stream is invalid.
    let refers = [&last[..], b"\xC1\x05\xF2\x00\x11\x00\x00"].concat();
    let too_far = failed(ProtocolError::InvalidDeflate(InflateError::TooFarBack));
    assert_eq!(receive(&mut client(), &refers), [hello(&[]), too_far.clone()]);
    let refers = [HELLO, &refers].concat();
    assert_eq!(receive(&mut client(), &refers), [hello(&[]), hello(&[]), too_far]);
    // Also between the fragments of a message, and with garbage after it.
    let parts = [
        frame(0x41, b"\xF3\x48\xCD\xC9\xC9\x07\x00\x00garbage"),
        frame(0x00, b""),
        frame(0x80, b"\xF2\x48\xCD\xC9\xC9\x07\x00"),
    ];
    let twice = Event::Message { binary: false, data: b"HelloHello".into(), fragments: vec![5, 5] };
    assert_eq!(receive(&mut client(), &parts.concat()), [twice]);
}

/// Input for a client that covers every path, with the last event.
fn streams() -> Vec<(Vec<u8>, Event)> {
    let before = [
        HELLO,
        // Fragmented, with control frames and an empty frame in between, uncompressed messages
        // around it.
        b"\x81\x02hi\x41\x03\xF2\x48\xCD\x89\x01p\x00\x00\x8A\x00\x80\x04\xC9\xC9\x07\x00\x82\x00",
        b"\xC2\x01\x00\xC1\x05\xF2\x00\x11\x00\x00",
        b"\x01\x01a\x89\x00\x80\x01b\x42\x05\x00\x00\x00\xFF\xFF\x80\x01\x00",
        // Stored, in two frames, with a euro sign split between them.
        b"\x41\x08\x00\x03\x00\xFC\xFF\xE2\x82\xAC\x00\x05\x00\x00\x00\xFF\xFF\x80\x01\x00",
        b"\x41\x07\x00\x02\x00\xFD\xFF\xE2\x82\x80\x07\x00\x01\x00\xFE\xFF\xAC\x00",
    ]
    .concat();
    let fault = |fault| failed(ProtocolError::InvalidDeflate(fault));
    [
        (&b"\x88\x00\xC1\x01\x00"[..], Event::Close(1005, Vec::new())),
        (b"\x88\x02\x03\xE8\xFF\xFF", Event::Close(1000, Vec::new())),
        (b"\xC1\x01\x06\xC1\x01\x00", fault(InflateError::BlockType)),
        (b"\x41\x01\x02\x80\x03\x7E\xFF\xFF\x89\x00", fault(InflateError::DistanceCode)),
        (b"\x41\x05\x01\x05\x00\xFA\xFE\x80\x00", fault(InflateError::StoredLengths)),
        // Invalid UTF-8: FF alone, and a truncated sequence.
        (b"\xC1\x07\x00\x01\x00\xFE\xFF\xFF\x00\xC1\x01\x00", failed(ProtocolError::InvalidUtf8)),
        (b"\x41\x06\x00\x01\x00\xFE\xFF\xFF\x80\x01\x00\x89\x00", failed(ProtocolError::InvalidUtf8)),
        (b"\xC1\x08\x00\x02\x00\xFD\xFF\xE2\x82\x00\x89\x00", failed(ProtocolError::InvalidUtf8)),
        (b"\x42\x01\x00\xC0\x01\x00", failed(ProtocolError::UnexpectedRsv1)),
        (b"\x02\x01a\xC0\x01\x00", failed(ProtocolError::UnexpectedRsv1)),
        (b"\xC9\x00", failed(ProtocolError::UnexpectedRsv1)),
        (b"\xC8\x00", failed(ProtocolError::UnexpectedRsv1)),
        (b"\xCA\x01a", failed(ProtocolError::UnexpectedRsv1)),
        (b"\x42\x01\x00\x49\x00", failed(ProtocolError::ExpectedFin)),
        (b"\x41\x01\x00\xC1\x01\x00", failed(ProtocolError::InvalidOpcode(1))),
        (b"\xD1\x01\x00", failed(ProtocolError::UnexpectedRsv23)),
        (b"\xE1\x01\x00", failed(ProtocolError::UnexpectedRsv23)),
        (b"\xC3\x01\x00", failed(ProtocolError::InvalidOpcode(3))),
        (b"\xC0\x01\x00", failed(ProtocolError::UnexpectedRsv1)),
    ]
    .map(|(end, event)| ([&before[..], end].concat(), event))
    .into()
}

#[test]
fn every_split_gives_the_same_events_and_output() {
    for (stream, last) in streams() {
        assert_same_however_cut(client, &stream, &last);
    }
}

#[test]
fn every_prefix_of_the_stream_is_valid() {
    let message = |binary, data: &[u8], fragments: &[u32]| Event::Message {
        binary,
        data: data.into(),
        fragments: fragments.into(),
    };
    let (stream, _) = &streams()[0];
    let seen = receive(&mut client(), stream);
    assert_eq!(seen.len(), 14, "{seen:?}");
    assert_eq!(
        seen[0..4],
        [hello(&[]), Event::text("hi"), Event::Ping(b"p".into()), Event::Pong(Vec::new())]
    );
    let Event::Message { data, .. } = &seen[4] else { panic!("{:?}", seen[4]) };
    assert_eq!(data, b"Hello");
    assert_eq!(seen[5..7], [Event::binary(b""), Event::binary(b"")]);
    assert_eq!(seen[7..10], [hello(&[]), Event::Ping(Vec::new()), message(false, b"ab", &[1, 1])]);
    let euro = "\u{20AC}".as_bytes();
    assert_eq!(
        seen[10..13],
        [message(true, b"", &[]), message(false, euro, &[3]), message(false, euro, &[2, 1])]
    );
}

#[test]
fn references_beyond_the_negotiated_window_are_errors() {
    let params = super::peer_params(&super::narrow(9));
    let mut connection = Connection::new(super::config_with(Role::Client, params));
    let mut sender = super::with_deflate(Role::Server);
    let (one, other) = (super::noise(1, 300), super::noise(2, 300));
    // Found 300 bytes back, and not at all.
    for payload in [&one, &one, &other] {
        super::send(&mut sender, payload);
        let bytes = super::taken(&mut sender);
        assert_eq!(receive(&mut connection, &bytes), [Event::binary(payload)]);
    }
    // Found 600 bytes back, in a window of 512.
    super::send(&mut sender, &one);
    let too_far = failed(ProtocolError::InvalidDeflate(InflateError::TooFarBack));
    assert_eq!(receive(&mut connection, &super::taken(&mut sender)), [too_far]);
}

#[test]
fn masked_frames_are_unmasked_at_every_split() {
    let masked = b"\xC1\x87\x37\xFA\x21\x3D\xC5\xB2\xEC\xF4\xFE\xFD\x21".as_slice();
    for cut in 0..masked.len() {
        let (head, tail) = masked.split_at(cut);
        let mut server = super::with_deflate(Role::Server);
        assert_eq!(receive_chunks(&mut server, [head, tail]), [hello(&[])], "cut at {cut}");
    }
}

#[test]
fn without_the_extension_rsv1_is_an_error() {
    let unexpected = failed(ProtocolError::UnexpectedRsv1);
    assert_eq!(receive(&mut super::super::client(), HELLO), std::slice::from_ref(&unexpected));
    // Taking the connection leaves no state behind.
    let mut connection = client();
    let mut taken = connection.take();
    assert_eq!(receive(&mut connection, HELLO), [unexpected]);
    assert_eq!(receive(&mut taken, HELLO), [hello(&[])]);
}

#[test]
fn an_invalid_frame_fails_once() {
    let mut connection = client();
    let fault = failed(ProtocolError::InvalidDeflate(InflateError::BlockType));
    let stream = [HELLO, b"\xC1\x02\x06\x00", HELLO, b"\x89\x00\x88\x00"].concat();
    assert_eq!(receive(&mut connection, &stream), [hello(&[]), fault]);
    assert!(!connection.is_receiving());
    assert_eq!(receive(&mut connection, HELLO), []);
    assert_eq!(connection.queued_total(), 0);
}

#[test]
fn long_frames_have_named_errors() {
    use InflateError::{DistanceCode, LiteralLengthCode, TooFarBack};
    // "Hello" this many times, followed by an example of zlib's or by a reference to a message that
    // was never sent.
    let hello = [&HELLO[2..], &[0, 0, 0xFF, 0xFF]].concat();
    for (times, input, fault) in [
        (1, &[0x02, 0x7E, 0xFF, 0xFF][..], DistanceCode),
        (1, &[0x1B, 0x07, 0, 0, 0, 0, 0], LiteralLengthCode),
        (100, &[0x02, 0x7E, 0xFF, 0xFF], DistanceCode),
        (100, &[0x1B, 0x07, 0, 0, 0, 0, 0], LiteralLengthCode),
        (0, &[0xF2, 0x00, 0x11, 0x00, 0x00], TooFarBack),
    ] {
        for behind in [0, 400] {
            let payload = [&hello.repeat(times), input, &vec![0; behind][..]].concat();
            let expected = [failed(ProtocolError::InvalidDeflate(fault))];
            assert_eq!(receive(&mut client(), &frame(0xC1, &payload)), expected);
            let fragments = [frame(0x41, &payload), frame(0x80, b"\x00")].concat();
            assert_eq!(receive(&mut client(), &fragments), expected);
            // Also in the window of an earlier message.
            if times > 0 {
                let second = [HELLO, &frame(0xC1, &payload)].concat();
                assert_eq!(receive(&mut client(), &second)[1..], expected);
            }
        }
    }
}

#[test]
fn events_of_compressed_messages_are_marked() {
    let mut events = crate::connection::EventBatch::new();
    let stream = [HELLO, b"\x82\x01a\x41\x05\0\0\0\xFF\xFF\x89\x00\x80\x01\x00\x01\x01a\x80\x01b"].concat();
    client().receive(&stream, &mut super::CountingKeys::default(), &mut events);
    let mut seen = Vec::new();
    while events.peek().is_some() {
        seen.push(events.is_compressed());
        events.advance();
    }
    assert_eq!(seen, [true, false, false, true, false]);
    assert!(!events.is_compressed());
}

#[test]
fn validation_may_be_skipped() {
    let skipping =
        Config { skip_utf8_validation: true, ..super::config_with(Role::Client, DeflateParams::default()) };
    let invalid = b"\xC1\x07\x00\x01\x00\xFE\xFF\xFF\x00\x41\x06\x00\x01\x00\xFE\xFF\xFF\x80\x01\x00";
    let seen = receive(&mut Connection::new(skipping), invalid);
    let message = |fragments| Event::Message { binary: false, data: vec![0xFF], fragments };
    assert_eq!(seen, [message(Vec::new()), message(vec![1])]);
    // Binary messages may hold any bytes.
    let mut binary = invalid.to_vec();
    (binary[0], binary[9]) = (0xC2, 0x42);
    assert_eq!(receive(&mut client(), &binary).len(), 2);
}
