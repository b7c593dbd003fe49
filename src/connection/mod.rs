//! One WebSocket connection after its opening handshake, as a state machine without I/O.
//!
//! Called by `transport` and `addon`. No descriptors, timers, threads or JavaScript values here;
//! the callers decide whether a command is allowed in the connection's ready state.

#![forbid(unsafe_code)]

mod close;
mod deflate;
mod detached_frame;
mod event;
mod event_memory;
mod idle;
mod inflate;
mod pong;
mod receive;
mod send;

use std::ops::AddAssign;
use std::sync::Arc;

use crate::protocol::deflate::PermessageDeflate;
use crate::protocol::{Limits, MaskingKey, Role};

use deflate::DeflateState;
pub use detached_frame::DetachedFrame;
pub use event::{EventBatch, EventRef, LARGE_MESSAGE};
pub use event_memory::EventMemory;
use inflate::InflateState;
use receive::Inbound;
pub use receive::MIN_IN_PLACE;
use send::Outbound;

/// Configuration of a connection.
#[derive(Debug, Clone)]
pub struct Config {
    /// This end's role.
    pub role: Role,
    /// Bounds on memory held for the peer.
    pub limits: Limits,
    /// Answer pings automatically. Initial value; see [`Connection::set_auto_pong`].
    pub auto_pong: bool,
    /// Accept text messages and close reasons without UTF-8 validation.
    pub skip_utf8_validation: bool,
    /// permessage-deflate, if negotiated.
    pub deflate: Option<Arc<PermessageDeflate>>,
}

/// Result of [`Connection::trim_memory`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Bytes freed.
    pub freed: usize,
    /// True if a later call may free more.
    pub may_free_more: bool,
}

impl AddAssign for Trimmed {
    fn add_assign(&mut self, other: Self) {
        self.freed += other.freed;
        self.may_free_more |= other.may_free_more;
    }
}

/// Source of masking keys for frames that the connection creates itself (automatic pongs). Used
/// only if the role masks its frames. Keys must be unpredictable (RFC 6455 section 5.3).
pub trait MaskingKeys {
    /// Returns a fresh key.
    fn next_key(&mut self) -> MaskingKey;
}

/// One WebSocket connection: bytes in, events out; commands in, bytes out.
///
/// Four kinds of methods:
///
/// * **Input**: [`receive`](Self::receive), [`receive_in_place`](Self::receive_in_place),
///   [`finish_detached`](Self::finish_detached), [`finish_inflate_job`](Self::finish_inflate_job),
///   [`mark_written`](Self::mark_written).
/// * **Commands**: [`send`](Self::send), [`send_compressed`](Self::send_compressed),
///   [`ping`](Self::ping), [`pong`](Self::pong), [`close`](Self::close),
///   [`write_raw`](Self::write_raw), [`trim_memory`](Self::trim_memory).
/// * **Output**: [`output`](Self::output), [`take_output`](Self::take_output).
/// * **Getters and setters**.
///
/// Order of calls: after `receive` or any number of commands, take the output and write it; report
/// the bytes that the kernel accepted with `mark_written`, in the order in which they were taken;
/// deliver the events. `receive` may be called again before the events are delivered.
///
/// Close frames and protocol errors are not answered by the connection. Once all earlier events are
/// delivered, the caller calls `close` with the received code (`None` for 1005) or with
/// [`ProtocolError::close_code`](crate::protocol::ProtocolError::close_code).
#[derive(Debug)]
pub struct Connection {
    /// Shared by all connections with the same configuration.
    config: Arc<Config>,
    auto_pong: bool,
    inbound: Inbound,
    outbound: Outbound,
    /// permessage-deflate state, sending and receiving, if negotiated.
    extension: Option<Box<(DeflateState, InflateState)>>,
}

impl Connection {
    /// Creates a connection whose opening handshake is complete. Allocates nothing by itself.
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        let config = config.into();
        let extension = config
            .deflate
            .as_ref()
            .map(|negotiated| Box::new((DeflateState::new(negotiated), InflateState::new(negotiated))));
        let auto_pong = config.auto_pong;
        Self { config, auto_pong, inbound: Inbound::default(), outbound: Outbound::default(), extension }
    }

    /// Moves the state out and leaves a fresh connection without permessage-deflate.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let config = Config { deflate: None, ..(*self.config).clone() };
        std::mem::replace(self, Self::new(config))
    }

    /// True while input is parsed: until a close frame, a protocol error or a pong flood.
    pub fn is_receiving(&self) -> bool {
        self.inbound.is_open()
    }

    /// Frees permessage-deflate memory that was not used since the last call; call it periodically.
    /// Invisible to both ends: the next message sent refers to no earlier one, and everything the
    /// peer may refer to is kept.
    pub fn trim_memory(&mut self) -> Trimmed {
        let is_between_messages = self.inbound.message.is_first_frame();
        let mut trimmed = Trimmed::default();
        if let Some((deflate, inflate)) = self.extension.as_deref_mut() {
            trimmed += deflate.trim_memory();
            trimmed += inflate.trim_memory(is_between_messages);
            if !trimmed.may_free_more {
                trimmed.freed += self.inbound.message.release();
            }
        }
        trimmed
    }

    /// Enables or disables automatic pongs.
    pub fn set_auto_pong(&mut self, auto_pong: bool) {
        self.auto_pong = auto_pong;
    }

    /// Sets the message size limit in bytes; 0 is unlimited. Takes effect with the next frame.
    pub fn set_max_payload(&mut self, max_payload: u64) {
        Arc::make_mut(&mut self.config).limits.max_payload = max_payload;
    }

    /// Disables or enables UTF-8 validation. Takes effect with the next message.
    pub fn set_skip_utf8_validation(&mut self, skip: bool) {
        Arc::make_mut(&mut self.config).skip_utf8_validation = skip;
    }
}

#[cfg(test)]
mod tests;
