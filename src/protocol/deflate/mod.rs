//! permessage-deflate (RFC 7692) on bytes in memory: payloads of data frames to and from DEFLATE. Which frames are
//! compressed, and what goes around them, is `connection`'s; what the ends agree on is found out in the opening handshake,
//! above all this.
//!
//! * [`PermessageDeflate`]: what was agreed on.
//! * [`Compressor`], [`Inflater`]: the two directions, on zlib-rs.
//! * [`History`]: what has been sent before. That is all that a connection has to keep between two messages.
//! * [`Pool`]: where compressors and inflaters are when nobody needs them.
//! * [`Broadcast`]: one payload for many connections, compressed once.
//!
//! A payload may refer to whatever the peer's window holds, and need not refer to anything, also under context takeover. That is
//! why connections need no compressors of their own, why what was sent can be forgotten at any time, and why a payload can be
//! compressed for several connections at once.

mod broadcast;
mod compressor;
mod error;
mod history;
mod inflater;
mod params;
mod pool;

pub use broadcast::{Broadcast, Receiver};
pub use compressor::{
    Compressor, EMPTY_FRAGMENT, EMPTY_MESSAGE, compress_standalone, stored_blocks, strip_trailer,
};
pub use error::InflateError;
pub use history::History;
pub use inflater::{InflateJob, Inflater, Progress};
pub use params::{
    DeflateParams, IncomingParams, Level, MemLevel, OutgoingParams, PermessageDeflate, WindowBits,
};
pub use pool::Pool;
/// How the backend looks for matches; zlib's `strategy`.
pub use zlib_rs::Strategy;

/// The end of a sync flush, which the last frame of a message leaves out (RFC 7692 section 7.2.1).
const TRAILER: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

#[cfg(test)]
mod tests;
