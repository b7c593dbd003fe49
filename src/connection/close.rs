//! Close frames (RFC 6455 section 7): parsing and encoding of their payload. The caller decides
//! when to send one.

use super::Connection;
use crate::protocol::frame::MAX_CONTROL_PAYLOAD;
use crate::protocol::{CloseCode, MaskingKey, ProtocolError, Utf8Validator};

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

impl Connection {
    /// Queues a close frame; pings are not answered from then on. Without `code` the frame is empty
    /// and `reason` is ignored. `reason` is truncated to 123 bytes.
    pub fn close(&mut self, code: Option<u16>, reason: &[u8], key: Option<MaskingKey>) {
        let mut payload = [0; MAX_CONTROL_PAYLOAD];
        let length = code.map_or(0, |code| {
            let end = MAX_CONTROL_PAYLOAD.min(2 + reason.len());
            payload[..2].copy_from_slice(&code.to_be_bytes());
            payload[2..end].copy_from_slice(&reason[..end - 2]);
            end
        });
        self.outbound.push_close(key, &payload[..length]);
    }
}
