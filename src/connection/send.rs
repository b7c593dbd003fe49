//! Commands and output of a connection. Called by `transport` and `addon`. Checks no ready state and makes no masking keys:
//! the callers do.

use super::close::encode_close;
use super::deflate::DeflateState;
use super::{Connection, HEARTBEAT_PAYLOAD, Output};
use crate::protocol::deflate::{Broadcast, OutgoingParams, strip_trailer};
use crate::protocol::frame::MAX_CONTROL_PAYLOAD;
use crate::protocol::{MaskingKey, Opcode};

/// Capacity of a taken output buffer kept for the next bytes.
const KEPT_CAPACITY: usize = 64 * 1024;

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

    /// Like [`send`](Self::send) without a key, but queues only the header. The caller must take the
    /// output and add the payload to its end.
    pub fn send_header(&mut self, binary: bool, fin: bool, length: usize) {
        let opcode = self.outbound.next_opcode(binary, fin);
        self.outbound.push_header(fin, false, opcode, None, length);
    }

    /// Like [`send`](Self::send) without a key, but the payload stays in memory of the caller, as an
    /// external segment of the [output](Output).
    pub fn send_external(&mut self, binary: bool, fin: bool, length: usize) {
        self.send_header(binary, fin, length);
        self.outbound.queue.push_external(length);
    }

    /// Like [`send`](Self::send), but compressed if `compress` is set and the parameters allow it.
    /// The first fragment decides for the whole message. `broadcast` is shared by the connections
    /// of the calling thread.
    pub fn send_compressed(
        &mut self,
        binary: bool,
        fin: bool,
        key: Option<MaskingKey>,
        payload: &[u8],
        compress: bool,
        broadcast: &mut Broadcast,
    ) {
        let deflates = self.decide_compression(compress, payload.len());
        let is_whole = fin && !self.outbound.is_fragmented;
        let opcode = self.outbound.next_opcode(binary, fin);
        match self.deflate.as_deref_mut().filter(|_| deflates) {
            Some(deflate) => {
                deflate.push_frame(&mut self.outbound, (fin, opcode, key), payload, is_whole, broadcast);
            }
            None => self.outbound.push_frame(fin, false, opcode, key, payload),
        }
    }

    /// True if [`send_compressed`](Self::send_compressed) would compress a payload of `length`
    /// bytes. Decides for the whole message if called before its first fragment.
    pub fn decide_compression(&mut self, compress: bool, length: usize) -> bool {
        let begins = !self.outbound.is_fragmented;
        self.deflate.as_deref_mut().is_some_and(|deflate| deflate.decide(begins, compress, length))
    }

    /// Parameters for compressing payloads of [`send_precompressed`](Self::send_precompressed).
    /// `None` without permessage-deflate.
    pub fn outgoing_params(&self) -> Option<&OutgoingParams> {
        self.deflate.as_deref().map(DeflateState::outgoing)
    }

    /// Queues a payload compressed by
    /// [`compress_standalone`](crate::protocol::deflate::compress_standalone), after
    /// [`decide_compression`](Self::decide_compression) returned true.
    pub fn send_precompressed(
        &mut self,
        binary: bool,
        fin: bool,
        key: Option<MaskingKey>,
        compressed: &[u8],
    ) {
        let opcode = self.outbound.next_opcode(binary, fin);
        let rsv1 = opcode != Opcode::Continuation;
        self.outbound.push_frame(fin, rsv1, opcode, key, strip_trailer(compressed, fin));
        if let Some(deflate) = &mut self.deflate {
            deflate.note_precompressed(fin);
        }
    }

    /// Queues a close frame; pings are not answered from then on. Without `code` the frame is empty
    /// and `reason` is ignored. `reason` is truncated to 123 bytes.
    pub fn close(&mut self, code: Option<u16>, reason: &[u8], key: Option<MaskingKey>) {
        let mut buffer = [0; MAX_CONTROL_PAYLOAD];
        self.outbound.push_close(key, encode_close(code, reason, &mut buffer));
    }

    /// Queues a ping. `payload` is truncated to 125 bytes.
    pub fn ping(&mut self, key: Option<MaskingKey>, payload: &[u8]) {
        self.outbound.push_control(Opcode::Ping, key, payload);
    }

    /// Queues an automatic ping, unless the closing handshake has begun. Its pong makes no event if the configuration has
    /// [a heartbeat](super::TimeLimits::has_heartbeat).
    pub fn ping_automatically(&mut self, key: Option<MaskingKey>) {
        if !self.is_closing() {
            self.ping(key, HEARTBEAT_PAYLOAD);
        }
    }

    /// True once a close frame was queued: no other frame may follow.
    pub fn is_closing(&self) -> bool {
        self.outbound.is_closing()
    }

    /// Queues a pong on behalf of the user. `payload` is truncated to 125 bytes.
    pub fn pong(&mut self, key: Option<MaskingKey>, payload: &[u8]) {
        self.outbound.push_control(Opcode::Pong, key, payload);
    }

    /// Queues bytes that are already framed.
    pub fn write_raw(&mut self, bytes: &[u8]) {
        self.outbound.push_raw(bytes);
    }

    /// Puts unsent bytes back in front of the output queued since they were taken. Neither may have
    /// external segments.
    pub fn requeue_output(&mut self, unsent: &[u8]) {
        self.outbound.queue.prepend(unsent);
    }

    /// Records that `bytes` more bytes of the output were accepted by the kernel or the stream, in
    /// queue order.
    pub fn mark_written(&mut self, bytes: u64) {
        self.outbound.mark_written(bytes);
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
        let queue = &mut self.outbound.queue;
        if queue.is_empty() {
            queue.release(taken);
            return false;
        }
        taken.clear();
        std::mem::swap(queue, taken);
        true
    }

    /// Bytes queued since the connection began.
    pub fn queued_total(&self) -> u64 {
        self.outbound.queued_total()
    }

    /// Bytes [reported as written](Self::mark_written) since the connection began.
    pub fn written_total(&self) -> u64 {
        self.outbound.written_total()
    }

    /// Bytes queued and not yet written, taken or not.
    pub fn pending(&self) -> u64 {
        self.queued_total().saturating_sub(self.written_total())
    }
}
