//! The receiving half: input chunks to events.
//!
//! Frames that are whole in a chunk go straight into the batch; others are collected.

use super::close::parse_close;
use super::pong::Answer;
use super::{Connection, EventBatch, LARGE_MESSAGE, MaskingKeys};
use crate::protocol::frame::{FrameRules, HeaderReader, mask};
use crate::protocol::{
    FrameHeader, Limits, MaskingKey, MessageAssembler, Opcode, ProtocolError, Utf8Validator,
};

/// Messages of this many bytes and more are left in a chunk that is received in place: a copy of less costs nothing.
pub const MIN_IN_PLACE: usize = 4 * 1024;

/// What the receiving half keeps between two chunks.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    header: HeaderReader,
    /// The frame whose payload is incomplete, and how much of the payload came.
    pub(super) frame: Option<(FrameHeader, u64)>,
    pub(super) message: MessageAssembler,
    /// Payload of a control frame, unmasked.
    control: Vec<u8>,
    pub(super) chunks: HeldChunks,
    end: Option<End>,
}

/// Why input is no longer looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// A close frame or an error: at once.
    Closed,
    /// Too many unwritten automatic pongs: from the next chunk on.
    Flooded,
}

/// Counts chunks as a receiver does that keeps them until the field of the frame that they belong to is
/// whole: the first two bytes, the longer length, the key, the payload.
#[derive(Debug, Default)]
pub(super) struct HeldChunks {
    count: u32,
}

impl HeldChunks {
    pub(super) fn check(&self, limits: &Limits) -> Result<(), ProtocolError> {
        if limits.max_buffered_chunks > 0 && self.count >= limits.max_buffered_chunks {
            return Err(ProtocolError::TooManyBufferedChunks);
        }
        Ok(())
    }

    /// A chunk was parsed. `completed`: it completed some field; `rest`: it left bytes of the next
    /// field.
    pub(super) fn parsed(&mut self, completed: bool, rest: bool) {
        self.count = if completed { u32::from(rest) } else { self.count.saturating_add(1) };
    }
}

impl Inbound {
    pub(super) fn is_open(&self) -> bool {
        self.end.is_none()
    }
}

impl Connection {
    /// Parses `chunk`, cut anywhere, and appends what it completes to `events`. Automatic pongs go to
    /// the output, each before its [`Ping`](super::EventRef::Ping) is appended.
    ///
    /// After a [`Close`](super::EventRef::Close) or [`Failed`](super::EventRef::Failed) event everything
    /// further is ignored; after [`Flooded`](super::EventRef::Flooded), every further chunk.
    pub fn receive(&mut self, chunk: &[u8], keys: &mut dyn MaskingKeys, events: &mut EventBatch) {
        if !self.is_receiving() || chunk.is_empty() || self.hold(chunk) {
            return;
        }
        events.reclaim();
        let checked = self.inbound.chunks.check(&self.config.limits);
        if let Err(error) = checked.and_then(|()| self.parse(chunk, keys, events)) {
            self.fail(error, events);
        }
    }

    /// Parses what was held back: the rest of the chunk in which a flood has begun is looked at, too.
    pub(super) fn receive_held(&mut self, input: &[u8], keys: &mut dyn MaskingKeys, events: &mut EventBatch) {
        events.reclaim();
        if !input.is_empty()
            && let Err(error) = self.parse(input, keys, events)
        {
            self.fail(error, events);
        }
    }

    /// The peer broke the protocol: nothing more is looked at.
    pub(super) fn fail(&mut self, error: ProtocolError, events: &mut EventBatch) {
        self.inbound.end = Some(End::Closed);
        events.push_failed(error);
    }

    /// As [`receive`](Self::receive), but whole messages of [`MIN_IN_PLACE`] bytes and more stay in `chunk`, unmasked there:
    /// see [`EventRef::InChunk`](super::EventRef::InChunk). They must have been delivered, or
    /// [left](EventBatch::copy_out_chunk), before the next call.
    pub fn receive_in_place(
        &mut self,
        chunk: &mut [u8],
        keys: &mut dyn MaskingKeys,
        events: &mut EventBatch,
    ) {
        let mut done = 0;
        let can_parse = self.is_receiving() && !self.is_inflating();
        if can_parse && self.inbound.chunks.check(&self.config.limits).is_ok() {
            while let Some(length) = self.take_in_place(&mut chunk[done..], done, events) {
                done += length;
                self.inbound.chunks.parsed(true, false);
            }
        }
        // Whatever else there is, errors included.
        self.receive(&chunk[done..], keys, events);
    }

