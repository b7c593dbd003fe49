//! How the shim wants a connection to behave, and what the opening handshake has agreed on, turned into what the core takes:
//! values that can't be wrong.

use std::sync::Arc;

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::connection::Config;
use crate::protocol::deflate::{
    DeflateParams, IncomingParams, Level, MemLevel, OutgoingParams, PermessageDeflate, Pool, Strategy,
    WindowBits,
};
use crate::protocol::{Limits, Role};

/// How a connection behaves. Limits are integers; 0 and below mean unlimited.
#[napi(object)]
pub struct ConnectionOptions {
    /// Whether this end is the server: it expects masked frames.
    pub is_server: bool,
    /// Whether pings may be answered without being asked, which an I/O thread does.
    pub auto_pong: bool,
    /// Bytes of a message.
    pub max_payload: i32,
    /// Frames of a message.
    pub max_fragments: i32,
    /// Chunks kept for a frame that is not whole.
    pub max_buffered_chunks: i32,
    /// Automatic pongs that were not written yet.
    pub max_pending_auto_pongs: i32,
    /// Whether texts and close reasons are taken as they come.
    #[napi(js_name = "skipUTF8Validation")]
    pub skip_utf8_validation: bool,
    /// permessage-deflate, if the ends have agreed on it.
    pub deflate: Option<DeflateOptions>,
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
            },
            auto_pong: options.auto_pong,
            skip_utf8_validation: options.skip_utf8_validation,
        }
    }
}

/// What two ends have agreed on for permessage-deflate, seen from this one, and how it compresses. A number that is out of
/// range counts as left out.
#[napi(object)]
pub struct DeflateOptions {
    /// Bits of the window that this end compresses with, 8 to 15.
    pub outgoing_window_bits: i32,
    /// Whether the messages of this end refer to earlier ones.
    pub outgoing_takeover: bool,
    /// Bits of the window that the peer compresses with, 8 to 15.
    pub incoming_window_bits: i32,
    /// Whether the messages of the peer refer to earlier ones.
    pub incoming_takeover: bool,
    /// Bytes below which a message is not compressed, if it may not refer to earlier ones.
    pub threshold: f64,
    /// zlib's level, 0 to 9.
    pub level: Option<i32>,
    /// zlib's memory level, 1 to 9.
    pub mem_level: Option<i32>,
    /// zlib's strategy, 0 to 4.
    pub strategy: Option<i32>,
    /// What the peer knows before the first message.
    pub outgoing_dictionary: Option<Uint8Array>,
    /// What is known of the peer before its first message.
    pub incoming_dictionary: Option<Uint8Array>,
}

impl DeflateOptions {
    /// The settings, and the pool that compressors come from.
    pub(super) fn negotiated(&self, pool: &Arc<Pool>) -> PermessageDeflate {
        // A threshold below 0, or none, is 0; one beyond everything forbids compression.
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
