//! Automatic pongs, and the bound on those that the peer does not read.

use std::collections::VecDeque;

use super::{Connection, MaskingKeys};
use crate::protocol::Opcode;

/// What became of a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// A pong is queued.
    Queued,
    /// No pong is due: they are off, or the closing handshake has begun.
    NotDue,
    /// [`Limits::max_pending_auto_pongs`](crate::protocol::Limits::max_pending_auto_pongs) pongs wait
    /// already.
    Flooded,
}

/// Automatic pongs whose last byte is not written yet, as the ends of their frames in the output stream.
#[derive(Debug, Default)]
pub(super) struct PendingPongs {
    ends: VecDeque<u64>,
}

impl PendingPongs {
    pub(super) fn written(&mut self, written_total: u64) {
        while self.ends.front().is_some_and(|&end| end <= written_total) {
            self.ends.pop_front();
        }
    }
}

impl Connection {
    /// Answers a ping that arrived, if that is wanted.
    pub(super) fn answer_ping(&mut self, payload: &[u8], keys: &mut dyn MaskingKeys) -> Answer {
        if !self.auto_pong || self.outbound.is_closing() {
            return Answer::NotDue;
        }
        let limit = self.config.limits.max_pending_auto_pongs as usize;
        if limit > 0 && self.outbound.pongs.ends.len() >= limit {
            return Answer::Flooded;
        }
        let key = self.config.role.must_mask_sent().then(|| keys.next_key());
        self.outbound.push_control(Opcode::Pong, key, payload);
        // Without a limit nobody asks how many there are, and a list of them would be memory for
        // nothing.
        if limit > 0 {
            self.outbound.pongs.ends.push_back(self.outbound.queued_total);
        }
        Answer::Queued
    }
}
