//! The sending half of permessage-deflate (RFC 7692 section 7.2.1): which messages are compressed, and what they may refer to.
//! How, is `protocol::deflate`'s.

use std::sync::Arc;

use super::{Connection, Trimmed};
use crate::protocol::deflate::{
    Broadcast, EMPTY_FRAGMENT, EMPTY_MESSAGE, History, OutgoingParams, PermessageDeflate, Receiver,
    strip_trailer,
};
use crate::protocol::{MaskingKey, Opcode};

/// What the sending half keeps.
#[derive(Debug)]
pub(super) struct Deflating {
    negotiated: Arc<PermessageDeflate>,
    /// The end of what was sent. May be forgotten at any time: then the next payload refers to nothing.
    history: History,
    /// Whether it was added to since the last [`Deflating::trim_memory`].
    used: bool,
    /// Whether the message that has begun is compressed.
    compressing: bool,
    receiver: Receiver,
}

impl Deflating {
    pub(super) fn new(negotiated: &Arc<PermessageDeflate>) -> Self {
        Self {
            negotiated: Arc::clone(negotiated),
            history: History::new(negotiated.params.outgoing.dictionary.as_ref()),
            used: false,
            compressing: false,
            receiver: Receiver::default(),
        }
    }

    fn outgoing(&self) -> &OutgoingParams {
        &self.negotiated.params.outgoing
    }

    /// Whether a message is compressed whose first frame has `length` bytes, if its sender wants it. Small ones are not worth
    /// it unless they can refer to others.
    fn is_worth_it(&self, length: usize) -> bool {
        let outgoing = self.outgoing();
        outgoing.context_takeover || length as u64 >= outgoing.threshold
    }

    /// A frame has been sent, of which nothing is remembered.
    fn forget(&mut self, fin: bool) {
        let starts_anew = fin && !self.outgoing().context_takeover;
        let known = self.outgoing().dictionary.as_ref().filter(|_| starts_anew);
        self.history = History::new(known);
    }

    /// A frame with this payload has been sent.
    fn remember(&mut self, fin: bool, payload: &[u8]) {
        if fin && !self.outgoing().context_takeover {
            self.forget(fin);
        } else {
            let size = self.outgoing().history_for(payload.len());
            self.history.push(payload, size);
            self.used = true;
        }
    }

    /// Whether nothing is remembered. What the peer still has of a dictionary is not known once anything was sent.
    pub(super) fn is_as_new(&self) -> bool {
        let outgoing = self.outgoing();
        !self.used
            && (!outgoing.context_takeover || (outgoing.dictionary.is_none() && self.history.is_empty()))
    }

    /// Gives memory back if nothing was sent since the last time.
    pub(super) fn trim_memory(&mut self) -> Trimmed {
        let used = std::mem::take(&mut self.used);
        // Without takeover there is a dictionary at most.
        let is_over = !used && self.outgoing().context_takeover;
        Trimmed { freed: if is_over { self.history.compact(0) } else { 0 }, may_free_more: used }
    }
}

impl Connection {
    /// As [`send`](Self::send), but compressed if `wanted` and if the settings say that it is worth it. The first fragment of
    /// a message decides for all. `broadcast` is that of the thread that sends.
    pub fn send_compressed(
        &mut self,
        binary: bool,
        fin: bool,
        key: Option<MaskingKey>,
        payload: &[u8],
        wanted: bool,
        broadcast: &mut Broadcast,
    ) {
        let deflates = self.decide_compression(wanted, payload.len());
        let is_whole = fin && !self.outbound.fragmented;
        let opcode = self.outbound.next_opcode(binary, fin);
        let Some((deflating, _)) = self.extension.as_deref_mut().filter(|_| deflates) else {
            self.outbound.push_frame(fin, false, opcode, key, payload);
            return;
        };
        let rsv1 = opcode != Opcode::Continuation;
        if payload.is_empty() {
            let empty = if fin { EMPTY_MESSAGE } else { EMPTY_FRAGMENT };
            self.outbound.push_frame(fin, rsv1, opcode, key, empty);
            deflating.remember(fin, payload);
            return;
        }
        let PermessageDeflate { params, pool } = &*deflating.negotiated;
        let (outgoing, receiver) = (&params.outgoing, &mut deflating.receiver);
        let shared = if is_whole {
            broadcast.share(pool, outgoing, payload, receiver)
        } else {
            receiver.leave();
            None
        };
        if let Some(compressed) = shared {
            let compressed = strip_trailer(compressed, fin);
            self.outbound.push_frame(fin, rsv1, opcode, key, compressed);
        } else {
            let mut compressor = pool.take_compressor(outgoing);
            let history = deflating.history.last(outgoing.history_for(payload.len()));
            let compressed = strip_trailer(compressor.compress(history, payload), fin);
            self.outbound.push_frame(fin, rsv1, opcode, key, compressed);
            pool.put_compressor(compressor);
        }
        deflating.remember(fin, payload);
    }

    /// Whether [`send_compressed`](Self::send_compressed) would compress a payload of `length` bytes. If it begins a message, that
    /// is decided now.
    pub fn decide_compression(&mut self, wanted: bool, length: usize) -> bool {
        let begins = !self.outbound.fragmented;
        let Some((deflating, _)) = self.extension.as_deref_mut() else { return false };
        if begins {
            deflating.compressing = wanted && deflating.is_worth_it(length);
        }
        deflating.compressing
    }

    /// How payloads are to be compressed for [`send_precompressed`](Self::send_precompressed); `None` without permessage-deflate.
    pub fn outgoing_params(&self) -> Option<&OutgoingParams> {
        self.extension.as_deref().map(|(deflating, _)| deflating.outgoing())
    }

    /// Queues a payload that [`Self::decide_compression`] selected for compression and that
    /// [`compress_standalone`](crate::protocol::deflate::compress_standalone) has.
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
        if let Some((deflating, _)) = self.extension.as_deref_mut() {
            deflating.receiver.leave();
            deflating.forget(fin);
        }
    }
}
