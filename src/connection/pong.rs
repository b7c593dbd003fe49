//! Automatic pongs, and the limit on those not yet written.

use std::collections::VecDeque;

use super::{Connection, MaskingKeys};
use crate::protocol::Opcode;

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
    pub(super) fn mark_written(&mut self, written_total: u64) {
        while self.ends.front().is_some_and(|&end| end <= written_total) {
            self.ends.pop_front();
        }
    }
}

impl Connection {
    /// Queues a pong for a received ping, if one is due.
    pub(super) fn answer_ping(&mut self, payload: &[u8], keys: &mut dyn MaskingKeys) -> PongOutcome {
        if !self.auto_pong || self.outbound.is_closing() {
            return PongOutcome::NotDue;
        }
        let limit = self.config.limits.max_pending_auto_pongs as usize;
        if limit > 0 && self.outbound.pongs.ends.len() >= limit {
            return PongOutcome::Flooded;
        }
        let key = self.config.role.must_mask_sent().then(|| keys.next_key());
        self.outbound.push_control(Opcode::Pong, key, payload);
        // Without a limit the list has no reader.
        if limit > 0 {
            debug_assert!(
                self.outbound.pongs.ends.back().is_none_or(|&end| end < self.outbound.queued_total)
            );
            self.outbound.pongs.ends.push_back(self.outbound.queued_total);
        }
        PongOutcome::Queued
    }
}
