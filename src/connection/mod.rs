//! One WebSocket connection after its opening handshake, as a state machine without I/O.
//!
//! Transports own a [`Connection`] each and are the only callers. A connection knows neither where its
//! bytes come from, nor timers, nor JavaScript; whether a command is allowed in the connection's ready
//! state is decided above.

#![forbid(unsafe_code)]

mod close;
mod event;
mod lending;
mod pong;
mod receive;
mod send;

use crate::protocol::{Limits, MaskingKey, Role};

pub use event::{EventBatch, EventRef, LARGE_MESSAGE};
pub use lending::LentFrame;
pub use receive::IN_PLACE_FROM;
use receive::Inbound;
use send::Outbound;

/// How a connection behaves.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// The end that this process is.
    pub role: Role,
    /// What the peer may make this end hold.
    pub limits: Limits,
    /// Whether pings are answered without being asked.
    pub auto_pong: bool,
    /// Whether texts and close reasons are taken as they come.
    pub skip_utf8_validation: bool,
}

/// Source of masking keys for the frames that a connection makes by itself: automatic pongs. Asked only
/// if the role masks what it sends. Keys must not be predictable (RFC 6455 section 5.3).
pub trait MaskingKeys {
    /// A fresh key.
    fn next_key(&mut self) -> MaskingKey;
}

/// One WebSocket connection: bytes in, events out; commands in, bytes out.
///
/// Four kinds of methods:
///
/// * **From outside**: [`receive`](Self::receive), [`receive_in_place`](Self::receive_in_place),
///   [`return_frame`](Self::return_frame) for one that was lent, [`written`](Self::written).
/// * **Commands**: [`send`](Self::send), [`ping`](Self::ping), [`pong`](Self::pong),
///   [`close`](Self::close), [`write_raw`](Self::write_raw).
/// * **What must go out**: [`output`](Self::output), [`take_output`](Self::take_output).
/// * **Getters and setters**.
///
/// The order of calling: after `receive`, or after as many commands as one likes, take the output and
/// write it; report with `written` what the kernel accepted, in the order in which it was taken; deliver
/// the events. `receive` may be called again before the events are delivered. The connection never
/// answers a close frame or an error by itself: once everything before it was delivered the caller
/// commands `close` with the code that was received (`None` for 1005), or with
/// [`ProtocolError::close_code`](crate::protocol::ProtocolError::close_code).
#[derive(Debug)]
pub struct Connection {
    config: Config,
    inbound: Inbound,
    outbound: Outbound,
}

impl Connection {
    /// A connection whose opening handshake is over. Allocates nothing yet.
    pub fn new(config: Config) -> Self {
        Self { config, inbound: Inbound::default(), outbound: Outbound::default() }
    }

    /// Whether input is still looked at: not after a close frame, an error or a flood.
    pub fn is_receiving(&self) -> bool {
        self.inbound.is_open()
    }

    /// Turns automatic pongs on or off.
    pub fn set_auto_pong(&mut self, auto_pong: bool) {
        self.config.auto_pong = auto_pong;
    }

    /// Changes the limit for messages, in bytes; 0 is unlimited. Holds from the next frame on.
    pub fn set_max_payload(&mut self, max_payload: u64) {
        self.config.limits.max_payload = max_payload;
    }

    /// Turns UTF-8 validation off or on. Holds from the next message on.
    pub fn set_skip_utf8_validation(&mut self, skip: bool) {
        self.config.skip_utf8_validation = skip;
    }
}

#[cfg(test)]
mod tests;
