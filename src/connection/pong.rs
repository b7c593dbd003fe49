//! Automatic pongs not yet written, counted for their limit. Used by `outbound`, which queues the frames; `receive` uses the
//! outcome only.

use std::collections::VecDeque;

/// Outcome of a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PongOutcome {
    /// A pong was queued.
    Queued,
    /// No pong is due: automatic pongs are off, or the closing handshake has begun.
    NotDue,
    /// The number of unwritten pongs has reached
    /// [`Limits::max_pending_auto_pongs`](crate::protocol::Limits::max_pending_auto_pongs).
    Flooded,
}

/// End offsets, in the output stream, of the automatic pongs not yet written. Ascending.
#[derive(Debug, Default)]
pub(super) struct PendingPongs {
    ends: VecDeque<u64>,
}

impl PendingPongs {
    /// True if no further pong may be queued. 0 is no limit.
    pub(super) fn is_full(&self, limit: u32) -> bool {
        limit > 0 && self.ends.len() >= limit as usize
    }

    /// Adds a pong that ends at this offset.
    pub(super) fn push(&mut self, end: u64) {
        debug_assert!(self.ends.back().is_none_or(|&last| last < end), "offsets ascend");
        self.ends.push_back(end);
    }

    /// Removes the pongs that are written.
    pub(super) fn mark_written(&mut self, written_total: u64) {
        while self.ends.front().is_some_and(|&end| end <= written_total) {
            self.ends.pop_front();
        }
    }
}
