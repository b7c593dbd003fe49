//! Automatic pings, and the pongs that answer them. Both are constant frames but for the masking key, so that a transport can send and
//! recognize them without a [`Connection`](super::Connection). The time at which one is due is decided in `transport`.

use super::Config;
use crate::protocol::{MaskingKey, Role};

/// Payload of automatic pings, by which their pongs differ from those that answer pings of the program.
pub const HEARTBEAT_PAYLOAD: &[u8] = b"idle\0";

const LENGTH: usize = HEARTBEAT_PAYLOAD.len();
/// Bytes of a header without and of a masking key.
const HEADER: usize = 2;
const KEY: usize = 4;
const MAX_LENGTH: usize = HEADER + KEY + LENGTH;

/// First bytes of the frames, and the bit of the second byte that announces a masking key.
const FIN_PING: u8 = 0x89;
const FIN_PONG: u8 = 0x8A;
const MASK: u8 = 0x80;

/// Limits on the time of a connection, in milliseconds. 0 is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeLimits {
    /// Silence of the peer after which the connection is terminated.
    pub idle_timeout: u32,
    /// Age at which the connection is closed.
    pub max_lifetime: u32,
    /// Ping the peer after half of `idle_timeout`.
    pub send_pings: bool,
}

impl TimeLimits {
    /// True if there is any.
    pub fn is_set(&self) -> bool {
        self.idle_timeout > 0 || self.max_lifetime > 0
    }

    /// True if automatic pings are sent.
    pub fn has_heartbeat(&self) -> bool {
        self.send_pings && self.idle_timeout > 0
    }
}

/// An automatic ping as bytes: as many as the second value says. `key` masks it.
pub fn encode_heartbeat(key: Option<MaskingKey>) -> ([u8; MAX_LENGTH], usize) {
    let mut frame = [0; MAX_LENGTH];
    let (mask, start) = if key.is_some() { (MASK, HEADER + KEY) } else { (0, HEADER) };
    frame[..HEADER].copy_from_slice(&[FIN_PING, mask | LENGTH as u8]);
    let payload = &mut frame[start..start + LENGTH];
    payload.copy_from_slice(HEARTBEAT_PAYLOAD);
    if let Some(MaskingKey(key)) = key {
        payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        frame[HEADER..start].copy_from_slice(&key);
    }
    (frame, start + LENGTH)
}

/// True if `bytes`, received at a frame boundary, are the pong of an automatic ping and nothing else. Other encodings of the same pong
/// are left to the parser.
pub fn is_heartbeat_answer(config: &Config, bytes: &[u8]) -> bool {
    let Some((&[FIN_PONG, second], rest)) = bytes.split_first_chunk() else { return false };
    if !config.time_limits.has_heartbeat() {
        return false;
    }
    if config.role == Role::Client {
        return second == LENGTH as u8 && rest == HEARTBEAT_PAYLOAD;
    }
    let Some((key, payload)) = rest.split_first_chunk::<KEY>() else { return false };
    let unmasked = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
    second == MASK | LENGTH as u8 && unmasked.eq(HEARTBEAT_PAYLOAD.iter().copied())
}
