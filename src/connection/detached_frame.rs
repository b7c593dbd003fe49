//! A large frame that is received by its transport, straight into the memory that its message will have. The connection
//! lends it out when its payload has begun, and takes it back whole, or, if something comes in between, as far as it is.

use super::{Connection, EventBatch, MaskingKeys};
use crate::protocol::frame::mask;
use crate::protocol::{FrameHeader, Opcode, ProtocolError, Utf8Validator};

/// Frames of this many bytes and more can be lent.
const LENT_FROM: u64 = 64 * 1024;
/// And not more: memory for the whole of it is made at once.
const LENT_UP_TO: u64 = 16 * 1024 * 1024;
/// This part of it must have come: a peer must send something for the memory that it makes this end reserve.
const BEGUN: u64 = 32;

/// A frame that is out on loan.
#[derive(Debug)]
pub struct DetachedFrame {
    header: FrameHeader,
    /// How much of the payload the connection has seen: it is unmasked.
    received: usize,
    /// Of a text that must be UTF-8.
    utf8: Option<Utf8Validator>,
}

impl DetachedFrame {
    /// Bytes of payload in all.
    pub fn length(&self) -> usize {
        self.header.payload_length as usize
    }

    /// Bytes of payload that have come.
    pub fn received(&self) -> usize {
        self.received
    }

    /// Takes what of the payload came since the last time. `false`: the text is not UTF-8.
    fn take_in(&mut self, payload: &mut [u8]) -> bool {
        let chunk = payload.get_mut(self.received..).unwrap_or_default();
        if let Some(key) = self.header.masking_key {
            mask::apply(chunk, key, self.received);
        }
        self.received += chunk.len();
        self.utf8.as_mut().is_none_or(|utf8| utf8.feed(chunk))
    }
}

impl Connection {
    /// Lends the frame whose payload has begun in the last chunk, if it is a whole message, and large; with the bytes of
    /// payload that have come, which are its first ones. Until it is returned, nothing else may be received.
    pub fn detach_frame(&mut self) -> Option<(DetachedFrame, Vec<u8>)> {
        let (header, received) = self.inbound.frame.as_ref()?;
        let is_message = header.fin && !header.rsv1 && matches!(header.opcode, Opcode::Text | Opcode::Binary);
        let is_large = (LENT_FROM..=LENT_UP_TO).contains(&header.payload_length);
        if !is_message || !is_large || *received < header.payload_length / BEGUN {
            return None;
        }
        let (header, _) = self.inbound.frame.take()?;
        let validate = header.opcode == Opcode::Text && !self.config.skip_utf8_validation;
        let payload = self.inbound.message.take_data();
        self.inbound.message.reset();
        let mut utf8 = validate.then(Utf8Validator::default);
        if let Some(utf8) = &mut utf8 {
            utf8.feed(&payload);
        }
        Some((DetachedFrame { header, received: payload.len(), utf8 }, payload))
    }

    /// Another chunk of a lent frame has come, at the end of `payload`, which is all that has. `false`: it must be given back
    /// unfinished, for the connection is to fail: those are too many chunks
    /// ([`Limits::max_buffered_chunks`](crate::protocol::Limits::max_buffered_chunks)), or the text is not UTF-8.
    pub fn receive_detached(&mut self, frame: &mut DetachedFrame, payload: &mut [u8]) -> bool {
        let fits = self.inbound.chunks.check(&self.config.limits).is_ok();
        self.inbound.chunks.parsed(false, true);
        fits && frame.take_in(payload)
    }

    /// Takes a lent frame back, all of whose payload was [received](Self::receive_detached). The message stays where that is, as an
    /// [`InChunk`](super::EventRef::InChunk) that begins with its first byte.
    pub fn finish_detached(&mut self, frame: DetachedFrame, events: &mut EventBatch) {
        self.inbound.chunks.parsed(true, false);
        let binary = frame.header.opcode == Opcode::Binary;
        if frame.utf8.is_none_or(|mut utf8| utf8.finish()) {
            events.push_in_chunk(binary, 0, frame.received);
        } else {
            self.fail(ProtocolError::InvalidUtf8, events);
        }
    }

    /// Takes a lent frame back of which `payload`, not all of it, has come so far, or with which the connection is to fail. The
    /// rest is received as ever.
    pub fn reattach_frame(
        &mut self,
        frame: &DetachedFrame,
        payload: &[u8],
        keys: &mut dyn MaskingKeys,
        events: &mut EventBatch,
    ) {
        let (received, chunk) = payload.split_at(frame.received.min(payload.len()));
        self.begin_frame(&frame.header);
        match self.inbound.message.push(received, None, 0) {
            Ok(()) => {
                self.inbound.frame = Some((frame.header, received.len() as u64));
                // What was not taken in.
                self.receive(chunk, keys, events);
            }
            Err(error) => self.fail(error, events),
        }
    }
}
