//! Receiving half: input chunks to events. Does not use the sending half: the caller answers pings.
//!
//! Frames that are complete in a chunk go directly into the batch; others are collected.

use std::sync::Arc;

use super::close::parse_close;
use super::heartbeat::HEARTBEAT_PAYLOAD;
use super::inflate::InflateState;
use super::pong::PongOutcome;
use super::{Config, EventBatch, LARGE_MESSAGE};
use crate::protocol::deflate::{InflateJob, PermessageDeflate};
use crate::protocol::frame::{FrameRules, HeaderReader, mask};
use crate::protocol::{
    FrameHeader, Limits, MaskingKey, MessageAssembler, Opcode, ProtocolError, Utf8Validator,
};

/// Smallest message left in a chunk that is received in place, in bytes. Copying a smaller one
/// costs nothing measurable.
pub const MIN_IN_PLACE: usize = 4 * 1024;

/// The receiving half, between two chunks.
#[derive(Debug)]
pub(super) struct Inbound {
    header: HeaderReader,
    /// Header of the incomplete frame, and the payload bytes received so far.
    pub(super) frame: Option<(FrameHeader, u64)>,
    pub(super) message: MessageAssembler,
    /// Payload of a control frame, unmasked.
    control: Vec<u8>,
    pub(super) chunks: ChunkCounter,
    stopped: Option<StopReason>,
    /// permessage-deflate, if negotiated.
    inflate: Option<Box<InflateState>>,
}

