//! Negotiated parameters of permessage-deflate (RFC 7692 section 7.1) and this end's compression
//! options. Values are valid by construction.

use std::sync::Arc;

use zlib_rs::Strategy;

/// Base-2 logarithm of the LZ77 window size, 8 to 15 (RFC 7692 section 7.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 32 KiB: the default if nothing was negotiated.
    pub const MAX: Self = Self(15);
    /// The smallest window the backend compresses with. Its distances never exceed 250 bytes, so a
    /// peer with a window of 8 bits can inflate the output.
    pub(super) const MIN_DEFLATE: Self = Self(9);

    /// Returns `None` unless `bits` is 8 to 15.
    pub const fn new(bits: u8) -> Option<Self> {
        if matches!(bits, 8..=15) { Some(Self(bits)) } else { None }
    }

    /// The number of bits.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Window size in bytes.
    pub const fn size(self) -> usize {
        1 << self.0
    }
}

/// zlib compression level, 0 (none) to 9 (best).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(u8);

impl Level {
    /// Returns `None` unless `level` is 0 to 9.
    pub const fn new(level: u8) -> Option<Self> {
        if level <= 9 { Some(Self(level)) } else { None }
    }

    pub(super) const fn get(self) -> i32 {
        self.0 as i32
    }
}

/// zlib memory level, 1 to 9. The default is 8, as in zlib.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemLevel(u8);

impl MemLevel {
    /// Returns `None` unless `level` is 1 to 9.
    pub const fn new(level: u8) -> Option<Self> {
        if matches!(level, 1..=9) { Some(Self(level)) } else { None }
    }

    pub(super) const fn get(self) -> i32 {
        self.0 as i32
    }
}

impl Default for MemLevel {
    fn default() -> Self {
        Self(8)
    }
}

/// Parameters of the payloads that this end compresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingParams {
    /// Maximum window size of the peer.
    pub window_bits: WindowBits,
    /// True if messages may refer to earlier ones.
    pub context_takeover: bool,
    /// `None` selects a fast default, by the length of the payload.
    pub level: Option<Level>,
    /// Memory level.
    pub mem_level: MemLevel,
    /// Match strategy.
    pub strategy: Strategy,
    /// Preset dictionary known to both ends.
    pub dictionary: Option<Arc<[u8]>>,
    /// Messages shorter than this many bytes are not compressed without context takeover.
    pub threshold: u64,
}

/// A payload is matched against history of twice its own length, but at least 4 KiB. More history
/// takes longer and saves only a few percent.
const HISTORY_PAYLOADS: usize = 2;
const SHORTEST_HISTORY: usize = 4 * 1024;
/// The same at [`SHORT_LEVEL`].
const SHORTEST_HISTORY_OF_SHORT: usize = 3 * 1024;
/// From this level on, the whole window is used.
const THOROUGH: u8 = 7;

/// Level used if none is configured: output nearly as small as zlib's 6, in less time.
const DEFAULT_LEVEL: i32 = 5;
/// The same for a payload shorter than [`SHORT_PAYLOAD`] bytes: a quarter less time for a tenth more bytes (workload deflate-200).
const SHORT_LEVEL: i32 = 1;
const SHORT_PAYLOAD: usize = 512;

impl OutgoingParams {
    /// Returns the level at which a payload of `length` bytes is compressed.
    pub(super) fn level_for(&self, length: usize) -> i32 {
        match self.level {
            Some(level) => level.get(),
            None if self.is_short(length) => SHORT_LEVEL,
            None => DEFAULT_LEVEL,
        }
    }

    /// True if a payload of `length` bytes gets the level for short ones.
    fn is_short(&self, length: usize) -> bool {
        self.level.is_none() && self.dictionary.is_none() && length < SHORT_PAYLOAD
    }

    /// Returns the maximum number of history bytes to which a payload of `length` bytes may refer.
    pub fn history_for(&self, length: usize) -> usize {
        let window = self.window_bits.size();
        match self.level {
            Some(Level(THOROUGH..)) => window,
            _ if self.dictionary.is_some() => window,
            _ if self.is_short(length) => SHORTEST_HISTORY_OF_SHORT.min(window),
            _ => length.saturating_mul(HISTORY_PAYLOADS).max(SHORTEST_HISTORY).min(window),
        }
    }
}

impl Default for OutgoingParams {
    fn default() -> Self {
        Self {
            window_bits: WindowBits::MAX,
            context_takeover: true,
            level: None,
            mem_level: MemLevel::default(),
            strategy: Strategy::Default,
            dictionary: None,
            threshold: 1024,
        }
    }
}

/// Parameters of the payloads that the peer compresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingParams {
    /// Maximum window size used by the peer.
    pub window_bits: WindowBits,
    /// True if messages may refer to earlier ones.
    pub context_takeover: bool,
    /// Preset dictionary known to both ends.
    pub dictionary: Option<Arc<[u8]>>,
}

impl Default for IncomingParams {
    fn default() -> Self {
        Self { window_bits: WindowBits::MAX, context_takeover: true, dictionary: None }
    }
}

/// Parameters of both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeflateParams {
    /// For sent payloads.
    pub outgoing: OutgoingParams,
    /// For received payloads.
    pub incoming: IncomingParams,
}

#[cfg(test)]
mod tests {
    use super::{Level, MemLevel, WindowBits};

    #[test]
    fn numbers_out_of_range_are_none() {
        assert!(WindowBits::new(7).is_none() && WindowBits::new(16).is_none());
        assert!(Level::new(10).is_none());
        assert!(MemLevel::new(0).is_none() && MemLevel::new(10).is_none());
        assert_eq!(WindowBits::new(8).map(WindowBits::size), Some(256));
        assert_eq!(WindowBits::MAX.size(), 32 * 1024);
    }
}
