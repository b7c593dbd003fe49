//! A large frame that is received by its transport, straight into the memory that its message will have. The connection
//! lends it out when its payload has begun, and takes it back whole, or, if something comes in between, as far as it is.

use super::{Connection, EventBatch};
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
pub struct LentFrame {
    header: FrameHeader,
    /// How much of the payload was unmasked before.
    unmasked: usize,
}

impl LentFrame {
    /// Bytes of payload in all.
    pub fn length(&self) -> usize {
        self.header.payload_length as usize
    }

    /// Unmasks what of the payload came while it was lent.
    fn unmask(&self, payload: &mut [u8]) {
        if let (Some(key), Some(rest)) = (self.header.masking_key, payload.get_mut(self.unmasked..)) {
            mask::apply(rest, key, self.unmasked);
        }
    }
}

impl Connection {
    /// Lends the frame whose payload has begun in the last chunk, if it is a whole message, and large; with the bytes of
    /// payload that have come, which are its first ones. Until it is returned, nothing else may be received.
    pub fn lend_frame(&mut self) -> Option<(LentFrame, Vec<u8>)> {
        let (header, received) = self.inbound.frame.as_ref()?;
        let is_message = header.fin && !header.rsv1 && matches!(header.opcode, Opcode::Text | Opcode::Binary);
        let is_large = (LENT_FROM..=LENT_UP_TO).contains(&header.payload_length);
        if !is_message || !is_large || *received < header.payload_length / BEGUN {
            return None;
        }
        let (header, _) = self.inbound.frame.take()?;
        let payload = self.inbound.message.take_data();
        self.inbound.message.reset();
        Some((LentFrame { header, unmasked: payload.len() }, payload))
    }

    /// Another chunk of a lent frame has come. `false`: it must be returned as it is, for that are too many
    /// ([`Limits::max_buffered_chunks`](crate::protocol::Limits::max_buffered_chunks)).
    pub fn count_lent_chunk(&mut self) -> bool {
        let fits = self.inbound.chunks.check(&self.config.limits).is_ok();
        self.inbound.chunks.parsed(false, true);
        fits
    }

    /// Takes a lent frame back, all of its payload being there. The message stays in `payload`, unmasked there, as an
    /// [`InChunk`](super::EventRef::InChunk) that begins with its first byte.
    pub fn return_frame(&mut self, frame: &LentFrame, payload: &mut [u8], events: &mut EventBatch) {
        frame.unmask(payload);
        self.inbound.chunks.parsed(true, false);
        let binary = frame.header.opcode == Opcode::Binary;
        if !binary && !self.config.skip_utf8_validation && !Utf8Validator::is_valid(payload) {
            self.fail(ProtocolError::InvalidUtf8, events);
        } else {
            events.push_in_chunk(binary, 0, payload.len());
        }
    }

    /// Takes a lent frame back of which `payload` has come so far. The rest is received as ever.
    pub fn return_unfinished(&mut self, frame: &LentFrame, payload: &mut [u8]) {
        frame.unmask(payload);
        let LentFrame { header, .. } = *frame;
        self.begin_frame(&header);
        self.inbound.message.push(payload, None, 0);
        self.inbound.frame = Some((header, payload.len() as u64));
    }
}
