//! The receiving half of permessage-deflate (RFC 7692 section 7.2.2). Each frame is inflated when it is whole, in its place
//! among the events, or, if it inflates to more than a little, wherever the caller likes: then the connection stops parsing
//! until the frame is returned.

use std::sync::Arc;

use super::{Connection, EventBatch, MaskingKeys, Trimmed};
use crate::protocol::deflate::{History, InflateJob, Inflater, PermessageDeflate, Progress};
use crate::protocol::{FrameHeader, Opcode, ProtocolError};

/// Output of a frame that is inflated at once, which takes 100 us. What goes beyond is worth the way to another thread, which
/// takes 50.
const AT_ONCE: usize = 128 * 1024;

/// Capacity kept for the payload of a frame: an idle connection must stay small.
const KEPT_CAPACITY: usize = 4 * 1024;

/// What the receiving half keeps.
#[derive(Debug)]
pub(super) struct Inflating {
    negotiated: Arc<PermessageDeflate>,
    /// Whether the message that has begun is compressed.
    is_compressed: bool,
    /// Payload of a compressed frame, unmasked.
    frame: Vec<u8>,
    /// There from the first frame of a message to the last. Between messages all that counts is the history, unless a message
    /// has ended in the middle of a block: as with ws, the next one goes on from there.
    inflater: Option<Inflater>,
    /// Whether the message has begun with such an inflater.
    goes_on: bool,
    /// Whether anything was inflated since the last [`Inflating::trim_memory`].
    used: bool,
    history: History,
    elsewhere: Option<Elsewhere>,
}

/// A frame that is to be inflated elsewhere.
#[derive(Debug)]
struct Elsewhere {
    /// `None`: it has been taken.
    job: Option<InflateJob>,
    /// Input behind it.
    held: Vec<u8>,
}

impl Inflating {
    pub(super) fn new(negotiated: &Arc<PermessageDeflate>) -> Self {
        Self {
            is_compressed: false,
            frame: Vec::new(),
            inflater: None,
            goes_on: false,
            used: false,
            history: History::new(negotiated.params.incoming.dictionary.as_ref()),
            elsewhere: None,
            negotiated: Arc::clone(negotiated),
        }
    }

    /// Gives memory back if nothing was received since the last time. `is_between`: no message has begun.
    pub(super) fn trim_memory(&mut self, is_between: bool) -> Trimmed {
        let again = std::mem::take(&mut self.used) || !is_between;
        let mut freed = 0;
        if !again {
            if let Some(inflater) = self.inflater.take() {
                self.negotiated.pool.put_inflater(inflater);
            }
            freed = self.history.compact(self.window());
        }
        Trimmed { freed, may_free_more: again }
    }

    /// Whether nothing is remembered that the peer may refer to.
    pub(super) fn is_as_new(&self) -> bool {
        let incoming = &self.negotiated.params.incoming;
        let is_known =
            !incoming.context_takeover || (incoming.dictionary.is_none() && self.history.is_empty());
        is_known && self.inflater.is_none() && self.elsewhere.is_none()
    }

    /// Whether the inflater of a last frame must go on as it is, or may have to, because there is no telling.
    fn is_to_be_kept(&self, is_whole: bool, job: &mut InflateJob) -> bool {
        if job.is_over() || !self.negotiated.params.incoming.context_takeover {
            return false;
        }
        // Only what can be inflated again can be asked.
        if !is_whole || self.goes_on {
            return true;
        }
        if job.ends_with_block() || job.length() > AT_ONCE {
            return false;
        }
        job.repeat(self.next_inflater());
        true
    }

    /// How many bytes back the peer may refer.
    fn window(&self) -> usize {
        self.negotiated.params.incoming.window_bits.size()
    }

    /// An inflater for the next message.
    fn next_inflater(&self) -> Inflater {
        self.negotiated.pool.take_inflater(self.history.last(self.window()))
    }
}

impl Connection {
    /// A data frame begins.
    pub(super) fn begin_compressed(&mut self, header: &FrameHeader) {
        if let Some((_, inflating)) = self.extension.as_deref_mut()
            && header.opcode != Opcode::Continuation
        {
            inflating.is_compressed = header.rsv1;
        }
    }

    /// Whether the message that has begun is compressed.
    pub(super) fn is_compressed(&self) -> bool {
        self.extension.as_deref().is_some_and(|(_, inflating)| inflating.is_compressed)
    }

