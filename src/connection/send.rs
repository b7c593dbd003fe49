//! The sending half: commands to bytes, and the account of what was written.

use super::Connection;
use super::pong::PendingPongs;
use crate::protocol::frame::{MAX_CONTROL_PAYLOAD, MAX_HEADER_LENGTH, mask};
use crate::protocol::{FrameHeader, MaskingKey, Opcode};

/// Capacity of a taken output buffer that is kept for the next bytes.
const KEPT_CAPACITY: usize = 64 * 1024;

/// What the sending half keeps.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    queue: Vec<u8>,
    pub(super) queued_total: u64,
    written_total: u64,
    /// Whether a message was begun whose last fragment is still to be sent.
    pub(super) fragmented: bool,
    closing: bool,
    pub(super) pongs: PendingPongs,
}

impl Outbound {
    /// Whether a close frame was queued.
    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Queues a control frame; `payload` is cut to the 125 bytes that one may have.
    pub(super) fn push_control(&mut self, opcode: Opcode, key: Option<MaskingKey>, payload: &[u8]) {
        let payload = &payload[..payload.len().min(MAX_CONTROL_PAYLOAD)];
        self.push_frame(true, false, opcode, key, payload);
    }

    pub(super) fn push_close(&mut self, key: Option<MaskingKey>, payload: &[u8]) {
        self.push_control(Opcode::Close, key, payload);
        self.closing = true;
    }

    /// `rsv1`: the payload is compressed, and this is the first frame of its message.
    pub(super) fn push_frame(
        &mut self,
        fin: bool,
        rsv1: bool,
        opcode: Opcode,
        key: Option<MaskingKey>,
        payload: &[u8],
    ) {
        self.queue.reserve(MAX_HEADER_LENGTH + payload.len());
        self.push_header(fin, rsv1, opcode, key, payload.len());
        match key {
            Some(key) => mask::copy_masked(payload, key, 0, &mut self.queue),
            None => self.queue.extend_from_slice(payload),
        }
    }

    /// Queues a header and counts the payload that belongs behind it.
    fn push_header(&mut self, fin: bool, rsv1: bool, opcode: Opcode, key: Option<MaskingKey>, length: usize) {
        let before = self.queue.len();
        let payload_length = length as u64;
        FrameHeader { fin, rsv1, opcode, masking_key: key, payload_length }.encode(&mut self.queue);
        self.queued_total += (self.queue.len() - before + length) as u64;
    }

    /// The opcode of the next data frame.
    pub(super) fn next_opcode(&mut self, binary: bool, fin: bool) -> Opcode {
        let opcode = match (self.fragmented, binary) {
            (true, _) => Opcode::Continuation,
            (false, true) => Opcode::Binary,
            (false, false) => Opcode::Text,
        };
        self.fragmented = !fin;
        opcode
    }
}

/// Commands append to the output and never fail: what must not be sent in the present state the caller
/// does not command. `key`: the masking key, which a client must give and a server must not (RFC 6455
/// section 5.1); it is the caller's choice because ws leaves it to its users. An all-zero key is sent as
/// it is.
impl Connection {
    /// Queues a message or a fragment of one. `fin: false` begins or continues a fragmented message,
    /// whose first fragment alone decides what `binary` is. Not compressed; on a connection with permessage-deflate, use
    /// [`send_compressed`](Self::send_compressed).
    pub fn send(&mut self, binary: bool, fin: bool, key: Option<MaskingKey>, payload: &[u8]) {
        let opcode = self.outbound.next_opcode(binary, fin);
        self.outbound.push_frame(fin, false, opcode, key, payload);
    }

    /// As [`send`](Self::send) without a key, for a payload that the caller writes from where it is: only the header is
    /// queued. The caller must write the output up to here, and then `length` bytes of payload, before anything else.
    pub fn send_header(&mut self, binary: bool, fin: bool, length: usize) {
        let opcode = self.outbound.next_opcode(binary, fin);
        self.outbound.push_header(fin, false, opcode, None, length);
    }

    /// Queues a ping. `payload` has 125 bytes at most; what is beyond is cut off.
    pub fn ping(&mut self, key: Option<MaskingKey>, payload: &[u8]) {
        self.outbound.push_control(Opcode::Ping, key, payload);
    }

    /// Queues a pong that the user asked for. `payload` as with [`ping`](Self::ping).
    pub fn pong(&mut self, key: Option<MaskingKey>, payload: &[u8]) {
        self.outbound.push_control(Opcode::Pong, key, payload);
    }

    /// Queues bytes that are framed already.
    pub fn write_raw(&mut self, bytes: &[u8]) {
        self.outbound.queue.extend_from_slice(bytes);
        self.outbound.queued_total += bytes.len() as u64;
    }

    /// Puts bytes back that were taken to be sent and were not, in front of what has been queued since.
    pub fn requeue_output(&mut self, unsent: &[u8]) {
        self.outbound.queue.splice(0..0, unsent.iter().copied());
    }

    /// `bytes` more bytes of the output were accepted by the kernel or the stream, in the order in which
    /// they were queued.
    pub fn mark_written(&mut self, bytes: u64) {
        let outbound = &mut self.outbound;
        outbound.written_total += bytes;
        outbound.pongs.written(outbound.written_total);
    }

    /// What is queued and not yet taken.
    pub fn output(&self) -> &[u8] {
        &self.outbound.queue
    }

    /// Swaps the queued bytes into `spare`. What `spare` held is dropped, its memory becomes the next
    /// queue (up to 64 KiB of it). Give an empty `Vec` to leave an idle connection without memory.
    pub fn take_output(&mut self, spare: &mut Vec<u8>) {
        spare.clear();
        spare.shrink_to(KEPT_CAPACITY);
        std::mem::swap(spare, &mut self.outbound.queue);
    }

    /// Whether nothing is to be sent: no output, and no rest of a message or of a closing handshake.
    pub(super) fn is_done_sending(&self) -> bool {
        let outbound = &self.outbound;
        outbound.queued_total == outbound.written_total && !outbound.fragmented && !outbound.closing
    }

    /// Goes on counting where another connection has stopped.
    pub(super) fn count_from(&mut self, total: u64) {
        (self.outbound.queued_total, self.outbound.written_total) = (total, total);
    }

    /// Bytes queued since the connection began.
    pub fn queued_total(&self) -> u64 {
        self.outbound.queued_total
    }

    /// Bytes reported as [`written`](Self::mark_written) since the connection began.
    pub fn written_total(&self) -> u64 {
        self.outbound.written_total
    }

    /// Bytes queued and not yet written, whether taken or not.
    pub fn pending(&self) -> u64 {
        self.outbound.queued_total.saturating_sub(self.outbound.written_total)
    }
}
