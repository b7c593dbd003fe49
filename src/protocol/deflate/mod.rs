//! permessage-deflate (RFC 7692) on bytes in memory: payloads of data frames to and from DEFLATE.
//! `connection` selects and frames the payloads; the shim negotiates the parameters.
//!
//! * [`PermessageDeflate`]: the negotiated extension.
//! * [`Compressor`], [`Inflater`]: the two directions, on zlib-rs.
//! * [`History`]: end of the payloads sent. The only state a connection keeps between messages.
//! * [`Pool`]: unused compressors and inflaters.
//! * [`Broadcast`]: one compression of a payload sent to many connections.
//!
//! A payload may refer to anything in the peer's window but need not, even with context takeover.
//! Hence connections need no compressor of their own, the history can be dropped at any time, and
//! one compressed payload can serve several connections.

mod broadcast;
mod compressor;
mod error;
mod history;
mod inflater;
mod params;
mod pool;

pub use broadcast::{Broadcast, BroadcastCursor};
pub use compressor::{Compressor, EMPTY_FRAGMENT, EMPTY_MESSAGE, stored_blocks, strip_trailer};
pub use error::InflateError;
pub use history::History;
pub use inflater::{InflateJob, Inflater, Progress};
pub use params::{DeflateParams, IncomingParams, Level, MemLevel, OutgoingParams, WindowBits};
pub use pool::{PermessageDeflate, Pool, compress_standalone};
/// Match strategy of the backend; zlib's `strategy`.
pub use zlib_rs::Strategy;

/// The end of a sync flush, omitted in the last frame of a message (RFC 7692 section 7.2.1).
const TRAILER: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

#[cfg(test)]
mod tests;
