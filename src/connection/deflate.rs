//! Sending half of permessage-deflate (RFC 7692 section 7.2.1): which messages are compressed and
//! how much history they may refer to. Compression itself is in `protocol::deflate`.

use std::sync::Arc;

use super::outbound::Outbound;
use crate::protocol::deflate::{
    Broadcast, BroadcastCursor, EMPTY_FRAGMENT, EMPTY_MESSAGE, History, OutgoingParams, PermessageDeflate,
    strip_trailer,
};
use crate::protocol::{MaskingKey, Opcode};

/// State of the sending half.
#[derive(Debug)]
pub(super) struct DeflateState {
    extension: Arc<PermessageDeflate>,
    /// End of the sent payloads. May be cleared at any time: the next payload then refers to
    /// nothing.
    history: History,
    /// True if the history grew since the last [`DeflateState::trim_memory`].
    was_used: bool,
    /// True if the current message is compressed.
    is_compressing: bool,
    broadcast_cursor: BroadcastCursor,
}

impl DeflateState {
    pub(super) fn new(extension: &Arc<PermessageDeflate>) -> Self {
        Self {
            extension: Arc::clone(extension),
            history: History::new(extension.params.outgoing.dictionary.as_ref()),
            was_used: false,
            is_compressing: false,
            broadcast_cursor: BroadcastCursor::default(),
        }
    }

    /// Parameters of compression.
    pub(super) fn outgoing(&self) -> &OutgoingParams {
        &self.extension.params.outgoing
    }

    /// True if a message whose first frame has `length` bytes is worth compressing: small ones are
    /// not, unless they can refer to earlier ones.
    fn should_compress(&self, length: usize) -> bool {
        let outgoing = self.outgoing();
        outgoing.context_takeover || length as u64 >= outgoing.threshold
    }

    /// Drops the history after a frame whose payload is not recorded.
    fn reset_history(&mut self, fin: bool) {
        let is_reset = fin && !self.outgoing().context_takeover;
        let known = self.outgoing().dictionary.as_ref().filter(|_| is_reset);
        self.history = History::new(known);
    }

    /// Drops the history and frees its memory.
    fn free_history(&mut self) {
        if let Some(memory) = self.history.compact(0) {
            self.extension.pool.free(memory);
        }
    }

    /// Records the payload of a sent frame.
    fn record_sent(&mut self, fin: bool, payload: &[u8]) {
        if fin && !self.outgoing().context_takeover {
            self.reset_history(fin);
        } else {
            let size = self.outgoing().history_for(payload.len());
            if let Some(memory) = self.history.push(payload, size) {
                self.extension.pool.free(memory);
            }
            self.was_used = true;
        }
    }

    /// True if no history is kept. After the first message, the part of a dictionary that is still
    /// in the peer's window is unknown.
    pub(super) fn is_pristine(&self) -> bool {
        let outgoing = self.outgoing();
        !self.was_used
            && (!outgoing.context_takeover || (outgoing.dictionary.is_none() && self.history.is_empty()))
    }

    /// Frees the history if nothing was sent since the last call. Returns true if a later call may free more.
    pub(super) fn trim_memory(&mut self) -> bool {
        let was_used = std::mem::take(&mut self.was_used);
        // Without context takeover the history is a dictionary or empty.
        let should_free = !was_used && self.outgoing().context_takeover;
        if should_free {
            self.free_history();
        }
        was_used
    }

    /// True if a payload of `length` bytes is compressed. `begins`: it is the first of its message, and decides for all.
    pub(super) fn decide(&mut self, begins: bool, compress: bool, length: usize) -> bool {
        if begins {
            self.is_compressing = compress && self.should_compress(length);
        }
        self.is_compressing
    }

    /// Queues a frame with the payload compressed. `is_whole`: it is all of its message.
    pub(super) fn push_frame(
        &mut self,
        outbound: &mut Outbound,
        (fin, opcode, key): (bool, Opcode, Option<MaskingKey>),
        payload: &[u8],
        is_whole: bool,
        broadcast: &mut Broadcast,
    ) {
        let rsv1 = opcode != Opcode::Continuation;
        if payload.is_empty() {
            let empty = if fin { EMPTY_MESSAGE } else { EMPTY_FRAGMENT };
            outbound.push_frame(fin, rsv1, opcode, key, empty);
            self.record_sent(fin, payload);
            return;
        }
        let PermessageDeflate { params, pool } = &*self.extension;
        let (outgoing, broadcast_cursor) = (&params.outgoing, &mut self.broadcast_cursor);
        let shared = if is_whole {
            broadcast.share(pool, outgoing, payload, broadcast_cursor)
        } else {
            broadcast_cursor.reset();
            None
        };
        if let Some(compressed) = shared {
            outbound.push_frame(fin, rsv1, opcode, key, strip_trailer(compressed, fin));
        } else {
            let mut compressor = pool.take_compressor(outgoing, payload.len());
            let history = self.history.last(outgoing.history_for(payload.len()));
            let compressed = strip_trailer(compressor.compress(history, payload), fin);
            outbound.push_frame(fin, rsv1, opcode, key, compressed);
            pool.put_compressor(compressor);
        }
        self.record_sent(fin, payload);
    }

    /// Notes a frame whose payload was compressed elsewhere, without a reference to earlier ones.
    pub(super) fn note_precompressed(&mut self, fin: bool) {
        self.broadcast_cursor.reset();
        self.reset_history(fin);
    }
}

impl Drop for DeflateState {
    fn drop(&mut self) {
        self.free_history();
    }
}
