//! Sending half: commands to bytes, and totals of queued and written bytes.

use super::output::Output;
use super::pong::{PendingPongs, PongOutcome};
use super::{Config, Connection, MaskingKeys};
use crate::protocol::frame::{MAX_CONTROL_PAYLOAD, MAX_HEADER_LENGTH, mask};
use crate::protocol::{FrameHeader, MaskingKey, Opcode};

/// Capacity of a taken output buffer kept for the next bytes.
const KEPT_CAPACITY: usize = 64 * 1024;

/// State of the sending half.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    queue: Output,
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
    fn push_header(&mut self, fin: bool, rsv1: bool, opcode: Opcode, key: Option<MaskingKey>, length: usize) {
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

/// Commands append to the output and never fail; the caller must not call those forbidden in the
/// current state. `key` is the masking key, required for clients and forbidden for servers (RFC
/// 6455 section 5.1). The caller chooses it because ws lets its users do so. An all-zero key is
/// sent as such.
impl Connection {
    /// Queues a message or a fragment, uncompressed. `fin: false` begins or continues a fragmented
    /// message; `binary` counts only in its first fragment. With permessage-deflate, use
    /// [`send_compressed`](Self::send_compressed).
    pub fn send(&mut self, binary: bool, fin: bool, key: Option<MaskingKey>, payload: &[u8]) {
        let opcode = self.outbound.next_opcode(binary, fin);
        self.outbound.push_frame(fin, false, opcode, key, payload);
    }

    /// Like [`send`](Self::send) without a key, but the payload stays in memory of the caller, as an
    /// external segment of the [output](Output).
    pub fn send_external(&mut self, binary: bool, fin: bool, length: usize) {
        let opcode = self.outbound.next_opcode(binary, fin);
        self.outbound.push_header(fin, false, opcode, None, length);
        self.outbound.queue.push_external(length);
    }

    /// Queues a ping. `payload` is truncated to 125 bytes.
    pub fn ping(&mut self, key: Option<MaskingKey>, payload: &[u8]) {
        self.outbound.push_control(Opcode::Ping, key, payload);
    }

    /// Queues a pong on behalf of the user. `payload` is truncated to 125 bytes.
    pub fn pong(&mut self, key: Option<MaskingKey>, payload: &[u8]) {
        self.outbound.push_control(Opcode::Pong, key, payload);
    }

    /// Queues bytes that are already framed.
    pub fn write_raw(&mut self, bytes: &[u8]) {
        self.outbound.queue.buffer().extend_from_slice(bytes);
        self.outbound.queued_total += bytes.len() as u64;
    }

    /// Puts unsent bytes back in front of the output queued since they were taken. Neither may have
    /// external segments.
    pub fn requeue_output(&mut self, unsent: &[u8]) {
        self.outbound.queue.prepend(unsent);
    }

    /// Records that `bytes` more bytes of the output were accepted by the kernel or the stream, in
    /// queue order.
    pub fn mark_written(&mut self, bytes: u64) {
        let outbound = &mut self.outbound;
        outbound.written_total += bytes;
        debug_assert!(outbound.written_total <= outbound.queued_total, "more written than queued");
        outbound.pongs.mark_written(outbound.written_total);
    }

    /// Bytes queued and not yet taken, if there are no external segments.
    pub fn output(&self) -> &[u8] {
        self.outbound.queue.bytes()
    }

    /// True if output is queued and not yet taken.
    pub fn has_output(&self) -> bool {
        !self.outbound.queue.is_empty()
    }

    /// Turns external segments of the output that is not yet taken into bytes; see
    /// [`Output::copy_externals`].
    pub fn copy_externals(&mut self, copy: impl FnMut(usize, &mut Vec<u8>) -> bool) -> bool {
        self.outbound.queue.copy_externals(copy)
    }

    /// Swaps the queued bytes into `spare`. The memory of `spare`, up to 64 KiB, becomes the next
    /// queue; its content is dropped. There must be no external segments.
    pub fn take_output(&mut self, spare: &mut Vec<u8>) {
        spare.clear();
        spare.shrink_to(KEPT_CAPACITY);
        self.outbound.queue.swap_bytes(spare);
    }

    /// Swaps the output into `taken`, which is empty. Returns false if there is none: both then free
    /// their memory, but for one small buffer.
    pub fn swap_output(&mut self, taken: &mut Output) -> bool {
        debug_assert!(taken.is_empty());
        taken.clear();
        let queue = &mut self.outbound.queue;
        if queue.is_empty() {
            queue.release(taken);
            return false;
        }
        std::mem::swap(queue, taken);
        true
    }

    /// Bytes queued since the connection began.
    pub fn queued_total(&self) -> u64 {
        self.outbound.queued_total
    }

    /// Bytes [reported as written](Self::mark_written) since the connection began.
    pub fn written_total(&self) -> u64 {
        self.outbound.written_total
    }

    /// Bytes queued and not yet written, taken or not.
    pub fn pending(&self) -> u64 {
        self.outbound.queued_total.saturating_sub(self.outbound.written_total)
    }
}
