//! Sending half: frames to bytes, and totals of queued and written bytes. Used by `Connection` and `deflate`. Does not use the
//! receiving half, and compresses nothing.

use super::output::Output;
use super::pong::{PendingPongs, PongOutcome};
use super::{Config, MaskingKeys};
use crate::protocol::frame::{MAX_CONTROL_PAYLOAD, MAX_HEADER_LENGTH, mask};
use crate::protocol::{FrameHeader, MaskingKey, Opcode};

/// The sending half.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    pub(super) queue: Output,
    queued_total: u64,
    written_total: u64,
    /// True if the last fragment of the current message is still to be sent.
    pub(super) is_fragmented: bool,
    is_closing: bool,
    pongs: PendingPongs,
}

impl Outbound {
    /// True if nothing is left to send: no output, no open fragmented message, no closing
    /// handshake.
    pub(super) fn has_sent_everything(&self) -> bool {
        self.queued_total == self.written_total && !self.is_fragmented && !self.is_closing
    }

    /// True once a close frame was queued.
    pub(super) fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// Continues the totals of an earlier connection.
    pub(super) fn resume_totals(&mut self, total: u64) {
        debug_assert_eq!(self.queued_total, 0);
        (self.queued_total, self.written_total) = (total, total);
    }

    /// Queues a pong for a received ping, if one is due.
    pub(super) fn answer_ping(
        &mut self,
        payload: &[u8],
        auto_pong: bool,
        config: &Config,
        keys: &mut dyn MaskingKeys,
    ) -> PongOutcome {
        if !auto_pong || self.is_closing {
            return PongOutcome::NotDue;
        }
        let limit = config.limits.max_pending_auto_pongs;
        if self.pongs.is_full(limit) {
            return PongOutcome::Flooded;
        }
        let key = config.role.must_mask_sent().then(|| keys.next_key());
        self.push_control(Opcode::Pong, key, payload);
        // Without a limit the list has no reader.
        if limit > 0 {
            self.pongs.push(self.queued_total);
        }
        PongOutcome::Queued
    }

    /// Queues bytes that are already framed.
    pub(super) fn push_raw(&mut self, bytes: &[u8]) {
        self.queue.buffer().extend_from_slice(bytes);
        self.queued_total += bytes.len() as u64;
    }

    /// Counts output that was written, in queue order.
    pub(super) fn mark_written(&mut self, bytes: u64) {
        self.written_total += bytes;
        debug_assert!(self.written_total <= self.queued_total, "more written than queued");
        self.pongs.mark_written(self.written_total);
    }

    /// Bytes queued since the connection began.
    pub(super) fn queued_total(&self) -> u64 {
        self.queued_total
    }

    /// Bytes written since the connection began.
    pub(super) fn written_total(&self) -> u64 {
        self.written_total
    }

    /// Queues a control frame with `payload` truncated to 125 bytes.
    pub(super) fn push_control(&mut self, opcode: Opcode, key: Option<MaskingKey>, payload: &[u8]) {
        let payload = &payload[..payload.len().min(MAX_CONTROL_PAYLOAD)];
        self.push_frame(true, false, opcode, key, payload);
    }

    pub(super) fn push_close(&mut self, key: Option<MaskingKey>, payload: &[u8]) {
        self.push_control(Opcode::Close, key, payload);
        self.is_closing = true;
    }

    /// Queues a frame. `rsv1`: the payload is compressed and this is the message's first frame.
    pub(super) fn push_frame(
        &mut self,
        fin: bool,
        rsv1: bool,
        opcode: Opcode,
        key: Option<MaskingKey>,
        payload: &[u8],
    ) {
        self.queue.buffer().reserve(MAX_HEADER_LENGTH + payload.len());
        self.push_header(fin, rsv1, opcode, key, payload.len());
        match key {
            Some(key) => mask::copy_masked(payload, key, 0, self.queue.buffer()),
            None => self.queue.buffer().extend_from_slice(payload),
        }
    }

    /// Queues a header and counts the payload that follows it.
    pub(super) fn push_header(
        &mut self,
        fin: bool,
        rsv1: bool,
        opcode: Opcode,
        key: Option<MaskingKey>,
        length: usize,
    ) {
        let buffer = self.queue.buffer();
        let before = buffer.len();
        let payload_length = length as u64;
        FrameHeader { fin, rsv1, opcode, masking_key: key, payload_length }.encode(buffer);
        self.queued_total += (buffer.len() - before + length) as u64;
    }

    /// Returns the opcode of the next data frame.
    pub(super) fn next_opcode(&mut self, binary: bool, fin: bool) -> Opcode {
        let opcode = match (self.is_fragmented, binary) {
            (true, _) => Opcode::Continuation,
            (false, true) => Opcode::Binary,
            (false, false) => Opcode::Text,
        };
        self.is_fragmented = !fin;
        opcode
    }
}
