//! Limits on memory held for a peer.

use super::{Event, receive, receive_chunks, with_limits};
use crate::connection::Connection;
use crate::protocol::{Limits, ProtocolError, Role};

const UNLIMITED: Limits = Limits {
    max_payload: 0,
    max_fragments: 0,
    max_buffered_chunks: 0,
    max_pending_auto_pongs: 0,
    max_read: 0,
};

fn too_long() -> Event {
    Event::Failed(ProtocolError::UnsupportedMessageLength)
}

#[test]
fn max_payload_counts_all_fragments_and_restarts() {
    let limited = || with_limits(Role::Client, Limits { max_payload: 4, ..UNLIMITED });
    assert_eq!(receive(&mut limited(), b"\x82\x04abcd\x01\x02ab\x80\x02cd\x82\x04abcd").len(), 3);
    assert_eq!(receive(&mut limited(), b"\x82\x05"), [too_long()]);
    // Rejected as soon as the second length is known, before any byte of its payload.
    assert_eq!(receive(&mut limited(), b"\x01\x02ab\x80\x03"), [too_long()]);
}

#[test]
fn max_payload_does_not_wait_for_the_key() {
    let mut limited = with_limits(Role::Server, Limits { max_payload: 4, ..UNLIMITED });
    assert_eq!(receive(&mut limited, b"\x82\x85"), [too_long()]);
}

#[test]
fn max_payload_can_be_changed() {
    let mut connection = with_limits(Role::Client, UNLIMITED);
    assert_eq!(receive(&mut connection, b"\x82\x05abcde"), [Event::binary(b"abcde")]);
    connection.set_max_payload(4);
    assert_eq!(receive(&mut connection, b"\x82\x05abcde"), [too_long()]);
}

#[test]
fn one_fragment_beyond_the_limit_is_an_error() {
    let limited = || with_limits(Role::Client, Limits { max_fragments: 2, ..UNLIMITED });
    let failed = Event::Failed(ProtocolError::TooManyMessageFragments);
    let message = |fragments| Event::Message { binary: true, data: vec![b'a'; 2], fragments };
    assert_eq!(receive(&mut limited(), b"\x02\x01a\x80\x01a\x02\x01a\x80\x01a").len(), 2);
    // Empty frames count, pings do not.
    assert_eq!(
        receive(&mut limited(), b"\x02\x02aa\x8A\x00\x80\x00"),
        [Event::Pong(Vec::new()), message(vec![2])]
    );
    assert_eq!(receive(&mut limited(), b"\x02\x00\x00\x00\x80\x00"), std::slice::from_ref(&failed));
    // The frame must be complete first.
    let mut connection = limited();
    assert_eq!(receive(&mut connection, b"\x02\x01a\x00\x01a\x80\x02b"), []);
    assert_eq!(receive(&mut connection, b"b"), [failed]);
}

/// Events of a connection that may hold two chunks.
fn two_chunks(chunks: &[&[u8]]) -> (Vec<Event>, bool) {
    let mut connection = with_limits(Role::Server, Limits { max_buffered_chunks: 2, ..UNLIMITED });
    let events = receive_chunks(&mut connection, chunks.iter().copied());
    (events, connection.is_receiving())
}

#[test]
fn a_part_of_a_frame_may_span_max_buffered_chunks() {
    let failed = (vec![Event::Failed(ProtocolError::TooManyBufferedChunks)], false);
    let abcd = (vec![Event::binary(b"abcd")], true);
    let header = b"\x82\x84\0\0\0\0";
    // The chunk that completes a part counts as well.
    assert_eq!(two_chunks(&[header, b"ab", b"cd"]), abcd);
    assert_eq!(two_chunks(&[header, b"a", b"b", b"cd"]), failed);
    // Bytes after a complete part keep their chunk.
    assert_eq!(two_chunks(&[b"\x82\x84\0\0\0\0a", b"b", b"cd"]), failed);
    assert_eq!(two_chunks(&[b"\x82\x84\0\0\0\0ab", b"cd"]), abcd);
}

#[test]
fn header_fields_are_separate_parts() {
    let abcd = (vec![Event::binary(b"abcd")], true);
    assert_eq!(two_chunks(&[b"\x82", b"\x84", b"\0\0", b"\0\0", b"ab", b"cd"]), abcd);
    assert_eq!(two_chunks(&[b"\x82", b"\xFE", b"\0", b"\x04", b"\0\0\0", b"\0", b"a", b"bcd"]), abcd);
    let failed = (vec![Event::Failed(ProtocolError::TooManyBufferedChunks)], false);
    assert_eq!(two_chunks(&[b"\x82\x84", b"\0", b"\0", b"\0\0abcd"]), failed);
    assert_eq!(two_chunks(&[b"\x82\xFF\0\0", b"\0\0", b"\0\0\0\x04\0\0\0\0abcd"]), failed);
}

#[test]
fn a_limit_of_zero_is_unlimited() {
    let mut unlimited: Connection = with_limits(Role::Client, UNLIMITED);
    let bytes = [&b"\x02\x00"[..], &b"\x00\x01a".repeat(500), b"\x80\x7E\x01\x00", &[b'a'; 256]].concat();
    let events = receive_chunks(&mut unlimited, bytes.chunks(1));
    let mut fragments = vec![1; 500];
    fragments.push(256);
    assert_eq!(events, [Event::Message { binary: true, data: vec![b'a'; 756], fragments }]);
}
