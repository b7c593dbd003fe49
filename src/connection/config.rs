//! Parameters of a connection: its configuration, its source of masking keys, and the result of freeing memory.
//! Made by `addon` and `transport`. Values of JavaScript do not belong here.

use std::sync::Arc;

use super::heartbeat::TimeLimits;
use crate::protocol::deflate::PermessageDeflate;
use crate::protocol::{Limits, MaskingKey, Role};

/// Configuration of a connection.
#[derive(Debug, Clone)]
pub struct Config {
    /// This end's role.
    pub role: Role,
    /// Bounds on memory held for the peer.
    pub limits: Limits,
    /// Answer pings automatically. Initial value; see [`Connection::set_auto_pong`](super::Connection::set_auto_pong).
    pub auto_pong: bool,
    /// Accept text messages and close reasons without UTF-8 validation.
    pub skip_utf8_validation: bool,
    /// Limits on the time of the connection, which the transport applies.
    pub time_limits: TimeLimits,
    /// permessage-deflate, if negotiated.
    pub deflate: Option<Arc<PermessageDeflate>>,
}

/// Result of [`Connection::trim_memory`](super::Connection::trim_memory).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Bytes freed, without those that were given to [`Pool::free`](crate::protocol::deflate::Pool::free).
    pub freed: usize,
    /// True if a later call may free more.
    pub may_free_more: bool,
}

/// Source of masking keys for frames that the connection creates itself (automatic pongs). Used
/// only if the role masks its frames. Keys must be unpredictable (RFC 6455 section 5.3).
pub trait MaskingKeys {
    /// Returns a fresh key.
    fn next_key(&mut self) -> MaskingKey;
}
