//! Commands to bytes, and the totals.

use super::{KEY, client, server};
use crate::connection::{Head, Output};
use crate::protocol::MaskingKey;

#[test]
fn the_first_fragment_alone_decides_the_opcode() {
    let mut connection = server();
    connection.send(false, false, None, b"Hel");
    connection.ping(None, b"");
    connection.send(true, false, None, b"");
    connection.send(true, true, None, b"lo");
    connection.send(true, true, None, b"b");
    connection.send(false, true, None, b"t");
    assert_eq!(connection.output(), b"\x01\x03Hel\x89\x00\x00\x00\x80\x02lo\x82\x01b\x81\x01t");
}

#[test]
fn an_external_payload_counts_and_has_its_place() {
    let (mut whole, mut parts) = (server(), server());
    for connection in [&mut whole, &mut parts] {
        connection.send(false, false, None, b"Hel");
    }
    whole.send(true, true, None, &[7; 300]);
    parts.send_external(true, true, 300);
    assert_eq!((parts.queued_total(), parts.pending()), (whole.queued_total(), whole.pending()));
    assert!(parts.has_output());
    let mut output = Output::default();
    assert!(parts.swap_output(&mut output));
    assert_eq!(output.head(), Head { before: &whole.output()[..9], external: 300, behind: b"" });
}

#[test]
fn an_all_zero_key_sets_the_mask_bit() {
    let mut connection = client();
    connection.send(false, true, Some(KEY), b"Hello");
    connection.pong(Some(MaskingKey([0; 4])), b"Hello");
    let expected = b"\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58\x8A\x85\0\0\0\0Hello";
    assert_eq!(connection.output(), expected);
}

#[test]
fn lengths_take_their_shortest_form() {
    for (length, header) in [
        (125, &b"\x82\x7D"[..]),
        (126, b"\x82\x7E\x00\x7E"),
        (65_535, b"\x82\x7E\xFF\xFF"),
        (65_536, b"\x82\x7F\0\0\0\0\0\x01\0\0"),
    ] {
        let mut connection = server();
        connection.send(true, true, None, &vec![0; length]);
        assert!(connection.output().starts_with(header));
        assert_eq!(connection.output().len(), header.len() + length);
    }
}

#[test]
fn close_frames_carry_code_and_reason_or_nothing() {
    for (code, reason, frame) in [
        (None, &b"ignored"[..], &b"\x88\x00"[..]),
        (Some(1000), b"", b"\x88\x02\x03\xE8"),
        (Some(4999), b"bye", b"\x88\x05\x13\x87bye"),
    ] {
        let mut connection = server();
        connection.close(code, reason, None);
        assert_eq!(connection.output(), frame);
    }
    let mut connection = client();
    connection.close(Some(1000), b"", Some(KEY));
    assert_eq!(connection.output(), b"\x88\x82\x37\xFA\x21\x3D\x34\x12");
}

#[test]
fn control_frames_are_truncated_to_their_maximum() {
    let mut connection = server();
    connection.ping(None, &[b'p'; 126]);
    assert_eq!(connection.output(), [&b"\x89\x7D"[..], &[b'p'; 125]].concat());
    let mut connection = server();
    connection.close(Some(1000), &[b'r'; 124], None);
    assert_eq!(connection.output(), [&b"\x88\x7D\x03\xE8"[..], &[b'r'; 123]].concat());
}

#[test]
fn totals_count_every_byte() {
    let mut connection = server();
    connection.send(true, true, None, b"abc");
    connection.write_raw(b"\x89\x00");
    assert_eq!((connection.queued_total(), connection.written_total(), connection.pending()), (7, 0, 7));

    let mut taken = b"old".to_vec();
    connection.take_output(&mut taken);
    assert_eq!(taken, b"\x82\x03abc\x89\x00");
    assert_eq!(connection.output(), b"");
    assert_eq!(connection.pending(), 7);

    connection.send(true, true, None, b"d");
    connection.mark_written(7);
    assert_eq!((connection.queued_total(), connection.written_total(), connection.pending()), (10, 7, 3));
    connection.take_output(&mut taken);
    assert_eq!(taken, b"\x82\x01d");
}

#[test]
fn output_buffers_are_reused_up_to_a_size() {
    let mut connection = server();
    let mut taken = Vec::with_capacity(5_000);
    connection.take_output(&mut taken);
    connection.send(true, true, None, &[0; 4_000]);
    connection.take_output(&mut taken);
    assert_eq!(taken.capacity(), 5_000);

    let mut huge = Vec::with_capacity(3 << 20);
    connection.take_output(&mut huge);
    connection.take_output(&mut huge);
    assert!(huge.capacity() <= 1 << 20);
}
