//! Receiving half of permessage-deflate (RFC 7692 section 7.2.2). A complete frame is inflated in
//! place, in the order of events. If its output is large, the job is offloaded to a thread of the
//! caller's choice and parsing stops until the result is back.

use std::sync::Arc;

use super::{Connection, EventBatch, MaskingKeys, Trimmed};
use crate::protocol::deflate::{History, InflateJob, Inflater, PermessageDeflate, Progress};
use crate::protocol::{FrameHeader, Opcode, ProtocolError};

/// Output inflated inline, in bytes; takes about 100 us. Beyond that, offloading pays off: the
/// round trip to another thread takes about 50 us.
const MAX_INLINE_OUTPUT: usize = 128 * 1024;

/// Capacity kept for the payload of a frame: idle connections must stay small.
const KEPT_CAPACITY: usize = 4 * 1024;

/// State of the receiving half.
#[derive(Debug)]
pub(super) struct InflateState {
    extension: Arc<PermessageDeflate>,
    /// True if the current message is compressed.
    is_compressed: bool,
    /// Payload of a compressed frame, unmasked.
    frame: Vec<u8>,
    /// Present while a message is being received. Between messages the history is sufficient,
    /// unless a message ended in the middle of a DEFLATE block: like ws, the next message continues
    /// there.
    inflater: Option<Inflater>,
    /// True if the current message began with an inflater carried over that way.
    is_carried_over: bool,
    /// True if a frame was inflated since the last [`InflateState::trim_memory`].
    was_used: bool,
    history: History,
    offloaded: Option<OffloadedFrame>,
}

/// A frame being inflated outside the connection.
#[derive(Debug)]
struct OffloadedFrame {
    /// `None` once taken.
    job: Option<InflateJob>,
    /// Input after the frame, not yet parsed.
    held_input: Vec<u8>,
}

impl InflateState {
    pub(super) fn new(extension: &Arc<PermessageDeflate>) -> Self {
        Self {
            is_compressed: false,
            frame: Vec::new(),
            inflater: None,
            is_carried_over: false,
            was_used: false,
            history: History::new(extension.params.incoming.dictionary.as_ref()),
            offloaded: None,
            extension: Arc::clone(extension),
        }
    }

    /// Frees memory if nothing was received since the last call. `is_between_messages`: no message
    /// has begun.
    pub(super) fn trim_memory(&mut self, is_between_messages: bool) -> Trimmed {
        let may_free_more = std::mem::take(&mut self.was_used) || !is_between_messages;
        let mut freed = 0;
        if !may_free_more {
            if let Some(inflater) = self.inflater.take() {
                self.extension.pool.put_inflater(inflater);
            }
            freed = self.history.compact(self.window());
            if self.frame.is_empty() {
                freed += std::mem::take(&mut self.frame).capacity();
            }
        }
        Trimmed { freed, may_free_more }
    }

    /// True if no data is kept that the peer may refer to.
    pub(super) fn is_pristine(&self) -> bool {
        let incoming = &self.extension.params.incoming;
        let is_known =
            !incoming.context_takeover || (incoming.dictionary.is_none() && self.history.is_empty());
        is_known && self.inflater.is_none() && self.offloaded.is_none()
    }

    /// True if the inflater of a final frame must be carried over to the next message: it ended, or
    /// may have ended, in the middle of a block.
    fn must_keep_inflater(&self, is_whole: bool, job: &mut InflateJob) -> bool {
        if job.is_finished() || !self.extension.params.incoming.context_takeover {
            return false;
        }
        // The check consumes the inflater's state, so the frame must be repeatable.
        if !is_whole || self.is_carried_over {
            return true;
        }
        if job.ends_with_block() || job.length() > MAX_INLINE_OUTPUT {
            return false;
        }
        job.repeat(self.next_inflater());
        true
    }

    /// Size of the peer's window in bytes.
    fn window(&self) -> usize {
        self.extension.params.incoming.window_bits.size()
    }

    /// Takes an inflater for the next message from the pool.
    fn next_inflater(&self) -> Inflater {
        self.extension.pool.take_inflater(self.history.last(self.window()))
    }
}

impl Connection {
    /// Notes at the start of a data frame whether its message is compressed.
    pub(super) fn begin_data_frame(&mut self, header: &FrameHeader) {
        if let Some((_, state)) = self.extension.as_deref_mut()
            && header.opcode != Opcode::Continuation
        {
            state.is_compressed = header.rsv1;
        }
    }

    /// True if the current message is compressed.
    pub(super) fn is_compressed(&self) -> bool {
        self.extension.as_deref().is_some_and(|(_, state)| state.is_compressed)
    }

