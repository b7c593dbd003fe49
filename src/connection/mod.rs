//! One WebSocket connection after its opening handshake, as a state machine without I/O.
//!
//! Transports own a [`Connection`] each and are the only callers. A connection knows neither where its
//! bytes come from, nor timers, nor JavaScript; whether a command is allowed in the connection's ready
//! state is decided above.

#![forbid(unsafe_code)]

mod close;
mod deflate;
mod detached_frame;
mod event;
mod idle;
mod inflate;
mod pong;
mod receive;
mod send;

use std::ops::AddAssign;
use std::sync::Arc;

use crate::protocol::deflate::PermessageDeflate;
use crate::protocol::{Limits, MaskingKey, Role};

use deflate::Deflating;
pub use detached_frame::DetachedFrame;
pub use event::{EventBatch, EventRef, LARGE_MESSAGE};
use inflate::Inflating;
use receive::Inbound;
pub use receive::MIN_IN_PLACE;
use send::Outbound;

/// How a connection behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// The end that this process is.
    pub role: Role,
    /// What the peer may make this end hold.
    pub limits: Limits,
    /// Whether pings are answered without being asked, until [`Connection::set_auto_pong`] says something else.
    pub auto_pong: bool,
    /// Whether texts and close reasons are taken as they come.
    pub skip_utf8_validation: bool,
    /// permessage-deflate, if the ends have agreed on it.
    pub deflate: Option<Arc<PermessageDeflate>>,
}

/// What [`Connection::trim_memory`] has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Bytes that were given back.
    pub freed: usize,
    /// Whether there may be more the next time.
    pub may_free_more: bool,
}

impl AddAssign for Trimmed {
    fn add_assign(&mut self, other: Self) {
        self.freed += other.freed;
        self.may_free_more |= other.may_free_more;
    }
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
///   [`finish_detached`](Self::finish_detached) for one that was lent, [`finish_inflate_job`](Self::finish_inflate_job) for one that was
///   inflated elsewhere, [`written`](Self::mark_written).
/// * **Commands**: [`send`](Self::send), [`send_compressed`](Self::send_compressed), [`ping`](Self::ping),
///   [`pong`](Self::pong), [`close`](Self::close), [`write_raw`](Self::write_raw), [`rest`](Self::trim_memory).
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
    /// Shared by connections that are configured alike.
    config: Arc<Config>,
    auto_pong: bool,
    inbound: Inbound,
    outbound: Outbound,
    /// permessage-deflate, if there is any: what is sent, and what is received.
    extension: Option<Box<(Deflating, Inflating)>>,
}

impl Connection {
    /// A connection whose opening handshake is over. Allocates nothing yet.
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        let config = config.into();
        let extension = config
            .deflate
            .as_ref()
            .map(|negotiated| Box::new((Deflating::new(negotiated), Inflating::new(negotiated))));
        let auto_pong = config.auto_pong;
        Self { config, auto_pong, inbound: Inbound::default(), outbound: Outbound::default(), extension }
    }

    /// Takes everything out; what stays is as new, and without permessage-deflate.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let config = Config { deflate: None, ..(*self.config).clone() };
        std::mem::replace(self, Self::new(config))
    }

    /// Whether input is still looked at: not after a close frame, an error or a flood.
    pub fn is_receiving(&self) -> bool {
        self.inbound.is_open()
    }

    /// To be called from time to time: gives memory of permessage-deflate back if it was not used since the last time. Neither
    /// end notices: the next message sent refers to none before it, and what the peer may refer to is kept.
    pub fn trim_memory(&mut self) -> Trimmed {
        let is_between = self.inbound.message.is_first_frame();
        let mut rested = Trimmed::default();
        if let Some((deflating, inflating)) = self.extension.as_deref_mut() {
            rested += deflating.trim_memory();
            rested += inflating.trim_memory(is_between);
        }
        rested
    }

    /// Turns automatic pongs on or off.
    pub fn set_auto_pong(&mut self, auto_pong: bool) {
        self.auto_pong = auto_pong;
    }

    /// Changes the limit for messages, in bytes; 0 is unlimited. Holds from the next frame on.
    pub fn set_max_payload(&mut self, max_payload: u64) {
        Arc::make_mut(&mut self.config).limits.max_payload = max_payload;
    }

    /// Turns UTF-8 validation off or on. Holds from the next message on.
    pub fn set_skip_utf8_validation(&mut self, skip: bool) {
        Arc::make_mut(&mut self.config).skip_utf8_validation = skip;
    }
}

#[cfg(test)]
mod tests;
