//! Receiving half: input chunks to events.
//!
//! Frames that are complete in a chunk go directly into the batch; others are collected.

use super::close::parse_close;
use super::pong::PongOutcome;
use super::{Connection, EventBatch, LARGE_MESSAGE, MaskingKeys};
use crate::protocol::frame::{FrameRules, HeaderReader, mask};
use crate::protocol::{
    FrameHeader, Limits, MaskingKey, MessageAssembler, Opcode, ProtocolError, Utf8Validator,
};

/// Smallest message left in a chunk that is received in place, in bytes. Copying a smaller one
/// costs nothing measurable.
pub const MIN_IN_PLACE: usize = 4 * 1024;

/// State of the receiving half between two chunks.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    header: HeaderReader,
    /// Header of the incomplete frame, and the payload bytes received so far.
    pub(super) frame: Option<(FrameHeader, u64)>,
    pub(super) message: MessageAssembler,
    /// Payload of a control frame, unmasked.
    control: Vec<u8>,
    pub(super) chunks: ChunkCounter,
    stopped: Option<StopReason>,
}

/// Reason why input is no longer parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StopReason {
    /// A close frame or a protocol error. Takes effect immediately.
    Closed,
    /// Too many unwritten automatic pongs. Takes effect with the next chunk.
    Flooded,
}

/// Number of chunks that ws would buffer: it keeps chunks until the current field of a frame is
/// complete (first two bytes, extended length, key, payload).
#[derive(Debug, Default)]
pub(super) struct ChunkCounter {
    count: u32,
}

impl ChunkCounter {
    pub(super) fn check_limit(&self, limits: &Limits) -> Result<(), ProtocolError> {
        if limits.max_buffered_chunks > 0 && self.count >= limits.max_buffered_chunks {
            return Err(ProtocolError::TooManyBufferedChunks);
        }
        Ok(())
    }

    /// Counts a parsed chunk. `completed`: it completed a field; `has_remainder`: it ended with
    /// bytes of the next field.
    pub(super) fn record(&mut self, completed: bool, has_remainder: bool) {
        self.count = if completed { u32::from(has_remainder) } else { self.count.saturating_add(1) };
    }
}

impl Inbound {
    pub(super) fn is_open(&self) -> bool {
        self.stopped.is_none()
    }
}

impl Connection {
    /// Parses `chunk`, split anywhere, and appends the completed events to `events`. Automatic
    /// pongs are queued before their [`Ping`](super::EventRef::Ping) is appended.
    ///
    /// Input after a [`Close`](super::EventRef::Close) or [`Failed`](super::EventRef::Failed) event
    /// is ignored; after [`Flooded`](super::EventRef::Flooded), every further chunk is.
    pub fn receive(&mut self, chunk: &[u8], keys: &mut dyn MaskingKeys, events: &mut EventBatch) {
        if !self.is_receiving() || chunk.is_empty() || self.hold_input(chunk) {
            return;
        }
        events.compact();
        let checked = self.inbound.chunks.check_limit(&self.config.limits);
        if let Err(error) = checked.and_then(|()| self.parse(chunk, keys, events)) {
            self.fail(error, events);
        }
    }

    /// Parses input held while a frame was offloaded. Also parses the remainder of a chunk in which
    /// a pong flood began.
    pub(super) fn receive_held(&mut self, input: &[u8], keys: &mut dyn MaskingKeys, events: &mut EventBatch) {
        events.compact();
        if !input.is_empty()
            && let Err(error) = self.parse(input, keys, events)
        {
            self.fail(error, events);
        }
    }

    /// Reports a protocol error and stops parsing.
    pub(super) fn fail(&mut self, error: ProtocolError, events: &mut EventBatch) {
        self.inbound.stopped = Some(StopReason::Closed);
        events.push_failed(error);
    }