    /// Takes a message from the front of `input`, which is `offset` bytes into its chunk. `None`: it is not for this way.
    fn take_in_place(&mut self, input: &mut [u8], offset: usize, events: &mut EventBatch) -> Option<usize> {
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
            // As it came, for the way that reports it.
            mask::apply(payload, key, 0);
            return None;
        }
        events.push_in_chunk(binary, offset + start, length);
        Some(start + length)
    }

    /// Whether the last chunk has ended with a whole frame.
    pub fn is_between_frames(&self) -> bool {
        self.inbound.frame.is_none() && self.inbound.header.kept() == (0, 0)
    }

    /// Whether nothing has been received of the next message, or of a control frame, and something still may be.
    pub(super) fn is_between_messages(&self) -> bool {
        // The first chunk of a frame that was lent counts.
        let has_begun = self.inbound.chunks.count > 0 || !self.inbound.message.is_first_frame();
        self.is_receiving() && self.is_between_frames() && !has_begun
    }

    fn parse(
        &mut self,
        mut input: &[u8],
        keys: &mut dyn MaskingKeys,
        events: &mut EventBatch,
    ) -> Result<(), ProtocolError> {
        let (fields_before, _) = self.inbound.header.kept();
        let mut completed = false;
        while self.inbound.end != Some(End::Closed) {
            let (header, received) = if let Some(frame) = self.inbound.frame.take() {
                frame
            } else {
                let Some(header) = self.inbound.header.read(&mut input, &self.frame_rules())? else {
                    let (fields, rest) = self.inbound.header.kept();
                    self.inbound.chunks.parsed(completed || fields > fields_before, rest > 0);
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
                self.inbound.chunks.parsed(completed, received > 0);
                return Ok(());
            }
            completed = true;
            if header.opcode.is_control() {
                self.end_control_frame(header.opcode, keys, events)?;
            } else if self.is_compressed() {
                self.inflate_frame(events);
                if self.hold(input) {
                    break;
                }
            } else {
                self.end_data_frame(events)?;
            }
        }
        self.inbound.chunks.parsed(true, false);
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

    /// The short way for an unfragmented message that is whole in the input: into the batch without
    /// being collected. `false`: the frame is something else. No limit on fragments forbids a single
    /// frame.
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
            self.inbound.control.clear();
        } else {
            self.inbound.message.begin_frame(header, !self.config.skip_utf8_validation);
            self.begin_compressed(header);
        }
    }

    fn receive_payload(
        &mut self,
        header: &FrameHeader,
        payload: &[u8],
        received: u64,
    ) -> Result<(), ProtocolError> {
        // Only the offset modulo four matters for masking.
        let offset = (received % 4) as usize;
        let collected = if header.opcode.is_control() {
            &mut self.inbound.control
        } else if let Some(compressed) = self.compressed_payload() {
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
                events.push_large(message.binary(), data, message.fragments());
            } else {
                events.push_small(message.binary(), message.data(), message.fragments());
            }
            message.reset();
        }
        Ok(())
    }

    fn end_control_frame(
        &mut self,
        opcode: Opcode,
        keys: &mut dyn MaskingKeys,
        events: &mut EventBatch,
    ) -> Result<(), ProtocolError> {
        // Out of its place while the outgoing half is at work; back afterwards for its memory.
        let payload = std::mem::take(&mut self.inbound.control);
        match opcode {
            Opcode::Close => {
                let (code, reason) = parse_close(&payload, !self.config.skip_utf8_validation)?;
                self.inbound.end = Some(End::Closed);
                events.push_close(code, reason);
            }
            Opcode::Ping => {
                // Behind a flood nothing is answered any more.
                let answer =
                    if self.inbound.is_open() { self.answer_ping(&payload, keys) } else { Answer::NotDue };
                if answer == Answer::Flooded {
                    self.inbound.end = Some(End::Flooded);
                    events.push_flooded();
                }
                events.push_ping(&payload, answer == Answer::Queued);
            }
            _ => events.push_pong(&payload),
        }
        self.inbound.control = payload;
        Ok(())
    }
}
