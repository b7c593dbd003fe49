//! What two ends have agreed on for permessage-deflate (RFC 7692 section 7.1), and how this end wants to compress. Values
//! that can't be wrong: whoever makes them has checked what they were made from.

use std::sync::Arc;

use zlib_rs::Strategy;

use super::Pool;

/// Base-2 logarithm of a window of the LZ77 algorithm, 8 to 15 (RFC 7692 section 7.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 32 KiB, which is what holds where nothing was agreed on.
    pub const MAX: Self = Self(15);
    /// The smallest window that the backend compresses with. In it no distance exceeds 250 bytes, so an end that keeps a
    /// window of 8 bits can follow.
    pub(super) const MIN_DEFLATE: Self = Self(9);

    /// `None`: not 8 to 15.
    pub const fn new(bits: u8) -> Option<Self> {
        if matches!(bits, 8..=15) { Some(Self(bits)) } else { None }
    }

    /// The number of bits.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The bytes of the window.
    pub const fn size(self) -> usize {
        1 << self.0
    }
}

/// A compression level of zlib, 0 (none) to 9 (best).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(u8);

impl Level {
    /// `None`: not 0 to 9.
    pub const fn new(level: u8) -> Option<Self> {
        if level <= 9 { Some(Self(level)) } else { None }
    }

    pub(super) const fn get(self) -> i32 {
        self.0 as i32
    }
}

/// Memory for the state of a compressor, 1 to 9; 8 is what zlib takes where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemLevel(u8);

impl MemLevel {
    /// `None`: not 1 to 9.
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

/// How this end compresses what it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingParams {
    /// The largest window that the peer keeps.
    pub window_bits: WindowBits,
    /// Whether messages may refer to earlier ones.
    pub context_takeover: bool,
    /// `None`: what is fast and small enough.
    pub level: Option<Level>,
    /// Memory for the compressor.
    pub mem_level: MemLevel,
    /// How the backend looks for matches.
    pub strategy: Strategy,
    /// What both ends know before the first message.
    pub dictionary: Option<Arc<[u8]>>,
    /// Bytes below which a message is not compressed, if it may not refer to earlier ones.
    pub threshold: u64,
}

/// How much of what was sent before a payload is compared with it: so many times its own length, but not less than this.
/// More would take longer, for a few percent of the size.
const HISTORY_PAYLOADS: usize = 2;
const SHORTEST_HISTORY: usize = 4 * 1024;
/// From this level on, everything that may be referred to is.
const THOROUGH: u8 = 7;

impl OutgoingParams {
    /// How many bytes of what was sent before a payload of `length` bytes it is to refer to, at most.
    pub fn history_for(&self, length: usize) -> usize {
        let window = self.window_bits.size();
        match self.level {
            Some(Level(THOROUGH..)) => window,
            _ if self.dictionary.is_some() => window,
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

/// How the peer compresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingParams {
    /// The largest window that the peer refers into.
    pub window_bits: WindowBits,
    /// Whether messages may refer to earlier ones.
    pub context_takeover: bool,
    /// What both ends know before the first message.
    pub dictionary: Option<Arc<[u8]>>,
}

impl Default for IncomingParams {
    fn default() -> Self {
        Self { window_bits: WindowBits::MAX, context_takeover: true, dictionary: None }
    }
}

/// Both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeflateParams {
    /// What this end sends.
    pub outgoing: OutgoingParams,
    /// What it receives.
    pub incoming: IncomingParams,
}

/// A connection's extension.
#[derive(Debug, Default)]
pub struct PermessageDeflate {
    /// What was agreed on.
    pub params: DeflateParams,
    /// Where its compressors and inflaters come from.
    pub pool: Arc<Pool>,
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
