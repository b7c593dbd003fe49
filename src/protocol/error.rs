//! Protocol violations by the peer, with the error properties that ws exposes for each. All of them
//! end the connection.

use super::CloseCode;
use super::deflate::InflateError;

/// The JavaScript class of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// `Error`.
    Error,
    /// `RangeError`.
    RangeError,
}

/// A protocol violation by the peer. `Display` is the `message` of the error emitted by ws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// RSV2 or RSV3 is set.
    #[error("Invalid WebSocket frame: RSV2 and RSV3 must be clear")]
    UnexpectedRsv23,
    /// RSV1 is set without an extension, on a continuation frame or on a control frame.
    #[error("Invalid WebSocket frame: RSV1 must be clear")]
    UnexpectedRsv1,
    /// The opcode is reserved or misplaced: 0 outside a fragmented message, 1 or 2 inside one.
    #[error("Invalid WebSocket frame: invalid opcode {0}")]
    InvalidOpcode(u8),
    /// A control frame without FIN.
    #[error("Invalid WebSocket frame: FIN must be set")]
    ExpectedFin,
    /// A control frame over 125 bytes, or a close frame of one byte. Holds the 7-bit length field.
    #[error("Invalid WebSocket frame: invalid payload length {0}")]
    InvalidControlPayloadLength(u8),
    /// A server received an unmasked frame.
    #[error("Invalid WebSocket frame: MASK must be set")]
    ExpectedMask,
    /// A client received a masked frame.
    #[error("Invalid WebSocket frame: MASK must be clear")]
    UnexpectedMask,
    /// A close frame with a status code that is not allowed there.
    #[error("Invalid WebSocket frame: invalid status code {0}")]
    InvalidCloseCode(u16),
    /// A text message or a close reason is not UTF-8.
    #[error("Invalid WebSocket frame: invalid UTF-8 sequence")]
    InvalidUtf8,
    /// The payload of a compressed message is not valid DEFLATE (RFC 1951).
    #[error("{0}")]
    InvalidDeflate(InflateError),
    /// A frame declares a length above `Number.MAX_SAFE_INTEGER`.
    #[error("Unsupported WebSocket frame: payload length > 2^53 - 1")]
    UnsupportedDataPayloadLength,
    /// A message exceeds [`Limits::max_payload`](super::Limits::max_payload), before or after
    /// inflation.
    #[error("Max payload size exceeded")]
    UnsupportedMessageLength,
    /// A message has more frames than [`Limits::max_fragments`](super::Limits::max_fragments).
    #[error("Too many message fragments")]
    TooManyMessageFragments,
    /// Part of a frame is spread over more than
    /// [`Limits::max_buffered_chunks`](super::Limits::max_buffered_chunks) chunks.
    #[error("Too many buffered chunks")]
    TooManyBufferedChunks,
}

impl ProtocolError {
    /// The class of the JavaScript error.
    pub const fn class(self) -> ErrorClass {
        self.description().0
    }

    /// The `code` property of the JavaScript error: `WS_ERR_...` or a zlib code.
    pub const fn code(self) -> &'static str {
        self.description().1
    }

    /// The status code of the close frame sent in response.
    pub const fn close_code(self) -> u16 {
        self.description().2.get()
    }

    /// Single source of the three methods above.
    const fn description(self) -> (ErrorClass, &'static str, CloseCode) {
        use CloseCode as C;
        use ErrorClass::{Error, RangeError};

        match self {
            Self::UnexpectedRsv23 => (RangeError, "WS_ERR_UNEXPECTED_RSV_2_3", C::PROTOCOL_ERROR),
            Self::UnexpectedRsv1 => (RangeError, "WS_ERR_UNEXPECTED_RSV_1", C::PROTOCOL_ERROR),
            Self::InvalidOpcode(_) => (RangeError, "WS_ERR_INVALID_OPCODE", C::PROTOCOL_ERROR),
            Self::ExpectedFin => (RangeError, "WS_ERR_EXPECTED_FIN", C::PROTOCOL_ERROR),
            Self::InvalidControlPayloadLength(_) => {
                (RangeError, "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH", C::PROTOCOL_ERROR)
            }
            Self::ExpectedMask => (RangeError, "WS_ERR_EXPECTED_MASK", C::PROTOCOL_ERROR),
            Self::UnexpectedMask => (RangeError, "WS_ERR_UNEXPECTED_MASK", C::PROTOCOL_ERROR),
            Self::InvalidCloseCode(_) => (RangeError, "WS_ERR_INVALID_CLOSE_CODE", C::PROTOCOL_ERROR),
            Self::InvalidUtf8 => (Error, "WS_ERR_INVALID_UTF8", C::INVALID_PAYLOAD),
            Self::InvalidDeflate(_) => (Error, "Z_DATA_ERROR", C::INVALID_PAYLOAD),
            Self::UnsupportedDataPayloadLength => {
                (RangeError, "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH", C::MESSAGE_TOO_BIG)
            }
            Self::UnsupportedMessageLength => {
                (RangeError, "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", C::MESSAGE_TOO_BIG)
            }
            Self::TooManyMessageFragments | Self::TooManyBufferedChunks => {
                (RangeError, "WS_ERR_TOO_MANY_BUFFERED_PARTS", C::POLICY_VIOLATION)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorClass, ProtocolError};

    #[test]
    fn numbers_appear_in_the_message() {
        let shown = |error: ProtocolError| error.to_string();
        assert_eq!(shown(ProtocolError::InvalidOpcode(11)), "Invalid WebSocket frame: invalid opcode 11");
        assert_eq!(
            shown(ProtocolError::InvalidControlPayloadLength(127)),
            "Invalid WebSocket frame: invalid payload length 127"
        );
        assert_eq!(
            shown(ProtocolError::InvalidCloseCode(1005)),
            "Invalid WebSocket frame: invalid status code 1005"
        );
    }

    #[test]
    fn invalid_utf8_alone_is_a_plain_error() {
        assert_eq!(ProtocolError::InvalidUtf8.class(), ErrorClass::Error);
        assert_eq!(ProtocolError::InvalidUtf8.close_code(), 1007);
        assert_eq!(ProtocolError::ExpectedMask.class(), ErrorClass::RangeError);
    }

    #[test]
    fn both_fragment_and_chunk_limits_share_code_and_status_but_not_the_message() {
        let (fragments, chunks) =
            (ProtocolError::TooManyMessageFragments, ProtocolError::TooManyBufferedChunks);
        assert_eq!(fragments.code(), chunks.code());
        assert_eq!((fragments.close_code(), chunks.close_code()), (1008, 1008));
        assert_ne!(fragments.to_string(), chunks.to_string());
    }
}
