//! The frame header (RFC 6455 section 5.2): parsing with all checks that a header alone allows, and
//! encoding.
//!
//! The order of the checks is part of the interface, because programs see which error wins. Payloads
//! are not touched here.

use super::MaskingKey;
use crate::protocol::{Opcode, ProtocolError, Role};

/// The longest header: two bytes, an eight-byte length and a key.
pub const MAX_HEADER_LENGTH: usize = 14;
/// The longest payload of a control frame (RFC 6455 section 5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;

/// The largest length that a JavaScript number holds exactly, 2^53 - 1.
const MAX_SAFE_LENGTH: u64 = (1 << 53) - 1;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2_AND_3: u8 = 0x30;
const OPCODE: u8 = 0x0F;
const MASK: u8 = 0x80;
const LENGTH: u8 = 0x7F;
/// Values of the 7-bit length that announce a longer length field.
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// What the header of the next frame is checked against.
#[derive(Debug, Clone, Copy)]
pub struct FrameRules {
    /// The end that receives.
    pub role: Role,
    /// Whether an extension that uses RSV1 is in force.
    pub rsv1_allowed: bool,
    /// Whether the frame falls inside a fragmented message.
    pub fragmented: bool,
    /// Bytes that the earlier frames of the message declared.
    pub message_length: u64,
    /// Limit for the bytes of a message; 0 is unlimited.
    pub max_payload: u64,
}

/// A frame without its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whether this is the last frame of its message.
    pub fin: bool,
    /// The first reserved bit: the message is compressed.
    pub rsv1: bool,
    /// What the frame carries.
    pub opcode: Opcode,
    /// The key, if the MASK bit is set.
    pub masking_key: Option<MaskingKey>,
    /// Bytes of payload that follow; 2^53 - 1 at most.
    pub payload_length: u64,
}

impl FrameHeader {
    /// Parses a header at the start of `bytes`; gives it with its own length in bytes, or `None` when
    /// more bytes are needed.
    ///
    /// What is wrong is reported as soon as the bytes that show it are there, in this order: RSV2 and
    /// RSV3, RSV1, opcode against the fragmentation state, FIN and length of control frames, MASK
    /// bit, a length over 2^53 - 1, `max_payload`. The last two do not wait for the key. Lengths need
    /// not be in their shortest form.
    ///
    /// # Errors
    /// Any [`ProtocolError`] that a header can cause.
    pub fn parse(bytes: &[u8], rules: &FrameRules) -> Result<Option<(Self, usize)>, ProtocolError> {
        let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
        let opcode = check_first_bytes(first, second, rules)?;

        let (payload_length, rest) = match second & LENGTH {
            LENGTH_16 => match rest.split_first_chunk() {
                Some((field, rest)) => (u64::from(u16::from_be_bytes(*field)), rest),
                None => return Ok(None),
            },
            LENGTH_64 => match rest.split_first_chunk() {
                Some((field, rest)) => (u64::from_be_bytes(*field), rest),
                None => return Ok(None),
            },
            length => (u64::from(length), rest),
        };
        if payload_length > MAX_SAFE_LENGTH {
            return Err(ProtocolError::UnsupportedDataPayloadLength);
        }
        // An empty frame passes even where an earlier frame already reached a limit lowered since.
        if rules.max_payload > 0
            && payload_length > 0
            && !opcode.is_control()
            && rules.message_length.saturating_add(payload_length) > rules.max_payload
        {
            return Err(ProtocolError::UnsupportedMessageLength);
        }

        let (masking_key, rest) = if second & MASK == 0 {
            (None, rest)
        } else {
            match rest.split_first_chunk() {
                Some((key, rest)) => (Some(MaskingKey(*key)), rest),
                None => return Ok(None),
            }
        };

        let header =
            Self { fin: first & FIN != 0, rsv1: first & RSV1 != 0, opcode, masking_key, payload_length };
        Ok(Some((header, bytes.len() - rest.len())))
    }