    /// Like [`receive`](Self::receive), but complete messages of [`MIN_IN_PLACE`] bytes and more
    /// stay in `chunk`, unmasked: see [`EventRef::InChunk`](super::EventRef::InChunk). They must be
    /// delivered or [copied out](EventBatch::copy_out_chunk) before the next call.
    pub fn receive_in_place(
        &mut self,
        chunk: &mut [u8],
        keys: &mut dyn MaskingKeys,
        events: &mut EventBatch,
    ) {
        let mut done = 0;
        let can_parse = self.is_receiving() && !self.is_inflating();
        if can_parse && self.inbound.chunks.check_limit(&self.config.limits).is_ok() {
            while let Some(length) = self.take_message_in_place(&mut chunk[done..], done, events) {
                done += length;
                self.inbound.chunks.record(true, false);
            }
        }
        // Everything else, errors included.
        self.receive(&chunk[done..], keys, events);
    }

    /// Takes a message from the front of `input`, at `offset` in its chunk, and returns its length.
    /// `None` if `input` must be parsed normally.
    fn take_message_in_place(
        &mut self,
        input: &mut [u8],
        offset: usize,
        events: &mut EventBatch,
    ) -> Option<usize> {
        if !self.is_between_frames() {
            return None;
        }
        let (header, start) = FrameHeader::parse(input, &self.frame_rules()).ok()??;
        let binary = header.opcode == Opcode::Binary;
        let is_message = header.fin && !header.rsv1 && (binary || header.opcode == Opcode::Text);
        let length = usize::try_from(header.payload_length).ok()?;
        if !is_message || length < MIN_IN_PLACE {
            return None;
        }
        let payload = input.get_mut(start..start.checked_add(length)?)?;
        let key = header.masking_key.unwrap_or(MaskingKey([0; 4]));
        mask::apply(payload, key, 0);
        if !binary && !self.config.skip_utf8_validation && !Utf8Validator::is_valid(payload) {
            // Masks the payload again: the normal path reports the error.
            mask::apply(payload, key, 0);
            return None;
        }
        events.push_in_chunk(binary, offset + start, length);
        Some(start + length)
    }

    /// True if the last chunk ended at a frame boundary.
    pub fn is_between_frames(&self) -> bool {
        self.inbound.frame.is_none() && self.inbound.header.buffered() == (0, 0)
    }

    /// True if no byte of the next message or of a control frame has been received and more input
    /// is accepted.
    pub(super) fn is_between_messages(&self) -> bool {
        // The first chunk of a detached frame counts.
        let has_begun = self.inbound.chunks.count > 0 || !self.inbound.message.is_first_frame();
        self.is_receiving() && self.is_between_frames() && !has_begun
    }

    fn parse(
        &mut self,
        mut input: &[u8],
        keys: &mut dyn MaskingKeys,
        events: &mut EventBatch,
    ) -> Result<(), ProtocolError> {
        debug_assert!(!self.is_inflating(), "input behind an offloaded frame must be held");
        let (fields_before, _) = self.inbound.header.buffered();
        let mut completed = false;
        while self.inbound.stopped != Some(StopReason::Closed) {
            let (header, received) = if let Some(frame) = self.inbound.frame.take() {
                frame
            } else {
                let Some(header) = self.inbound.header.read(&mut input, &self.frame_rules())? else {
                    let (fields, rest) = self.inbound.header.buffered();
                    self.inbound.chunks.record(completed || fields > fields_before, rest > 0);
                    return Ok(());
                };
                completed = true;
                if self.receive_whole_message(&header, &mut input, events)? {
                    continue;
                }
                self.begin_frame(&header);
                (header, 0)
            };

            let missing = header.payload_length - received;
            let length = usize::try_from(missing).map_or(input.len(), |missing| missing.min(input.len()));
            let (payload, rest) = input.split_at(length);
            self.receive_payload(&header, payload, received)?;
            input = rest;
            let received = received + length as u64;
            if received < header.payload_length {
                self.inbound.frame = Some((header, received));
                self.inbound.chunks.record(completed, received > 0);
                return Ok(());
            }
            completed = true;
            if header.opcode.is_control() {
                self.end_control_frame(header.opcode, keys, events)?;
            } else if self.is_compressed() {
                self.inflate_frame(events);
                if self.hold_input(input) {
                    break;
                }
            } else {
                self.end_data_frame(events)?;
            }
        }
        self.inbound.chunks.record(true, false);
        Ok(())
    }

