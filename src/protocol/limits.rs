//! Limits on memory held for a peer. Plain values; each is enforced by the code that owns the
//! memory.

/// Limits of one connection. 0 means unlimited in every field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message over all its frames. Checked when a frame declares its length.
    pub max_payload: u64,
    /// Data frames of one message, including the first and empty ones.
    pub max_fragments: u32,
    /// Chunks of input over which one part of a frame may be spread.
    pub max_buffered_chunks: u32,
    /// Automatic pongs queued and not yet written.
    pub max_pending_auto_pongs: u32,
    /// Bytes read at a time, of a connection whose rate is limited.
    pub max_read: u32,
}

impl Default for Limits {
    /// Returns the defaults of ws: 100 MiB, 16384, 262144, 60; reads are unlimited.
    fn default() -> Self {
        Self {
            max_payload: 100 * 1024 * 1024,
            max_fragments: 16 * 1024,
            max_buffered_chunks: 256 * 1024,
            max_pending_auto_pongs: 60,
            max_read: 0,
        }
    }
}
