//! Frame headers: parsed at once, by prefixes and in pieces, against a second implementation of RFC
//! 6455 section 5.

use super::Input;
use super::input::Rng;
use crate::protocol::frame::{FrameRules, HeaderReader, MAX_HEADER_LENGTH};
use crate::protocol::{FrameHeader, MaskingKey, Opcode, ProtocolError, Role};

/// Input: flags, bytes of the message so far, the limit, the seed of the splits, and the header
/// with the bytes that follow it.
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.byte();
    let rules = FrameRules {
        role: if flags & 1 == 0 { Role::Server } else { Role::Client },
        rsv1_allowed: flags & 2 != 0,
        fragmented: flags & 4 != 0,
        message_length: input.number64(),
        max_payload: input.number64(),
    };
    let mut rng = Rng::new(input.number16());
    let bytes = input.remaining();
    let bytes = &bytes[..bytes.len().min(2 * MAX_HEADER_LENGTH)];
    let parsed = FrameHeader::parse(bytes, &rules);
    assert_eq!(parsed, expected(bytes, &rules));

    // The result appears with the first bytes that determine it and then stays.
    let mut is_known = false;
    for end in 0..=bytes.len() {
        let partial = FrameHeader::parse(&bytes[..end], &rules);
        assert_eq!(partial, expected(&bytes[..end], &rules), "{end} bytes");
        assert!(!is_known || partial == parsed, "{end} bytes");
        is_known = partial != Ok(None);
    }

    let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
    for pieces in [vec![bytes], bytewise, rng.split(bytes)] {
        check_reader(&pieces, &rules, parsed);
    }
    if let Ok(Some((header, length))) = parsed {
        check_encoding(&header, length, &rules);
    }
}

/// The reader gives the same result and leaves the bytes after the header.
fn check_reader(
    pieces: &[&[u8]],
    rules: &FrameRules,
    parsed: Result<Option<(FrameHeader, usize)>, ProtocolError>,
) {
    let mut reader = HeaderReader::default();
    let mut used = 0;
    for piece in pieces {
        let mut rest = *piece;
        let read = reader.read(&mut rest, rules);
        used += piece.len() - rest.len();
        match read {
            Ok(None) => {
                let (fields, begun) = reader.buffered();
                assert_eq!(fields + begun, used);
                assert!(rest.is_empty() && matches!(fields, 0 | 2 | 4 | 10) && begun < 8);
            }
            Ok(Some(header)) => {
                assert_eq!(Ok(Some((header, used))), parsed);
                assert_eq!(reader.buffered(), (0, 0));
                return;
            }
            Err(error) => {
                assert_eq!(Err(error), parsed);
                return;
            }
        }
    }
    assert_eq!(parsed, Ok(None));
}

/// The encoding has the shortest form and can be parsed.
fn check_encoding(header: &FrameHeader, length: usize, rules: &FrameRules) {
    let mut encoded = vec![0xAA];
    header.encode(&mut encoded);
    let encoded = &encoded[1..];
    assert!(encoded.len() <= length);
    assert_eq!(FrameHeader::parse(encoded, rules), Ok(Some((*header, encoded.len()))));
    let field = match header.payload_length {
        0..=125 => 0,
        126..=0xFFFF => 2,
        _ => 8,
    };
    assert_eq!(encoded.len(), 2 + field + if header.masking_key.is_some() { 4 } else { 0 });
}

/// The rules, written without optimizations.
fn expected(bytes: &[u8], rules: &FrameRules) -> Result<Option<(FrameHeader, usize)>, ProtocolError> {
    if bytes.len() < 2 {
        return Ok(None);
    }
    let (fin, rsv1, rsv23) = (bytes[0] >= 0x80, bytes[0] & 0x40 != 0, bytes[0] & 0x30 != 0);
    let (number, masked, short) = (bytes[0] & 0x0F, bytes[1] >= 0x80, bytes[1] & 0x7F);
    let opcode = match number {
        0 => Some(Opcode::Continuation),
        1 => Some(Opcode::Text),
        2 => Some(Opcode::Binary),
        8 => Some(Opcode::Close),
        9 => Some(Opcode::Ping),
        10 => Some(Opcode::Pong),
        _ => None,
    };
    let is_control = number >= 8;
    let is_out_of_place = !is_control && rules.fragmented != (number == 0);
    if rsv23 {
        return Err(ProtocolError::UnexpectedRsv23);
    }
    if rsv1 && (!rules.rsv1_allowed || number == 0) {
        return Err(ProtocolError::UnexpectedRsv1);
    }
    let Some(opcode) = opcode.filter(|_| !is_out_of_place) else {
        return Err(ProtocolError::InvalidOpcode(number));
    };
    if is_control {
        if !fin {
            return Err(ProtocolError::ExpectedFin);
        }
        if rsv1 {
            return Err(ProtocolError::UnexpectedRsv1);
        }
        if short > 125 || (number == 8 && short == 1) {
            return Err(ProtocolError::InvalidControlPayloadLength(short));
        }
    }
    match (rules.role, masked) {
        (Role::Server, false) => return Err(ProtocolError::ExpectedMask),
        (Role::Client, true) => return Err(ProtocolError::UnexpectedMask),
        _ => {}
    }

    let field = match short {
        126 => 2..4,
        127 => 2..10,
        _ => 1..2,
    };
    let Some(length) = bytes.get(field.clone()) else { return Ok(None) };
    let length = length.iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
    let payload_length = if short < 126 { u64::from(short) } else { length };
    if payload_length >= 1 << 53 {
        return Err(ProtocolError::UnsupportedDataPayloadLength);
    }
    // `u64::MAX` cannot be exceeded.
    let is_limited = !is_control && (1..u64::MAX).contains(&rules.max_payload) && payload_length > 0;
    let total = u128::from(rules.message_length) + u128::from(payload_length);
    if is_limited && total > u128::from(rules.max_payload) {
        return Err(ProtocolError::UnsupportedMessageLength);
    }
    let end = if masked { field.end + 4 } else { field.end };
    let Some(key) = bytes.get(field.end..end) else { return Ok(None) };
    let masking_key = key.first_chunk().map(|key| MaskingKey(*key));
    Ok(Some((FrameHeader { fin, rsv1, opcode, masking_key, payload_length }, end)))
}