    /// Appends the header to `out`, the length in its shortest form: 2 to 14 bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let first = self.opcode as u8 | if self.fin { FIN } else { 0 } | if self.rsv1 { RSV1 } else { 0 };
        let mask = if self.masking_key.is_some() { MASK } else { 0 };
        let mut bytes = [0; MAX_HEADER_LENGTH];
        bytes[0] = first;
        let mut end = match self.payload_length {
            length @ 0..=125 => {
                bytes[1] = mask | length as u8;
                2
            }
            length @ 126..=0xFFFF => {
                bytes[1] = mask | LENGTH_16;
                bytes[2..4].copy_from_slice(&(length as u16).to_be_bytes());
                4
            }
            length => {
                bytes[1] = mask | LENGTH_64;
                bytes[2..10].copy_from_slice(&length.to_be_bytes());
                10
            }
        };
        if let Some(MaskingKey(key)) = self.masking_key {
            bytes[end..end + 4].copy_from_slice(&key);
            end += 4;
        }
        out.extend_from_slice(&bytes[..end]);
    }
}

/// Everything that the first two bytes of a frame can show to be wrong.
fn check_first_bytes(first: u8, second: u8, rules: &FrameRules) -> Result<Opcode, ProtocolError> {
    let rsv1 = first & RSV1 != 0;
    if first & RSV2_AND_3 != 0 {
        return Err(ProtocolError::UnexpectedRsv23);
    }
    if rsv1 && !rules.rsv1_allowed {
        return Err(ProtocolError::UnexpectedRsv1);
    }

    let opcode = Opcode::try_from(first & OPCODE)?;
    match opcode {
        Opcode::Continuation => {
            if rsv1 {
                return Err(ProtocolError::UnexpectedRsv1);
            }
            if !rules.fragmented {
                return Err(ProtocolError::InvalidOpcode(opcode as u8));
            }
        }
        Opcode::Text | Opcode::Binary => {
            if rules.fragmented {
                return Err(ProtocolError::InvalidOpcode(opcode as u8));
            }
        }
        Opcode::Close | Opcode::Ping | Opcode::Pong => {
            if first & FIN == 0 {
                return Err(ProtocolError::ExpectedFin);
            }
            if rsv1 {
                return Err(ProtocolError::UnexpectedRsv1);
            }
            let length = second & LENGTH;
            if usize::from(length) > MAX_CONTROL_PAYLOAD || (opcode == Opcode::Close && length == 1) {
                return Err(ProtocolError::InvalidControlPayloadLength(length));
            }
        }
    }

    match (rules.role.expects_masked(), second & MASK != 0) {
        (true, false) => Err(ProtocolError::ExpectedMask),
        (false, true) => Err(ProtocolError::UnexpectedMask),
        _ => Ok(opcode),
    }
}

/// Reads headers from input that may be cut anywhere; keeps the bytes of at most one partial header.
#[derive(Debug, Default)]
pub struct HeaderReader {
    bytes: [u8; MAX_HEADER_LENGTH],
    length: u8,
}

impl HeaderReader {
    /// Takes one header from the front of `input`. `None`: all of `input` is used up and more is needed.
    ///
    /// The rules must stay the same from the first byte of a header to its last.
    ///
    /// # Errors
    /// As [`FrameHeader::parse`]; nothing may be read after an error.
    pub fn read(
        &mut self,
        input: &mut &[u8],
        rules: &FrameRules,
    ) -> Result<Option<FrameHeader>, ProtocolError> {
        let kept = usize::from(self.length);
        // Whole headers, the usual case, are parsed where they are.
        if kept == 0
            && let Some((header, length)) = FrameHeader::parse(input, rules)?
        {
            *input = &input[length..];
            return Ok(Some(header));
        }

        let end = MAX_HEADER_LENGTH.min(kept + input.len());
        self.bytes[kept..end].copy_from_slice(&input[..end - kept]);
        let parsed = FrameHeader::parse(&self.bytes[..end], rules)?;
        // An incomplete header is shorter than the longest one, so all of the input was copied.
        let used = parsed.map_or(end, |(_, length)| length);
        *input = &input[used - kept..];
        self.length = if parsed.is_some() { 0 } else { used as u8 };
        Ok(parsed.map(|(header, _)| header))
    }

    /// How the kept bytes divide: those that make whole fields of the header (the first two bytes,
    /// the longer length, the key), and those of a field that has only begun.
    pub fn kept(&self) -> (usize, usize) {
        let kept = usize::from(self.length);
        let with_length = match self.bytes[1] & LENGTH {
            LENGTH_16 => 4,
            LENGTH_64 => 10,
            _ => 2,
        };
        let whole = match kept {
            0 | 1 => 0,
            kept if kept < with_length => 2,
            _ => with_length,
        };
        (whole, kept - whole)
    }
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;