    /// Where the payload of a data frame is collected, if it is compressed.
    pub(super) fn compressed_payload(&mut self) -> Option<&mut Vec<u8>> {
        let (_, inflating) = self.extension.as_deref_mut()?;
        inflating.is_compressed.then_some(&mut inflating.frame)
    }

    /// The payload of a compressed frame is whole.
    pub(super) fn inflate_frame(&mut self, events: &mut EventBatch) {
        let Some((_, inflating)) = self.extension.as_deref_mut() else { return };
        let message = &mut self.inbound.message;
        let limit = match self.config.limits.max_payload {
            0 => usize::MAX,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        };
        if message.is_first_frame() {
            inflating.goes_on = inflating.inflater.is_some();
        }
        let inflater = inflating.inflater.take().unwrap_or_else(|| inflating.next_inflater());
        let frame = std::mem::take(&mut inflating.frame);
        let mut job = InflateJob::new(inflater, frame, !message.is_fragmented(), message.take_data(), limit);
        inflating.used = true;
        if job.run(AT_ONCE) == Progress::Paused {
            inflating.elsewhere = Some(Elsewhere { job: Some(job), held: Vec::new() });
            events.push_inflating();
            return;
        }
        self.frame_inflated(job, events);
    }

    /// Whatever comes of it is marked, an error, too.
    fn frame_inflated(&mut self, job: InflateJob, events: &mut EventBatch) {
        let is_last = !self.inbound.message.is_fragmented();
        let taken = self.take_inflated(job, events);
        if let Err(error) = taken {
            self.fail(error, events);
        }
        if is_last || taken.is_err() {
            events.mark_compressed();
        }
    }

    fn take_inflated(&mut self, mut job: InflateJob, events: &mut EventBatch) -> Result<(), ProtocolError> {
        let Some((_, inflating)) = self.extension.as_deref_mut() else { return Ok(()) };
        let PermessageDeflate { params, pool } = &*inflating.negotiated;
        let (is_first, is_last) =
            (self.inbound.message.is_first_frame(), !self.inbound.message.is_fragmented());
        // What the history knows is where a message begins.
        if is_first && !inflating.goes_on && job.has_unnamed_fault() {
            job.name_fault(inflating.next_inflater());
        }
        let is_kept = !is_last || inflating.is_to_be_kept(is_first, &mut job);
        let inflated = job.into_parts()?;
        let (window, takes_over) = (inflating.window(), params.incoming.context_takeover);

        inflating.frame = inflated.input;
        inflating.frame.clear();
        inflating.frame.shrink_to(KEPT_CAPACITY);
        match inflated.inflater {
            None => inflating.history = History::new(params.incoming.dictionary.as_ref()),
            Some(used) => {
                if takes_over {
                    inflating.history.push(&inflated.output[inflated.start..], window);
                }
                if is_kept {
                    inflating.inflater = Some(used);
                } else {
                    pool.put_inflater(used);
                }
            }
        }
        self.inbound.message.put_inflated(inflated.output)?;
        self.end_data_frame(events)
    }

    /// Whether a frame is inflated elsewhere, or is to be: nothing is parsed until it is back.
    pub fn is_inflating(&self) -> bool {
        self.extension.as_deref().is_some_and(|(_, inflating)| inflating.elsewhere.is_some())
    }

    /// Keeps input for later if a frame before it is inflated elsewhere.
    pub(super) fn hold(&mut self, input: &[u8]) -> bool {
        let Some((_, inflating)) = self.extension.as_deref_mut() else { return false };
        let Some(elsewhere) = &mut inflating.elsewhere else { return false };
        elsewhere.held.extend_from_slice(input);
        true
    }

    /// The frame to be inflated elsewhere, once [`EventRef::Inflating`](super::EventRef::Inflating) was delivered: to be
    /// [run](InflateJob::run) to its end, and returned.
    pub fn take_inflate_job(&mut self) -> Option<InflateJob> {
        let (_, inflating) = self.extension.as_deref_mut()?;
        inflating.elsewhere.as_mut()?.job.take()
    }

    /// Takes back a frame that was inflated, and parses what came after it.
    pub fn finish_inflate_job(
        &mut self,
        job: InflateJob,
        keys: &mut dyn MaskingKeys,
        events: &mut EventBatch,
    ) {
        let Some((_, inflating)) = self.extension.as_deref_mut() else { return };
        let Some(elsewhere) = inflating.elsewhere.take() else { return };
        self.frame_inflated(job, events);
        self.receive_held(&elsewhere.held, keys, events);
    }
}
