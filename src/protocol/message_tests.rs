//! Message assembly: fragments, frame count, validation, memory.

use super::{GROWTH, MessageAssembler, SMALL_CAPACITY};
use crate::protocol::{FrameHeader, MaskingKey, Opcode, ProtocolError};

fn header(opcode: Opcode, fin: bool, payload_length: usize) -> FrameHeader {
    FrameHeader { fin, rsv1: false, opcode, masking_key: None, payload_length: payload_length as u64 }
}

/// A frame whose payload arrives in one piece.
fn frame(
    message: &mut MessageAssembler,
    opcode: Opcode,
    fin: bool,
    payload: &[u8],
    max_fragments: u32,
) -> Result<bool, ProtocolError> {
    message.begin_frame(&header(opcode, fin, payload.len()), true);
    message.push(payload, None, 0)?;
    message.end_frame(max_fragments)
}

#[test]
fn fragments_form_one_message_and_empty_ones_are_not_listed() {
    let mut message = MessageAssembler::default();
    assert_eq!(frame(&mut message, Opcode::Binary, false, b"ab", 0), Ok(false));
    assert!(message.is_fragmented());
    assert_eq!(frame(&mut message, Opcode::Continuation, false, b"", 0), Ok(false));
    assert_eq!(message.declared_length(), 2);
    assert_eq!(frame(&mut message, Opcode::Continuation, true, b"cde", 0), Ok(true));
    assert!(message.is_binary() && !message.is_fragmented());
    assert_eq!((message.data(), message.fragments()), (&b"abcde"[..], &[2, 3][..]));

    message.reset();
    assert_eq!(frame(&mut message, Opcode::Text, true, b"next", 0), Ok(true));
    assert!(!message.is_binary());
    assert_eq!((message.data(), message.fragments()), (&b"next"[..], &[][..]));
}

#[test]
fn every_data_frame_counts_and_the_count_restarts() {
    let mut message = MessageAssembler::default();
    for _ in 0..2 {
        assert_eq!(frame(&mut message, Opcode::Binary, false, b"", 3), Ok(false));
        assert_eq!(frame(&mut message, Opcode::Continuation, false, b"", 3), Ok(false));
        assert_eq!(frame(&mut message, Opcode::Continuation, true, b"", 3), Ok(true));
        message.reset();
    }
    assert_eq!(frame(&mut message, Opcode::Binary, false, b"", 1), Ok(false));
    let second = frame(&mut message, Opcode::Continuation, true, b"", 1);
    assert_eq!(second, Err(ProtocolError::TooManyMessageFragments));
}

#[test]
fn invalid_text_fails_at_its_first_invalid_byte() {
    let mut message = MessageAssembler::default();
    assert_eq!(frame(&mut message, Opcode::Text, false, b"a\xF4", 0), Ok(false));
    message.begin_frame(&header(Opcode::Continuation, true, 3), true);
    // No code point begins with F4 90.
    assert_eq!(message.push(&[0x90], None, 0), Err(ProtocolError::InvalidUtf8));
}

#[test]
fn a_text_must_not_end_within_a_code_point() {
    let mut message = MessageAssembler::default();
    assert_eq!(frame(&mut message, Opcode::Text, false, &[0xF0, 0x9F], 0), Ok(false));
    let last = frame(&mut message, Opcode::Continuation, true, &[0xA6], 0);
    assert_eq!(last, Err(ProtocolError::InvalidUtf8));
}

#[test]
fn a_code_point_may_be_split_between_frames() {
    let mut message = MessageAssembler::default();
    assert_eq!(frame(&mut message, Opcode::Text, false, &[0xF0, 0x9F], 0), Ok(false));
    assert_eq!(frame(&mut message, Opcode::Continuation, false, &[0xA6], 0), Ok(false));
    assert_eq!(frame(&mut message, Opcode::Continuation, true, &[0x80], 0), Ok(true));
    assert_eq!(message.data(), "\u{1F980}".as_bytes());
}

#[test]
fn unmasking_continues_at_the_split() {
    let key = MaskingKey([1, 2, 3, 4]);
    let mut message = MessageAssembler::default();
    message.begin_frame(&header(Opcode::Binary, true, 6), true);
    message.push(&[1, 2, 3], Some(key), 0).unwrap();
    message.push(&[4, 1, 2], Some(key), 3).unwrap();
    assert_eq!(message.end_frame(0), Ok(true));
    assert_eq!(message.data(), [0; 6]);
}

#[test]
fn a_declared_length_reserves_little_memory() {
    let mut message = MessageAssembler::default();
    message.begin_frame(&header(Opcode::Binary, true, 1 << 40), true);
    assert_eq!(message.data.capacity(), 0);
    message.push(&[0; 100], None, 0).unwrap();
    assert!(message.data.capacity() <= SMALL_CAPACITY);
    message.push(&[0; 10_000], None, 0).unwrap();
    assert!(message.data.capacity() <= GROWTH * 10_100 + SMALL_CAPACITY);
}

#[test]
fn a_long_frame_ends_up_in_an_allocation_of_its_size() {
    let length = 100_000;
    let mut message = MessageAssembler::default();
    message.begin_frame(&header(Opcode::Binary, true, length), true);
    for piece in vec![7; length].chunks(1_500) {
        message.push(piece, None, 0).unwrap();
    }
    assert_eq!(message.end_frame(0), Ok(true));
    let data = message.take_data();
    assert_eq!((data.len(), data.capacity()), (length, length));
}

#[test]
fn little_memory_is_kept_between_messages() {
    let mut message = MessageAssembler::default();
    assert_eq!(frame(&mut message, Opcode::Binary, true, &[0; 10_000], 0), Ok(true));
    message.reset();
    assert!(message.data.capacity() <= SMALL_CAPACITY);
}