/// The surroundings of the receiving half.
pub(super) struct Context<'a> {
    pub(super) config: &'a Config,
    /// Answers a ping, if a pong is due.
    pub(super) answer_ping: &'a mut dyn FnMut(&[u8]) -> PongOutcome,
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
    /// A half that has received nothing.
    pub(super) fn new(deflate: Option<&Arc<PermessageDeflate>>) -> Self {
        Self {
            header: HeaderReader::default(),
            frame: None,
            message: MessageAssembler::default(),
            control: Vec::new(),
            chunks: ChunkCounter::default(),
            stopped: None,
            inflate: deflate.map(|negotiated| Box::new(InflateState::new(negotiated))),
        }
    }

    /// True while input is parsed.
    pub(super) fn is_open(&self) -> bool {
        self.stopped.is_none()
    }

    /// See [`Connection::receive`](super::Connection::receive).
    pub(super) fn receive(&mut self, chunk: &[u8], context: &mut Context<'_>, events: &mut EventBatch) {
        if !self.is_open() || chunk.is_empty() || self.hold_input(chunk) {
            return;
        }
        events.compact();
        let checked = self.chunks.check_limit(&context.config.limits);
        if let Err(error) = checked.and_then(|()| self.parse(chunk, context, events)) {
            self.fail(error, events);
        }
    }

    /// Parses input held while a frame was offloaded. Also parses the remainder of a chunk in which
    /// a pong flood began.
    fn receive_held(&mut self, input: &[u8], context: &mut Context<'_>, events: &mut EventBatch) {
        events.compact();
        if !input.is_empty()
            && let Err(error) = self.parse(input, context, events)
        {
            self.fail(error, events);
        }
    }

    /// Reports a protocol error and stops parsing.
    pub(super) fn fail(&mut self, error: ProtocolError, events: &mut EventBatch) {
        self.stopped = Some(StopReason::Closed);
        events.push_failed(error);
    }

    /// See [`Connection::receive_in_place`](super::Connection::receive_in_place).
    pub(super) fn receive_in_place(
        &mut self,
        chunk: &mut [u8],
        context: &mut Context<'_>,
        events: &mut EventBatch,
    ) {
        let mut done = 0;
        let can_parse = self.is_open() && !self.is_inflating();
        if can_parse && self.chunks.check_limit(&context.config.limits).is_ok() {
            while let Some(length) =
                self.take_message_in_place(&mut chunk[done..], done, context.config, events)
            {
                done += length;
                self.chunks.record(true, false);
            }
        }
        // Everything else, errors included.
        self.receive(&chunk[done..], context, events);
    }

    /// Takes a message from the front of `input`, at `offset` in its chunk, and returns its length.
    /// `None` if `input` must be parsed normally.
    fn take_message_in_place(
        &mut self,
        input: &mut [u8],
        offset: usize,
        config: &Config,
        events: &mut EventBatch,
    ) -> Option<usize> {
        if !self.is_between_frames() {
            return None;
        }
        let (header, start) = FrameHeader::parse(input, &self.frame_rules(config)).ok()??;
        let binary = header.opcode == Opcode::Binary;
        let is_message = header.fin && !header.rsv1 && (binary || header.opcode == Opcode::Text);
        let length = usize::try_from(header.payload_length).ok()?;
        if !is_message || length < MIN_IN_PLACE {
            return None;
        }
        let payload = input.get_mut(start..start.checked_add(length)?)?;
        let key = header.masking_key.unwrap_or(MaskingKey([0; 4]));
        mask::apply(payload, key, 0);
        if !binary && !config.skip_utf8_validation && !Utf8Validator::is_valid(payload) {
            // Masks the payload again: the normal path reports the error.
            mask::apply(payload, key, 0);
            return None;
        }
        events.push_in_chunk(binary, offset + start, length);
        Some(start + length)
    }

    /// True if the last chunk ended at a frame boundary.
    pub(super) fn is_between_frames(&self) -> bool {
        self.frame.is_none() && self.header.buffered() == (0, 0)
    }

    /// True if no byte of the next message or of a control frame has been received and more input
    /// is accepted.
    fn is_between_messages(&self) -> bool {
        // The first chunk of a detached frame counts.
        let has_begun = self.chunks.count > 0 || !self.message.is_first_frame();
        self.is_open() && self.is_between_frames() && !has_begun
    }

    fn parse(
        &mut self,
        mut input: &[u8],
        context: &mut Context<'_>,
        events: &mut EventBatch,
    ) -> Result<(), ProtocolError> {
        debug_assert!(!self.is_inflating(), "input behind an offloaded frame must be held");
        let (fields_before, _) = self.header.buffered();
        let mut completed = false;
        while self.stopped != Some(StopReason::Closed) {
            let (header, received) = if let Some(frame) = self.frame.take() {
                frame
            } else {
                let Some(header) = self.header.read(&mut input, &self.frame_rules(context.config))? else {
                    let (fields, rest) = self.header.buffered();
                    self.chunks.record(completed || fields > fields_before, rest > 0);
                    return Ok(());
                };
                completed = true;
                if receive_whole_message(&header, &mut input, context.config, events)? {
                    continue;
                }
                self.begin_frame(&header, context.config);
                (header, 0)
            };

            let missing = header.payload_length - received;
            let length = usize::try_from(missing).map_or(input.len(), |missing| missing.min(input.len()));
            let (payload, rest) = input.split_at(length);
            self.receive_payload(&header, payload, received)?;
            input = rest;
            let received = received + length as u64;
            if received < header.payload_length {
                self.frame = Some((header, received));
                self.chunks.record(completed, received > 0);
                return Ok(());
            }
            completed = true;
            if header.opcode.is_control() {
                self.end_control_frame(header.opcode, context, events)?;
            } else if self.is_compressed() {
                self.inflate_frame(context.config, events);
                if self.hold_input(input) {
                    break;
                }
            } else {
                self.end_data_frame(context.config, events)?;
            }
        }
        self.chunks.record(true, false);
        Ok(())
    }

    fn frame_rules(&self, config: &Config) -> FrameRules {
        FrameRules {
            role: config.role,
            rsv1_allowed: self.inflate.is_some(),
            fragmented: self.message.is_fragmented(),
            message_length: self.message.declared_length(),
            max_payload: config.limits.max_payload,
        }
    }

    pub(super) fn begin_frame(&mut self, header: &FrameHeader, config: &Config) {
        if header.opcode.is_control() {
            self.control.clear();
        } else {
            self.message.begin_frame(header, !config.skip_utf8_validation);
            if let Some(inflate) = &mut self.inflate {
                inflate.begin_frame(header);
            }
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
            &mut self.control
        } else if let Some(compressed) = self.inflate.as_deref_mut().and_then(InflateState::payload_mut) {
            compressed
        } else {
            return self.message.push(payload, header.masking_key, offset);
        };
        match header.masking_key {
            Some(key) => mask::copy_masked(payload, key, offset, collected),
            None => collected.extend_from_slice(payload),
        }
        Ok(())
    }

    fn end_data_frame(&mut self, config: &Config, events: &mut EventBatch) -> Result<(), ProtocolError> {
        let message = &mut self.message;
        if message.end_frame(config.limits.max_fragments)? {
            if message.data().len() >= LARGE_MESSAGE {
                let data = message.take_data();
                events.push_large(message.is_binary(), data, message.fragments());
            } else {
                events.push_small(message.is_binary(), message.data(), message.fragments());
            }
            message.reset();
            if self.inflate.is_none() {
                // Most messages are complete in one chunk and need no memory here.
                message.release();
            }
        }
        Ok(())
    }

    fn end_control_frame(
        &mut self,
        opcode: Opcode,
        context: &mut Context<'_>,
        events: &mut EventBatch,
    ) -> Result<(), ProtocolError> {
        let payload = &self.control;
        match opcode {
            Opcode::Close => {
                let (code, reason) = parse_close(payload, !context.config.skip_utf8_validation)?;
                self.stopped = Some(StopReason::Closed);
                events.push_close(code, reason);
            }
            Opcode::Ping => {
                // No pongs after a flood.
                let answer =
                    if self.stopped.is_none() { (context.answer_ping)(payload) } else { PongOutcome::NotDue };
                if answer == PongOutcome::Flooded {
                    self.stopped = Some(StopReason::Flooded);
                    events.push_flooded();
                }
                events.push_ping(payload, answer == PongOutcome::Queued);
            }
            _ if payload == HEARTBEAT_PAYLOAD && context.config.time_limits.has_heartbeat() => {}
            _ => events.push_pong(payload),
        }
        // Control frames are rare: their memory is freed.
        self.control = Vec::new();
        Ok(())
    }

    /// True if the current message is compressed.
    fn is_compressed(&self) -> bool {
        self.inflate.as_deref().is_some_and(InflateState::is_compressed)
    }

    /// Keeps input for later if a frame is offloaded. Returns false otherwise.
    fn hold_input(&mut self, input: &[u8]) -> bool {
        self.inflate.as_deref_mut().is_some_and(|inflate| inflate.hold_input(input))
    }

    /// True while a frame is offloaded. Nothing is parsed until it is finished.
    pub(super) fn is_inflating(&self) -> bool {
        self.inflate.as_deref().is_some_and(InflateState::is_inflating)
    }

    /// Takes the offloaded frame.
    pub(super) fn take_inflate_job(&mut self) -> Option<InflateJob> {
        self.inflate.as_deref_mut()?.take_job()
    }

    /// Inflates a complete frame, or offloads it if its output is large.
    fn inflate_frame(&mut self, config: &Config, events: &mut EventBatch) {
        let Some(inflate) = self.inflate.as_deref_mut() else { return };
        match inflate.inflate_frame(&mut self.message, config.limits.max_payload) {
            Some(job) => self.end_compressed_frame(job, config, events),
            None => events.push_inflating(),
        }
    }

    /// Adds the result of a job to the events, marked as compressed, errors included.
    fn end_compressed_frame(&mut self, job: InflateJob, config: &Config, events: &mut EventBatch) {
        let Some(inflate) = self.inflate.as_deref_mut() else { return };
        let is_last = !self.message.is_fragmented();
        let accepted = inflate.accept(job, &mut self.message);
        let ended = accepted.and_then(|()| self.end_data_frame(config, events));
        if let Err(error) = ended {
            self.fail(error, events);
        }
        if is_last || ended.is_err() {
            events.mark_compressed();
        }
    }

    /// Accepts the result of an offloaded frame and parses the input held since.
    pub(super) fn finish_inflate_job(
        &mut self,
        job: InflateJob,
        context: &mut Context<'_>,
        events: &mut EventBatch,
    ) {
        let Some(held) = self.inflate.as_deref_mut().and_then(InflateState::end_offload) else { return };
        self.end_compressed_frame(job, context.config, events);
        self.receive_held(&held, context, events);
    }

    /// True if a connection without this state would receive the next message in the same way.
    pub(super) fn is_pristine(&self) -> bool {
        self.is_between_messages() && self.inflate.as_deref().is_none_or(InflateState::is_pristine)
    }

    /// Frees memory for messages in several frames or chunks, unless one has begun. Returns the number of bytes freed.
    pub(super) fn release_message(&mut self) -> usize {
        self.message.release()
    }

    /// Frees permessage-deflate memory that was not used since the last call. Returns true if a later call may free more.
    pub(super) fn trim_memory(&mut self) -> bool {
        let is_between_messages = self.message.is_first_frame();
        self.inflate.as_deref_mut().is_some_and(|inflate| inflate.trim_memory(is_between_messages))
    }
}

/// Fast path for an unfragmented message that is complete in the input: goes into the batch
/// without being collected. Returns false for any other frame. Needs no fragment check: every
/// limit allows one frame.
fn receive_whole_message(
    header: &FrameHeader,
    input: &mut &[u8],
    config: &Config,
    events: &mut EventBatch,
) -> Result<bool, ProtocolError> {
    let binary = header.opcode == Opcode::Binary;
    if !header.fin || header.rsv1 || !(binary || header.opcode == Opcode::Text) {
        return Ok(false);
    }
    let Ok(length) = usize::try_from(header.payload_length) else { return Ok(false) };
    let Some((payload, rest)) = input.split_at_checked(length) else { return Ok(false) };
    let validate = !binary && !config.skip_utf8_validation;
    events.push_frame(binary, payload, header.masking_key, validate)?;
    *input = rest;
    Ok(true)
}