    fn frame_rules(&self) -> FrameRules {
        FrameRules {
            role: self.config.role,
            rsv1_allowed: self.extension.is_some(),
            fragmented: self.inbound.message.is_fragmented(),
            message_length: self.inbound.message.declared_length(),
            max_payload: self.config.limits.max_payload,
        }
    }

    /// Fast path for an unfragmented message that is complete in the input: goes into the batch
    /// without being collected. Returns false for any other frame. Needs no fragment check: every
    /// limit allows one frame.
    fn receive_whole_message(
        &self,
        header: &FrameHeader,
        input: &mut &[u8],
        events: &mut EventBatch,
    ) -> Result<bool, ProtocolError> {
        let binary = header.opcode == Opcode::Binary;
        if !header.fin || header.rsv1 || !(binary || header.opcode == Opcode::Text) {
            return Ok(false);
        }
        let Ok(length) = usize::try_from(header.payload_length) else { return Ok(false) };
        let Some((payload, rest)) = input.split_at_checked(length) else { return Ok(false) };
        let validate = !binary && !self.config.skip_utf8_validation;
        events.push_frame(binary, payload, header.masking_key, validate)?;
        *input = rest;
        Ok(true)
    }

    pub(super) fn begin_frame(&mut self, header: &FrameHeader) {
        if header.opcode.is_control() {
            self.inbound.control = Vec::new();
        } else {
            self.inbound.message.begin_frame(header, !self.config.skip_utf8_validation);
            self.begin_data_frame(header);
        }
    }

    fn receive_payload(
        &mut self,
        header: &FrameHeader,
        payload: &[u8],
        received: u64,
    ) -> Result<(), ProtocolError> {
        // Masking depends only on the offset modulo 4.
        let offset = (received % 4) as usize;
        let collected = if header.opcode.is_control() {
            &mut self.inbound.control
        } else if let Some(compressed) = self.compressed_payload_mut() {
            compressed
        } else {
            return self.inbound.message.push(payload, header.masking_key, offset);
        };
        match header.masking_key {
            Some(key) => mask::copy_masked(payload, key, offset, collected),
            None => collected.extend_from_slice(payload),
        }
        Ok(())
    }

    pub(super) fn end_data_frame(&mut self, events: &mut EventBatch) -> Result<(), ProtocolError> {
        let message = &mut self.inbound.message;
        if message.end_frame(self.config.limits.max_fragments)? {
            if message.data().len() >= LARGE_MESSAGE {
                let data = message.take_data();
                events.push_large(message.is_binary(), data, message.fragments());
            } else {
                events.push_small(message.is_binary(), message.data(), message.fragments());
            }
            message.reset();
            if self.extension.is_none() {
                // Most messages are complete in one chunk and need no memory here.
                message.release();
            }
        }
        Ok(())
    }

    fn end_control_frame(
        &mut self,
        opcode: Opcode,
        keys: &mut dyn MaskingKeys,
        events: &mut EventBatch,
    ) -> Result<(), ProtocolError> {
        // Control frames are rare: their memory is freed.
        let payload = std::mem::take(&mut self.inbound.control);
        match opcode {
            Opcode::Close => {
                let (code, reason) = parse_close(&payload, !self.config.skip_utf8_validation)?;
                self.inbound.stopped = Some(StopReason::Closed);
                events.push_close(code, reason);
            }
            Opcode::Ping => {
                // No pongs after a flood.
                let answer = if self.inbound.is_open() {
                    self.answer_ping(&payload, keys)
                } else {
                    PongOutcome::NotDue
                };
                if answer == PongOutcome::Flooded {
                    self.inbound.stopped = Some(StopReason::Flooded);
                    events.push_flooded();
                }
                events.push_ping(&payload, answer == PongOutcome::Queued);
            }
            _ => events.push_pong(&payload),
        }
        Ok(())
    }
}
