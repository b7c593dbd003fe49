//! Bytes to events: examples, endings, and independence of chunk boundaries.

use super::{Event, KEY, assert_same_however_cut, client, config, receive, receive_chunks, server};
use crate::connection::{Config, Connection, LARGE_MESSAGE};
use crate::protocol::{ProtocolError, Role};

#[test]
fn the_examples_of_rfc_6455_section_5_7() {
    let hello = Event::text("Hello");
    assert_eq!(receive(&mut client(), b"\x81\x05Hello"), std::slice::from_ref(&hello));
    let masked = b"\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58";
    assert_eq!(receive(&mut server(), masked), [hello]);
    let fragmented = Event::Message { binary: false, data: b"Hello".into(), fragments: vec![3, 2] };
    assert_eq!(receive(&mut client(), b"\x01\x03Hel\x80\x02lo"), [fragmented]);
    assert_eq!(receive(&mut client(), b"\x89\x05Hello"), [Event::Ping(b"Hello".into())]);
    let pong = b"\x8A\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58";
    assert_eq!(receive(&mut server(), pong), [Event::Pong(b"Hello".into())]);
    for (header, length) in [(&b"\x82\x7E\x01\x00"[..], 256), (b"\x82\x7F\0\0\0\0\0\x01\0\0", 65536)] {
        let payload = vec![0xA5; length];
        assert_eq!(receive(&mut client(), &[header, &payload].concat()), [Event::binary(&payload)]);
    }
}

/// Input for a client that covers every path, with the last event.
fn streams() -> Vec<(Vec<u8>, Event)> {
    let before = [
        &b"\x81\x03\xE2\x82\xAC\x82\x00\x81\x00"[..],
        b"\x01\x02\xE2\x82\x89\x01p\x00\x00\x8A\x00\x80\x02\xACx",
        b"\x82\x7E\x00\x02ab\x82\x7F\0\0\0\0\0\0\0\x01c",
        b"\x02\x01a\x80\x00\x89\x00\x02\x00\x80\x00",
    ]
    .concat();
    let failed = Event::Failed;
    [
        (&b"\x88\x00\x81\x01x"[..], Event::Close(1005, Vec::new())),
        (b"\x88\x02\x03\xE8\xFF\xFF", Event::Close(1000, Vec::new())),
        (b"\x88\x05\x0F\xA0bye\x88\x00", Event::Close(4000, b"bye".into())),
        (b"\x88\x02\x03\xED", failed(ProtocolError::InvalidCloseCode(1005))),
        (b"\x88\x03\x03\xE8\xFF", failed(ProtocolError::InvalidUtf8)),
        (b"\x88\x01\x03", failed(ProtocolError::InvalidControlPayloadLength(1))),
        (b"\x81\x02\xE2\x82\x81\x01x", failed(ProtocolError::InvalidUtf8)),
        (b"\x01\x01\xFF\x80\x01a\x81\x01x", failed(ProtocolError::InvalidUtf8)),
        (b"\x83\x00\x81\x01x", failed(ProtocolError::InvalidOpcode(3))),
        (b"\x80\x00\x81\x01x", failed(ProtocolError::InvalidOpcode(0))),
        (b"\x01\x01a\x01\x01b", failed(ProtocolError::InvalidOpcode(1))),
        (b"\xC1\x01a", failed(ProtocolError::UnexpectedRsv1)),
        (b"\x91\x01a", failed(ProtocolError::UnexpectedRsv23)),
        (b"\x09\x01a", failed(ProtocolError::ExpectedFin)),
        (b"\x81\x81\0\0\0\0a", failed(ProtocolError::UnexpectedMask)),
        (b"\x82\x7F\0\x20\0\0\0\0\0\0", failed(ProtocolError::UnsupportedDataPayloadLength)),
        (b"\x82\x7F\0\0\0\0\x06\x40\0\x01", failed(ProtocolError::UnsupportedMessageLength)),
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
fn nothing_is_received_after_an_end() {
    for end in [&b"\x88\x00"[..], b"\x83\x00"] {
        let mut connection = client();
        assert_eq!(receive(&mut connection, end).len(), 1);
        assert!(!connection.is_receiving());
        assert_eq!(receive(&mut connection, b"\x81\x01x\x89\x00"), []);
        assert_eq!(connection.queued_total(), 0);
    }
}

#[test]
fn a_close_frame_is_not_answered_by_the_connection() {
    let mut connection = server();
    let closed = receive(&mut connection, b"\x88\x82\0\0\0\0\x03\xE8");
    assert_eq!(closed, [Event::Close(1000, Vec::new())]);
    assert_eq!(connection.output(), b"");
    connection.close(Some(1000), b"", None);
    assert_eq!(connection.output(), b"\x88\x02\x03\xE8");
}

#[test]
fn validation_may_be_skipped() {
    let config = Config { skip_utf8_validation: true, ..config(Role::Client) };
    let stream = b"\x81\x01\xFF\x01\x01\xFF\x80\x00\x88\x03\x03\xE8\xFF";
    let expected = [
        Event::Message { binary: false, data: vec![0xFF], fragments: Vec::new() },
        Event::Message { binary: false, data: vec![0xFF], fragments: vec![1] },
        Event::Close(1000, vec![0xFF]),
    ];
    assert_eq!(receive(&mut Connection::new(config.clone()), stream), expected);
    assert_eq!(receive_chunks(&mut Connection::new(config), stream.chunks(1)), expected);

    let mut changed = client();
    changed.set_skip_utf8_validation(true);
    assert_eq!(receive(&mut changed, stream), expected);
}

#[test]
fn large_messages_arrive_complete_and_in_pieces() {
    let payload: Vec<u8> = (0..LARGE_MESSAGE * 5 + 3).map(|index| (index % 251) as u8).collect();
    let mut peer = client();
    peer.send(true, true, Some(KEY), &payload);
    peer.send(true, false, Some(KEY), &payload[..LARGE_MESSAGE]);
    peer.send(true, true, Some(KEY), b"tail");
    let fragmented = Event::Message {
        binary: true,
        data: [&payload[..LARGE_MESSAGE], b"tail"].concat(),
        fragments: vec![LARGE_MESSAGE as u32, 4],
    };
    let expected = [Event::binary(&payload), fragmented];
    for size in [usize::MAX, 65_536, 1_447] {
        assert_eq!(receive_chunks(&mut server(), peer.output().chunks(size)), expected);
    }
}
