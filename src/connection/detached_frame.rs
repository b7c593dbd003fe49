//! Large frames detached from the connection: the transport reads their payload directly into the
//! message's final memory. A frame is detached once part of its payload has arrived, and is either
//! finished there or reattached to be parsed normally.

use super::receive::{Context, Inbound, MIN_IN_PLACE};
use super::{Config, EventBatch};
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
const _: () = assert!(MIN_DETACHED >= MIN_IN_PLACE as u64 && MAX_DETACHED <= u32::MAX as u64);

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

impl Inbound {
    /// See [`Connection::detach_frame`](super::Connection::detach_frame).
    pub(super) fn detach_frame(&mut self, config: &Config) -> Option<(DetachedFrame, Vec<u8>)> {
        let (header, received) = self.frame.as_ref()?;
        let is_message = header.fin && !header.rsv1 && matches!(header.opcode, Opcode::Text | Opcode::Binary);
        let is_large = (MIN_DETACHED..=MAX_DETACHED).contains(&header.payload_length);
        if !is_message || !is_large || *received < header.payload_length / MIN_RECEIVED_SHARE {
            return None;
        }
        let (header, _) = self.frame.take()?;
        let validate = header.opcode == Opcode::Text && !config.skip_utf8_validation;
        let payload = self.message.take_data();
        self.message.reset();
        let mut utf8 = validate.then(Utf8Validator::default);
        if let Some(utf8) = &mut utf8 {
            utf8.feed(&payload);
        }
        Some((DetachedFrame { header, received: payload.len(), utf8 }, payload))
    }

    /// See [`Connection::receive_detached`](super::Connection::receive_detached).
    pub(super) fn receive_detached(
        &mut self,
        frame: &mut DetachedFrame,
        payload: &mut [u8],
        config: &Config,
    ) -> bool {
        let fits = self.chunks.check_limit(&config.limits).is_ok();
        self.chunks.record(false, true);
        fits && frame.accept(payload)
    }

    /// See [`Connection::finish_detached`](super::Connection::finish_detached).
    pub(super) fn finish_detached(&mut self, frame: DetachedFrame, events: &mut EventBatch) {
        debug_assert_eq!(frame.received, frame.length(), "an incomplete frame must be reattached");
        self.chunks.record(true, false);
        let binary = frame.header.opcode == Opcode::Binary;
        if frame.utf8.is_none_or(|mut utf8| utf8.finish()) {
            events.push_in_chunk(binary, 0, frame.received);
        } else {
            self.fail(ProtocolError::InvalidUtf8, events);
        }
    }

    /// See [`Connection::reattach_frame`](super::Connection::reattach_frame).
    pub(super) fn reattach_frame(
        &mut self,
        frame: &DetachedFrame,
        payload: &[u8],
        context: &mut Context<'_>,
        events: &mut EventBatch,
    ) {
        let (received, chunk) = payload.split_at(frame.received.min(payload.len()));
        debug_assert!(self.frame.is_none(), "nothing may be received while a frame is detached");
        self.begin_frame(&frame.header, context.config);
        match self.message.push(received, None, 0) {
            Ok(()) => {
                self.frame = Some((frame.header, received.len() as u64));
                // Bytes after the last `receive_detached`, still masked.
                self.receive(chunk, context, events);
            }
            Err(error) => self.fail(error, events),
        }
    }
}
