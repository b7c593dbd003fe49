//! Large frames detached from the connection: the transport reads their payload directly into the
//! message's final memory. A frame is detached once part of its payload has arrived, and is either
//! finished there or reattached to be parsed normally.

use super::{Connection, EventBatch, MaskingKeys};
use crate::protocol::frame::mask;
use crate::protocol::{FrameHeader, Opcode, ProtocolError, Utf8Validator};

/// Smallest payload of a frame that can be detached, in bytes.
const MIN_DETACHED: u64 = 64 * 1024;
/// Largest one: memory for all of it is allocated at once.
const MAX_DETACHED: u64 = 16 * 1024 * 1024;
/// At least 1/32 of the payload must have arrived: a peer must not reserve memory by sending a
/// header alone.
const MIN_RECEIVED_SHARE: u64 = 32;

// A finished frame is a message in the chunk.
const _: () = assert!(MIN_DETACHED >= super::MIN_IN_PLACE as u64 && MAX_DETACHED <= u32::MAX as u64);

/// A frame whose payload is received outside the connection.
#[derive(Debug)]
pub struct DetachedFrame {
    header: FrameHeader,
    /// Payload bytes already passed to the connection, and so unmasked.
    received: usize,
    /// Present for text messages that must be UTF-8.
    utf8: Option<Utf8Validator>,
}

impl DetachedFrame {
    /// Payload length in bytes.
    pub fn length(&self) -> usize {
        self.header.payload_length as usize
    }

    /// Payload bytes received so far.
    pub fn received(&self) -> usize {
        self.received
    }

    /// Unmasks and validates the bytes appended to `payload` since the last call. False if the text
    /// is not UTF-8.
    fn accept(&mut self, payload: &mut [u8]) -> bool {
        let chunk = payload.get_mut(self.received..).unwrap_or_default();
        if let Some(key) = self.header.masking_key {
            mask::apply(chunk, key, self.received);
        }
        self.received += chunk.len();
        debug_assert!(self.received <= self.length());
        self.utf8.as_mut().is_none_or(|utf8| utf8.feed(chunk))
    }
}

impl Connection {
    /// Detaches the incomplete frame at the end of the last chunk, together with the payload
    /// received so far, if it is a whole message of a suitable size. Nothing else may be received
    /// before [`finish_detached`](Self::finish_detached) or
    /// [`reattach_frame`](Self::reattach_frame).
    pub fn detach_frame(&mut self) -> Option<(DetachedFrame, Vec<u8>)> {
        let (header, received) = self.inbound.frame.as_ref()?;
        let is_message = header.fin && !header.rsv1 && matches!(header.opcode, Opcode::Text | Opcode::Binary);
        let is_large = (MIN_DETACHED..=MAX_DETACHED).contains(&header.payload_length);
        if !is_message || !is_large || *received < header.payload_length / MIN_RECEIVED_SHARE {
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

    /// Accounts for a chunk of a detached frame. `payload` is everything received so far; the chunk
    /// is its end. False if the frame must be [reattached](Self::reattach_frame) because the
    /// connection is about to fail: too many chunks
    /// ([`Limits::max_buffered_chunks`](crate::protocol::Limits::max_buffered_chunks)), or text
    /// that is not UTF-8.
    pub fn receive_detached(&mut self, frame: &mut DetachedFrame, payload: &mut [u8]) -> bool {
        let fits = self.inbound.chunks.check_limit(&self.config.limits).is_ok();
        self.inbound.chunks.record(false, true);
        fits && frame.accept(payload)
    }

    /// Finishes a detached frame whose whole payload was [received](Self::receive_detached). The
    /// payload stays in the caller's memory: the event is an [`InChunk`](super::EventRef::InChunk)
    /// at offset 0.
    pub fn finish_detached(&mut self, frame: DetachedFrame, events: &mut EventBatch) {
        debug_assert_eq!(frame.received, frame.length(), "an incomplete frame must be reattached");
        self.inbound.chunks.record(true, false);
        let binary = frame.header.opcode == Opcode::Binary;
        if frame.utf8.is_none_or(|mut utf8| utf8.finish()) {
            events.push_in_chunk(binary, 0, frame.received);
        } else {
            self.fail(ProtocolError::InvalidUtf8, events);
        }
    }

    /// Reattaches a detached frame that is incomplete or must fail. `payload` is everything
    /// received so far; parsing continues normally after it.
    pub fn reattach_frame(
        &mut self,
        frame: &DetachedFrame,
        payload: &[u8],
        keys: &mut dyn MaskingKeys,
        events: &mut EventBatch,
    ) {
        let (received, chunk) = payload.split_at(frame.received.min(payload.len()));
        debug_assert!(self.inbound.frame.is_none(), "nothing may be received while a frame is detached");
        self.begin_frame(&frame.header);
        match self.inbound.message.push(received, None, 0) {
            Ok(()) => {
                self.inbound.frame = Some((frame.header, received.len() as u64));
                // Bytes after the last `receive_detached`, still masked.
                self.receive(chunk, keys, events);
            }
            Err(error) => self.fail(error, events),
        }
    }
}
