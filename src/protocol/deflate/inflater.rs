//! Inflation of data frame payloads (RFC 7692 section 7.2.2) into a bounded output.

use flate2::{Decompress, FlushDecompress, Status};

use super::{InflateError, TRAILER};
use crate::protocol::ProtocolError;

/// Minimum and maximum output capacity reserved at a time.
const FIRST_STEP: usize = 1024;
const LAST_STEP: usize = 64 * 1024;

/// The limit is checked each time this many bytes of a frame are inflated, and at its end. These
/// are the chunks of Node's zlib: an error found in an earlier chunk is reported first.
const CHUNK: usize = 16 * 1024;

/// If the backend has lost its error message, the input is inflated again in small steps to find
/// it, up to this many bytes of output.
const MAX_SEARCHED_OUTPUT: u64 = 1024 * 1024;
/// With less output space than this, the backend uses its slow path, which keeps the message.
const SLOW_PATH_SPACE: usize = 256;

/// Inflates payloads one after another.
#[derive(Debug)]
pub struct Inflater {
    inner: Decompress,
}

impl Inflater {
    /// Creates an inflater with the maximum window: it allocates memory only for the data in it.
    pub(super) fn new() -> Self {
        Self { inner: Decompress::new(false) }
    }

    /// Drops all state and loads `history`, the output so far.
    pub(super) fn load_history(&mut self, history: &[u8]) {
        self.inner.reset(false);
        if !history.is_empty() {
            // Fails only if a header names another dictionary.
            let _ = self.inner.set_dictionary(history);
        }
    }
}

/// A stored block of one byte. An inflater outputs exactly that byte if it is at a block boundary.
const PROBE: &[u8] = &[0x00, 0x01, 0x00, 0xFE, 0xFF, b'?'];

/// Progress of an [`InflateJob`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Complete, or failed.
    Done,
    /// The output budget is used up.
    Paused,
}

/// The inflation of one frame. Self-contained, so that any thread can run it.
#[derive(Debug)]
pub struct InflateJob {
    inflater: Inflater,
    input: Vec<u8>,
    read: usize,
    output: Vec<u8>,
    /// Offset of this frame in the output.
    start: usize,
    /// Maximum length of the whole output.
    limit: usize,
    /// True after the final block of the stream.
    has_ended: bool,
    error: Option<ProtocolError>,
}

impl InflateJob {
    /// Creates a job that appends the inflated `input`, an unmasked payload, to `output`. `fin`: it
    /// is the payload of a final frame. `limit`: maximum length of the whole output.
    pub fn new(inflater: Inflater, mut input: Vec<u8>, fin: bool, output: Vec<u8>, limit: usize) -> Self {
        if fin {
            input.extend_from_slice(&TRAILER);
        }
        let start = output.len();
        Self { inflater, input, read: 0, output, start, limit, has_ended: false, error: None }
    }

    /// A failed job, used in place of one that was lost.
    pub fn failed() -> Self {
        let error = Some(ProtocolError::InvalidDeflate(InflateError::Other));
        Self { error, ..Self::new(Inflater::new(), Vec::new(), false, Vec::new(), 0) }
    }

    /// Runs until about `budget` more bytes are inflated or an error is found. Exceeds the limit by
    /// at most one step of 16 KiB.
    pub fn run(&mut self, budget: usize) -> Progress {
        self.try_run(budget).unwrap_or_else(|error| {
            self.error = Some(error);
            Progress::Done
        })
    }

    fn try_run(&mut self, budget: usize) -> Result<Progress, ProtocolError> {
        let pause_at = self.output.len().saturating_add(budget);
        loop {
            self.make_room();
            let (read, written) = (self.inflater.inner.total_in(), self.output.len());
            let input = &self.input[self.read..];
            let status = self.inflater.inner.decompress_vec(input, &mut self.output, FlushDecompress::Sync);
            self.read += (self.inflater.inner.total_in() - read) as usize;
            let status = status.map_err(|error| {
                ProtocolError::InvalidDeflate(InflateError::from_message(error.message()))
            })?;
            self.has_ended = status == Status::StreamEnd;
            let is_stuck = self.read == self.input.len() || self.output.len() == written;
            let is_done = self.has_ended || (is_stuck && self.output.len() < self.output.capacity());
            // An empty frame passes even if the message already exceeds a limit lowered in the
            // meantime, as without compression.
            let limit = if is_done { self.limit } else { self.end_of_last_chunk() };
            if self.output.len() > limit.max(self.start) {
                return Err(ProtocolError::UnsupportedMessageLength);
            }
            if is_done {
                return Ok(Progress::Done);
            }
            if self.output.len() >= pause_at {
                return Ok(Progress::Paused);
            }
        }
    }

