//! Frame headers (RFC 6455 section 5.2): parsing, with every check that needs only the header, and
//! encoding.
//!
//! The order of the checks is observable and matches ws. Payloads are not read here.

use super::MaskingKey;
use crate::protocol::{Opcode, ProtocolError, Role};

/// Length of the longest header: two bytes, an eight-byte length and a masking key.
pub const MAX_HEADER_LENGTH: usize = 14;
const _: () = assert!(MAX_HEADER_LENGTH == 2 + size_of::<u64>() + size_of::<MaskingKey>());
/// Maximum payload of a control frame (RFC 6455 section 5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;

/// `Number.MAX_SAFE_INTEGER`.
const MAX_SAFE_LENGTH: u64 = (1 << 53) - 1;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2_AND_3: u8 = 0x30;
const OPCODE: u8 = 0x0F;
const MASK: u8 = 0x80;
const LENGTH: u8 = 0x7F;
/// Values of the 7-bit length that precede an extended length field.
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// Context in which a header is validated.
#[derive(Debug, Clone, Copy)]
pub struct FrameRules {
    /// Role of the receiving end.
    pub role: Role,
    /// True if an extension that uses RSV1 was negotiated.
    pub rsv1_allowed: bool,
    /// True inside a fragmented message.
    pub fragmented: bool,
    /// Payload bytes declared by the earlier frames of the message.
    pub message_length: u64,
    /// Message size limit in bytes; 0 is unlimited.
    pub max_payload: u64,
}

/// A frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Final frame of its message.
    pub fin: bool,
    /// First reserved bit: the message is compressed.
    pub rsv1: bool,
    /// Frame type.
    pub opcode: Opcode,
    /// Masking key, if the MASK bit is set.
    pub masking_key: Option<MaskingKey>,
    /// Payload length, at most 2^53 - 1.
    pub payload_length: u64,
}

impl FrameHeader {
    /// Parses the header at the start of `bytes`. Returns it with its encoded length, or `None` if
    /// more bytes are needed.
    ///
    /// Errors are reported with the first byte that shows them, in this order: RSV2 and RSV3, RSV1,
    /// opcode against the fragmentation state, FIN and length of control frames, MASK bit, length
    /// above 2^53 - 1, `max_payload`. The last two do not wait for the key. Lengths need not be in
    /// the shortest form.
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
        // An empty frame passes even if the message already exceeds a limit lowered in the
        // meantime.
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

    /// Appends the header to `out`, 2 to 14 bytes, with the length in its shortest form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        debug_assert!(self.payload_length <= MAX_SAFE_LENGTH);
        debug_assert!(!self.opcode.is_control() || self.payload_length <= MAX_CONTROL_PAYLOAD as u64);
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

/// Performs the checks that need only the first two bytes.
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

/// Reads headers from input split anywhere. Buffers at most one partial header.
#[derive(Debug, Default)]
pub struct HeaderReader {
    bytes: [u8; MAX_HEADER_LENGTH],
    length: u8,
}

impl HeaderReader {
    /// Takes one header from the front of `input`. Returns `None` after consuming all of `input` if
    /// more is needed.
    ///
    /// `rules` must not change while a header is incomplete.
    ///
    /// # Errors
    /// As [`FrameHeader::parse`]. The reader is unusable after an error.
    pub fn read(
        &mut self,
        input: &mut &[u8],
        rules: &FrameRules,
    ) -> Result<Option<FrameHeader>, ProtocolError> {
        let kept = usize::from(self.length);
        // Fast path: complete headers are parsed in place.
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

    /// Splits the buffered bytes into those of complete header fields (first two bytes, extended
    /// length, masking key) and those of an incomplete field.
    pub fn buffered(&self) -> (usize, usize) {
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
