//! Frame opcodes. [`FrameHeader::parse`](super::FrameHeader::parse) checks whether one is allowed
//! at its position.

use super::ProtocolError;

/// Frame type (RFC 6455 section 5.2). The discriminant is the number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// Continuation of a fragmented message.
    Continuation = 0x0,
    /// A text message or its first fragment.
    Text = 0x1,
    /// A binary message or its first fragment.
    Binary = 0x2,
    /// A close frame.
    Close = 0x8,
    /// A ping.
    Ping = 0x9,
    /// A pong.
    Pong = 0xA,
}

impl Opcode {
    /// True for control frames: never fragmented, at most 125 bytes (RFC 6455 section 5.5).
    pub const fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }
}

impl TryFrom<u8> for Opcode {
    type Error = ProtocolError;

    /// Converts the low four bits of a frame's first byte.
    ///
    /// # Errors
    /// [`ProtocolError::InvalidOpcode`] for the reserved numbers 3 to 7 and 11 to 15, and for
    /// anything above.
    fn try_from(number: u8) -> Result<Self, ProtocolError> {
        Ok(match number {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return Err(ProtocolError::InvalidOpcode(number)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Opcode, ProtocolError};

    #[test]
    fn every_number_is_an_opcode_or_reserved() {
        for number in 0..=u8::MAX {
            match Opcode::try_from(number) {
                Ok(opcode) => {
                    assert_eq!(opcode as u8, number);
                    assert_eq!(opcode.is_control(), number >= 8);
                }
                Err(error) => {
                    assert!(matches!(number, 3..=7 | 11..));
                    assert_eq!(error, ProtocolError::InvalidOpcode(number));
                }
            }
        }
    }
}