    /// Buffer for the payload of a data frame, if the message is compressed.
    pub(super) fn compressed_payload_mut(&mut self) -> Option<&mut Vec<u8>> {
        let (_, state) = self.extension.as_deref_mut()?;
        state.is_compressed.then_some(&mut state.frame)
    }

    /// Inflates a complete frame, or offloads it if its output is large.
    pub(super) fn inflate_frame(&mut self, events: &mut EventBatch) {
        let Some((_, state)) = self.extension.as_deref_mut() else { return };
        let message = &mut self.inbound.message;
        let limit = match self.config.limits.max_payload {
            0 => usize::MAX,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        };
        if message.is_first_frame() {
            state.is_carried_over = state.inflater.is_some();
        }
        let inflater = state.inflater.take().unwrap_or_else(|| state.next_inflater());
        let frame = std::mem::take(&mut state.frame);
        let mut job = InflateJob::new(inflater, frame, !message.is_fragmented(), message.take_data(), limit);
        state.was_used = true;
        if job.run(MAX_INLINE_OUTPUT) == Progress::Paused {
            state.offloaded = Some(OffloadedFrame { job: Some(job), held_input: Vec::new() });
            events.push_inflating();
            return;
        }
        self.finish_frame(job, events);
    }

    /// Adds the result of a job to the events, marked as compressed, errors included.
    fn finish_frame(&mut self, job: InflateJob, events: &mut EventBatch) {
        let is_last = !self.inbound.message.is_fragmented();
        let taken = self.accept_inflated(job, events);
        if let Err(error) = taken {
            self.fail(error, events);
        }
        if is_last || taken.is_err() {
            events.mark_compressed();
        }
    }

    fn accept_inflated(&mut self, mut job: InflateJob, events: &mut EventBatch) -> Result<(), ProtocolError> {
        let Some((_, state)) = self.extension.as_deref_mut() else { return Ok(()) };
        let PermessageDeflate { params, pool } = &*state.extension;
        let (is_first, is_last) =
            (self.inbound.message.is_first_frame(), !self.inbound.message.is_fragmented());
        // The history ends where a message begins.
        if is_first && !state.is_carried_over && job.has_unnamed_error() {
            job.name_error(state.next_inflater());
        }
        let is_kept = !is_last || state.must_keep_inflater(is_first, &mut job);
        let inflated = job.into_parts()?;
        let (window, takes_over) = (state.window(), params.incoming.context_takeover);

        state.frame = inflated.input;
        state.frame.clear();
        state.frame.shrink_to(KEPT_CAPACITY);
        match inflated.inflater {
            None => state.history = History::new(params.incoming.dictionary.as_ref()),
            Some(used) => {
                if takes_over {
                    state.history.push(&inflated.output[inflated.start..], window);
                }
                if is_kept {
                    state.inflater = Some(used);
                } else {
                    pool.put_inflater(used);
                }
            }
        }
        self.inbound.message.set_inflated(inflated.output)?;
        self.end_data_frame(events)
    }

    /// True while a frame is offloaded. Nothing is parsed until it is finished.
    pub fn is_inflating(&self) -> bool {
        self.extension.as_deref().is_some_and(|(_, state)| state.offloaded.is_some())
    }

    /// Keeps input for later if a frame is offloaded. Returns false otherwise.
    pub(super) fn hold_input(&mut self, input: &[u8]) -> bool {
        let Some((_, state)) = self.extension.as_deref_mut() else { return false };
        let Some(offloaded) = &mut state.offloaded else { return false };
        offloaded.held_input.extend_from_slice(input);
        true
    }

    /// The offloaded frame. Take it after [`EventRef::Inflating`](super::EventRef::Inflating) was
    /// delivered, [run](InflateJob::run) it to its end and pass it to
    /// [`finish_inflate_job`](Self::finish_inflate_job).
    pub fn take_inflate_job(&mut self) -> Option<InflateJob> {
        let (_, state) = self.extension.as_deref_mut()?;
        state.offloaded.as_mut()?.job.take()
    }

    /// Accepts the result of an offloaded frame and parses the input held since.
    pub fn finish_inflate_job(
        &mut self,
        job: InflateJob,
        keys: &mut dyn MaskingKeys,
        events: &mut EventBatch,
    ) {
        let Some((_, state)) = self.extension.as_deref_mut() else { return };
        let Some(offloaded) = state.offloaded.take() else { return };
        self.finish_frame(job, events);
        self.receive_held(&offloaded.held_input, keys, events);
    }
}