    /// Grows the output by doubling, slightly beyond the limit at most.
    fn make_room(&mut self) {
        let length = self.output.len();
        if length < self.output.capacity() {
            return;
        }
        let left = self.input.len() - self.read;
        let wanted = length.max(left.saturating_mul(4)).clamp(FIRST_STEP, LAST_STEP.max(length));
        let bound = self.end_of_last_chunk().saturating_add(1).saturating_sub(length);
        self.output.reserve_exact(wanted.min(bound).max(1));
    }

    /// End of the chunk that contains the limit.
    fn end_of_last_chunk(&self) -> usize {
        let left = self.limit.saturating_sub(self.start);
        left.checked_next_multiple_of(CHUNK).map_or(usize::MAX, |chunks| self.start.saturating_add(chunks))
    }

    /// True if the payload of a final frame ended at a block boundary, as it must (RFC 7692 section
    /// 7.2.1): its output is then all the next message needs. Call once, after the job is done; it
    /// consumes the inflater's state.
    pub fn ends_with_block(&mut self) -> bool {
        let mut output = [0; 2];
        let (read, written) = (self.inflater.inner.total_in(), self.inflater.inner.total_out());
        let probed = self.inflater.inner.decompress(PROBE, &mut output, FlushDecompress::Sync);
        let read = self.inflater.inner.total_in() - read;
        let written = self.inflater.inner.total_out() - written;
        probed.is_ok() && read == PROBE.len() as u64 && written == 1 && output[0] == b'?'
    }

    /// Inflates again, with an inflater in the initial state of the first one.
    pub fn repeat(&mut self, inflater: Inflater) {
        self.inflater = inflater;
        self.read = 0;
        self.output.truncate(self.start);
        while self.run(usize::MAX) == Progress::Paused {}
    }

    /// Output length of this frame.
    pub fn length(&self) -> usize {
        self.output.len() - self.start
    }

    /// True if the job has failed or the peer has ended its stream.
    pub fn is_finished(&self) -> bool {
        self.error.is_some() || self.has_ended
    }

    /// True if the job failed without a message from the backend.
    pub fn has_unnamed_error(&self) -> bool {
        self.error == Some(ProtocolError::InvalidDeflate(InflateError::Other))
    }

    /// Finds the message by inflating again, with an inflater in the initial state of the first
    /// one.
    pub fn name_error(&mut self, mut inflater: Inflater) {
        let mut output = [0; SLOW_PATH_SPACE];
        while inflater.inner.total_out() < MAX_SEARCHED_OUTPUT {
            let read = inflater.inner.total_in() as usize;
            let input = self.input.get(read..).unwrap_or_default();
            match inflater.inner.decompress(input, &mut output, FlushDecompress::Sync) {
                Ok(Status::Ok) => {}
                Ok(_) => return,
                Err(error) => {
                    let error = InflateError::from_message(error.message());
                    self.error = Some(ProtocolError::InvalidDeflate(error));
                    return;
                }
            }
        }
    }

    /// Returns the results of a job that is done.
    ///
    /// # Errors
    /// [`ProtocolError::InvalidDeflate`] and [`ProtocolError::UnsupportedMessageLength`].
    pub fn into_parts(self) -> Result<Inflated, ProtocolError> {
        let Self { inflater, input, output, start, has_ended, error, .. } = self;
        match error {
            Some(error) => Err(error),
            None => Ok(Inflated { inflater: (!has_ended).then_some(inflater), input, output, start }),
        }
    }
}

/// Results of an [`InflateJob`].
#[derive(Debug)]
pub struct Inflated {
    /// `None` if the peer has ended its stream (a block with BFINAL set, RFC 7692 section 7.2.3.4).
    /// Its next frame begins a new one.
    pub inflater: Option<Inflater>,
    /// Memory of the input, for reuse.
    pub input: Vec<u8>,
    /// The earlier output, followed by this frame.
    pub output: Vec<u8>,
    /// Offset of this frame in the output.
    pub start: usize,
}
