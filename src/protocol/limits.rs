//! What a peer may make this end hold in memory. Values only: each is enforced where the thing it
//! bounds is kept.

/// Bounds on what one connection keeps for its peer. In every field 0 means unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in one message, over all its frames. Checked as soon as a frame declares its length.
    pub max_payload: u64,
    /// Data frames in one message; the first, empty ones and the only one of an unfragmented message
    /// count.
    pub max_fragments: u32,
    /// Chunks of input that one incomplete part of a frame may be spread over.
    pub max_buffered_chunks: u32,
    /// Automatic pongs that may be queued and not yet written.
    pub max_pending_auto_pongs: u32,
}

impl Default for Limits {
    /// The defaults of ws: 100 MiB, 16384, 262144, 60.
    fn default() -> Self {
        Self {
            max_payload: 100 * 1024 * 1024,
            max_fragments: 16 * 1024,
            max_buffered_chunks: 256 * 1024,
            max_pending_auto_pongs: 60,
        }
    }
}
