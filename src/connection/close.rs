//! Close frames (RFC 6455 section 7): parsing and encoding of their payload. The caller decides
//! when to send one.

use crate::protocol::frame::MAX_CONTROL_PAYLOAD;
use crate::protocol::{CloseCode, ProtocolError, Utf8Validator};

/// Splits the payload of a close frame into status code and reason. Returns 1005 and an empty
/// reason for an empty payload.
pub(super) fn parse_close(payload: &[u8], validate: bool) -> Result<(u16, &[u8]), ProtocolError> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return Ok((CloseCode::NO_STATUS, &[]));
    };
    let code = u16::from_be_bytes(*code);
    if CloseCode::new(code).is_none() {
        return Err(ProtocolError::InvalidCloseCode(code));
    }
    if validate && !Utf8Validator::is_valid(reason) {
        return Err(ProtocolError::InvalidUtf8);
    }
    Ok((code, reason))
}

/// Encodes the payload of a close frame into `buffer` and returns it. `reason` is truncated to 123 bytes. Empty without
/// `code`.
pub(super) fn encode_close<'a>(
    code: Option<u16>,
    reason: &[u8],
    buffer: &'a mut [u8; MAX_CONTROL_PAYLOAD],
) -> &'a [u8] {
    let length = code.map_or(0, |code| {
        let end = MAX_CONTROL_PAYLOAD.min(2 + reason.len());
        buffer[..2].copy_from_slice(&code.to_be_bytes());
        buffer[2..end].copy_from_slice(&reason[..end - 2]);
        end
    });
    &buffer[..length]
}
