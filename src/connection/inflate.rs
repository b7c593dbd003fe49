//! Receiving half of permessage-deflate (RFC 7692 section 7.2.2). A complete frame is inflated in
//! place, in the order of events. If its output is large, the job is offloaded to a thread of the
//! caller's choice and parsing stops until the result is back.

use std::sync::Arc;

use crate::protocol::deflate::{History, InflateJob, Inflater, PermessageDeflate, Progress};
use crate::protocol::{FrameHeader, MessageAssembler, Opcode, ProtocolError};

/// Output inflated inline, in bytes; takes about 100 us. Beyond that, offloading pays off: the
/// round trip to another thread takes about 50 us.
const MAX_INLINE_OUTPUT: usize = 128 * 1024;

/// State of the receiving half.
#[derive(Debug)]
pub(super) struct InflateState {
    extension: Arc<PermessageDeflate>,
    /// True if the current message is compressed.
    is_compressed: bool,
    /// Payload of a compressed frame, unmasked. Its memory is that of the pool, and goes back with the end of the frame.
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

    /// Frees memory if nothing was received since the last call. Returns true if a later call may free more.
    /// `is_between_messages`: no message has begun.
    pub(super) fn trim_memory(&mut self, is_between_messages: bool) -> bool {
        let may_free_more = std::mem::take(&mut self.was_used) || !is_between_messages;
        if !may_free_more {
            if let Some(inflater) = self.inflater.take() {
                self.extension.pool.put_inflater(inflater);
            }
            self.compact_history(self.window());
        }
        may_free_more
    }

    /// Frees the memory that is not needed for the last `size` bytes of the history.
    fn compact_history(&mut self, size: usize) {
        if let Some(memory) = self.history.compact(size) {
            self.extension.pool.free(memory);
        }
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

    /// Notes at the start of a data frame whether its message is compressed.
    pub(super) fn begin_frame(&mut self, header: &FrameHeader) {
        if header.opcode != Opcode::Continuation {
            self.is_compressed = header.rsv1;
        }
        if self.is_compressed {
            self.frame = self.extension.pool.take_frame();
        }
    }

    /// True if the current message is compressed.
    pub(super) fn is_compressed(&self) -> bool {
        self.is_compressed
    }

    /// Buffer for the payload of a data frame, if the message is compressed.
    pub(super) fn payload_mut(&mut self) -> Option<&mut Vec<u8>> {
        self.is_compressed.then_some(&mut self.frame)
    }

    /// Inflates a complete frame and returns the job for [`accept`](Self::accept). `None` if its output is large: then it
    /// is offloaded. `max_payload`: 0 is unlimited.
    pub(super) fn inflate_frame(
        &mut self,
        message: &mut MessageAssembler,
        max_payload: u64,
    ) -> Option<InflateJob> {
        let limit = match max_payload {
            0 => usize::MAX,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        };
        if message.is_first_frame() {
            self.is_carried_over = self.inflater.is_some();
        }
        let inflater = self.inflater.take().unwrap_or_else(|| self.next_inflater());
        let frame = std::mem::take(&mut self.frame);
        let mut job = InflateJob::new(inflater, frame, !message.is_fragmented(), message.take_data(), limit);
        self.was_used = true;
        if job.run(MAX_INLINE_OUTPUT) == Progress::Paused {
            self.offloaded = Some(OffloadedFrame { job: Some(job), held_input: Vec::new() });
            return None;
        }
        Some(job)
    }

    /// Adds the result of a job to the message.
    pub(super) fn accept(
        &mut self,
        mut job: InflateJob,
        message: &mut MessageAssembler,
    ) -> Result<(), ProtocolError> {
        let (is_first, is_last) = (message.is_first_frame(), !message.is_fragmented());
        // The history ends where a message begins.
        if is_first && !self.is_carried_over && job.has_unnamed_error() {
            job.name_error(self.next_inflater());
        }
        let is_kept = !is_last || self.must_keep_inflater(is_first, &mut job);
        let inflated = job.into_parts()?;
        let PermessageDeflate { params, pool } = &*self.extension;
        let (window, takes_over) = (self.window(), params.incoming.context_takeover);

        pool.put_frame(inflated.input);
        match inflated.inflater {
            None => self.history = History::new(params.incoming.dictionary.as_ref()),
            Some(used) => {
                if takes_over
                    && let Some(memory) = self.history.push(&inflated.output[inflated.start..], window)
                {
                    pool.free(memory);
                }
                if is_kept {
                    self.inflater = Some(used);
                } else {
                    pool.put_inflater(used);
                }
            }
        }
        message.set_inflated(inflated.output)
    }

    /// True while a frame is offloaded.
    pub(super) fn is_inflating(&self) -> bool {
        self.offloaded.is_some()
    }

    /// Keeps input for later if a frame is offloaded. Returns false otherwise.
    pub(super) fn hold_input(&mut self, input: &[u8]) -> bool {
        let Some(offloaded) = &mut self.offloaded else { return false };
        offloaded.held_input.extend_from_slice(input);
        true
    }

    /// Takes the offloaded frame.
    pub(super) fn take_job(&mut self) -> Option<InflateJob> {
        self.offloaded.as_mut()?.job.take()
    }

    /// Ends the offloading of a frame, whose result comes next. Returns the input held since; `None` if no frame is
    /// offloaded.
    pub(super) fn end_offload(&mut self) -> Option<Vec<u8>> {
        self.offloaded.take().map(|offloaded| offloaded.held_input)
    }
}

impl Drop for InflateState {
    fn drop(&mut self) {
        self.compact_history(0);
    }
}
