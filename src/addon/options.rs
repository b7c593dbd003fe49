//! The options of a connection, and the parameters that the opening handshake has negotiated, as JavaScript
//! objects. Converts them to types of the core that have valid values only. Called by `environment`. Reports no
//! invalid value: `lib/` does.

use std::sync::Arc;

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::connection::{Config, TimeLimits};
use crate::protocol::deflate::{
    DeflateParams, IncomingParams, Level, MemLevel, OutgoingParams, PermessageDeflate, Pool, Strategy,
    WindowBits,
};
use crate::protocol::{Limits, Role};

/// Options of a connection. Limits are integers; 0 and below mean unlimited.
#[napi(object)]
pub struct ConnectionOptions {
    /// True for a server, which expects masked frames.
    pub is_server: bool,
    /// True if an I/O thread may answer pings.
    pub auto_pong: bool,
    /// The most bytes of a message.
    pub max_payload: i32,
    /// The most frames of a message.
    pub max_fragments: i32,
    /// The most chunks of an incomplete frame.
    pub max_buffered_chunks: i32,
    /// The most automatic pongs that are not written yet.
    pub max_pending_auto_pongs: i32,
    /// The most bytes of one read; absent: unlimited.
    pub max_read: Option<u32>,
    /// True if text messages and close reasons may be invalid UTF-8.
    #[napi(js_name = "skipUTF8Validation")]
    pub skip_utf8_validation: bool,
    /// Limits on the time of the connection, if there are any.
    pub time_limits: Option<TimeLimitOptions>,
    /// The parameters of permessage-deflate, if it was negotiated.
    pub deflate: Option<DeflateOptions>,
}

/// Limits on the time of a connection, in milliseconds. 0 is none.
#[napi(object)]
pub struct TimeLimitOptions {
    /// The silence of the peer after which it counts as lost.
    pub idle_timeout: u32,
    /// The age at which the connection is closed.
    pub max_lifetime: u32,
    /// True if the peer is pinged after half of `idleTimeout`.
    pub send_pings: bool,
}

impl ConnectionOptions {
    /// The configuration, and with it the pool of the environment.
    pub(super) fn config(&self, pool: &Arc<Pool>) -> Config {
        let (options, limit) = (self, |value: i32| u32::try_from(value).unwrap_or(0));
        Config {
            deflate: options.deflate.as_ref().map(|options| Arc::new(options.negotiated(pool))),
            role: if options.is_server { Role::Server } else { Role::Client },
            limits: Limits {
                max_payload: limit(options.max_payload).into(),
                max_fragments: limit(options.max_fragments),
                max_buffered_chunks: limit(options.max_buffered_chunks),
                max_pending_auto_pongs: limit(options.max_pending_auto_pongs),
                max_read: options.max_read.unwrap_or(0),
            },
            auto_pong: options.auto_pong,
            skip_utf8_validation: options.skip_utf8_validation,
            time_limits: options.time_limits.as_ref().map(TimeLimitOptions::limits).unwrap_or_default(),
        }
    }
}

impl TimeLimitOptions {
    fn limits(&self) -> TimeLimits {
        let Self { idle_timeout, max_lifetime, send_pings } = *self;
        TimeLimits { idle_timeout, max_lifetime, send_pings }
    }
}

/// The negotiated parameters of permessage-deflate (RFC 7692), from this end's point of view, and options of
/// its compressor. A number out of range counts as missing.
#[napi(object)]
pub struct DeflateOptions {
    /// Window bits of this end's compressor, 8 to 15.
    pub outgoing_window_bits: i32,
    /// True if messages of this end may refer to earlier ones.
    pub outgoing_takeover: bool,
    /// Window bits of the peer's compressor, 8 to 15.
    pub incoming_window_bits: i32,
    /// True if messages of the peer may refer to earlier ones.
    pub incoming_takeover: bool,
    /// Bytes below which a message that can't refer to earlier ones is not compressed.
    pub threshold: f64,
    /// zlib's level, 0 to 9.
    pub level: Option<i32>,
    /// zlib's memory level, 1 to 9.
    pub mem_level: Option<i32>,
    /// zlib's strategy, 0 to 4.
    pub strategy: Option<i32>,
    /// The preset dictionary of this end's compressor.
    pub outgoing_dictionary: Option<Uint8Array>,
    /// The preset dictionary of the peer's compressor.
    pub incoming_dictionary: Option<Uint8Array>,
}

impl DeflateOptions {
    /// Converts to the parameters of the core. Compressors come from `pool`.
    pub(super) fn negotiated(&self, pool: &Arc<Pool>) -> PermessageDeflate {
        // A negative threshold, or NaN, is 0; Infinity forbids compression.
        #[allow(clippy::cast_sign_loss, reason = "a float below 0 becomes 0")]
        let threshold = self.threshold.ceil() as u64;
        let outgoing = OutgoingParams {
            window_bits: window_bits(self.outgoing_window_bits),
            context_takeover: self.outgoing_takeover,
            level: small(self.level).and_then(Level::new),
            mem_level: small(self.mem_level).and_then(MemLevel::new).unwrap_or_default(),
            strategy: self.strategy.and_then(|number| Strategy::try_from(number).ok()).unwrap_or_default(),
            dictionary: dictionary(self.outgoing_dictionary.as_ref()),
            threshold,
        };
        let incoming = IncomingParams {
            window_bits: window_bits(self.incoming_window_bits),
            context_takeover: self.incoming_takeover,
            dictionary: dictionary(self.incoming_dictionary.as_ref()),
        };
        PermessageDeflate { params: DeflateParams { outgoing, incoming }, pool: Arc::clone(pool) }
    }
}

fn small(number: Option<i32>) -> Option<u8> {
    number.and_then(|number| u8::try_from(number).ok())
}

fn window_bits(bits: i32) -> WindowBits {
    u8::try_from(bits).ok().and_then(WindowBits::new).unwrap_or(WindowBits::MAX)
}

fn dictionary(bytes: Option<&Uint8Array>) -> Option<Arc<[u8]>> {
    bytes.map(|bytes| Arc::from(&bytes[..]))
}
