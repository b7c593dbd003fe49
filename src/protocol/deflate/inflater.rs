//! Inflating the payloads of data frames (RFC 7692 section 7.2.2) into a bounded output.

use flate2::{Decompress, FlushDecompress, Status};

use super::{InflateError, TRAILER};
use crate::protocol::ProtocolError;

/// Least and most room made for output at a time.
const FIRST_STEP: usize = 1024;
const LAST_STEP: usize = 64 * 1024;

/// Each time that so much of a frame has come out, and at its end, the limit is looked at, as zlib's chunks are in Node: what
/// else is wrong before comes first.
const CHUNK: usize = 16 * 1024;

/// Where the backend has lost the words for a fault, it is looked for again, slowly, within so many bytes of output.
const LOOKED_THROUGH: u64 = 1024 * 1024;
/// With less room than this for its output, the backend takes the slow way, on which it keeps its words.
const SLOW_ROOM: usize = 256;

/// Inflates one payload after the other.
#[derive(Debug)]
pub struct Inflater {
    inner: Decompress,
}

impl Inflater {
    /// A new one. Its window is the largest there is, whatever was agreed on: it takes memory only for what is in it.
    pub(super) fn new() -> Self {
        Self { inner: Decompress::new(false) }
    }

    /// Forgets everything but `history`, what was inflated before.
    pub(super) fn begin(&mut self, history: &[u8]) {
        self.inner.reset(false);
        if !history.is_empty() {
            // Fails only where there is a header that names another one.
            let _ = self.inner.set_dictionary(history);
        }
    }
}

/// A block that holds one byte, which comes out of an inflater if that is between two blocks, and only then.
const PROBE: &[u8] = &[0x00, 0x01, 0x00, 0xFE, 0xFF, b'?'];

/// How far an [`InflateJob`] has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All of it is there.
    Done,
    /// There is more to do than was allowed.
    Paused,
}

/// The payload of one frame on its way through an inflater. Needs nothing else, so that any thread can run it.
#[derive(Debug)]
pub struct InflateJob {
    inflater: Inflater,
    input: Vec<u8>,
    read: usize,
    output: Vec<u8>,
    /// Where in the output this frame begins.
    start: usize,
    /// Bytes that the whole output may have.
    limit: usize,
    /// Whether the last block of the stream has come.
    ended: bool,
    fault: Option<ProtocolError>,
}

impl InflateJob {
    /// Inflates `input`, an unmasked payload, behind what is in `output`. `fin`: it is that of a last frame. `limit`: bytes
    /// that the output may have in all.
    pub fn new(inflater: Inflater, mut input: Vec<u8>, fin: bool, output: Vec<u8>, limit: usize) -> Self {
        if fin {
            input.extend_from_slice(&TRAILER);
        }
        let start = output.len();
        Self { inflater, input, read: 0, output, start, limit, ended: false, fault: None }
    }

    /// One that has failed, in place of one that is lost.
    pub fn failed() -> Self {
        let fault = Some(ProtocolError::InvalidDeflate(InflateError::Other));
        Self { fault, ..Self::new(Inflater::new(), Vec::new(), false, Vec::new(), 0) }
    }

    /// Goes on, until about `allowed` bytes more have come out, or something is found to be wrong: over the limit, at most one
    /// step of 16 KiB is in memory.
    pub fn run(&mut self, allowed: usize) -> Progress {
        self.try_run(allowed).unwrap_or_else(|fault| {
            self.fault = Some(fault);
            Progress::Done
        })
    }

    fn try_run(&mut self, allowed: usize) -> Result<Progress, ProtocolError> {
        let pause_at = self.output.len().saturating_add(allowed);
        loop {
            self.make_room();
            let (read, written) = (self.inflater.inner.total_in(), self.output.len());
            let input = &self.input[self.read..];
            let status = self.inflater.inner.decompress_vec(input, &mut self.output, FlushDecompress::Sync);
            self.read += (self.inflater.inner.total_in() - read) as usize;
            let status = status.map_err(|error| {
                ProtocolError::InvalidDeflate(InflateError::from_message(error.message()))
            })?;
            self.ended = status == Status::StreamEnd;
            let is_stuck = self.read == self.input.len() || self.output.len() == written;
            let is_done = self.ended || (is_stuck && self.output.len() < self.output.capacity());
            // As without compression, an empty frame passes where a limit lowered since is exceeded already.
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

    /// The output grows by doubling, within the limit and a little more.
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

    /// Where the chunk ends that the limit is in.
    fn end_of_last_chunk(&self) -> usize {
        let left = self.limit.saturating_sub(self.start);
        left.checked_next_multiple_of(CHUNK).map_or(usize::MAX, |chunks| self.start.saturating_add(chunks))
    }

    /// Whether the payload of a last frame has ended with a block, as it must (RFC 7692 section 7.2.1): what it was is then all
    /// that the next message needs. To be asked once it is done, and once: the inflater is of no more use as it is.
    pub fn ends_with_block(&mut self) -> bool {
        let mut output = [0; 2];
        let (read, written) = (self.inflater.inner.total_in(), self.inflater.inner.total_out());
        let probed = self.inflater.inner.decompress(PROBE, &mut output, FlushDecompress::Sync);
        let read = self.inflater.inner.total_in() - read;
        let written = self.inflater.inner.total_out() - written;
        probed.is_ok() && read == PROBE.len() as u64 && written == 1 && output[0] == b'?'
    }

    /// Inflates once more, with an inflater that is where this one was at first.
    pub fn repeat(&mut self, inflater: Inflater) {
        self.inflater = inflater;
        self.read = 0;
        self.output.truncate(self.start);
        while self.run(usize::MAX) == Progress::Paused {}
    }

    /// How much has come out.
    pub fn length(&self) -> usize {
        self.output.len() - self.start
    }

    /// Whether it has failed, or the peer has ended its stream.
    pub fn is_over(&self) -> bool {
        self.fault.is_some() || self.ended
    }

    /// Whether it has failed for a reason that the backend could not name.
    pub fn has_unnamed_fault(&self) -> bool {
        self.fault == Some(ProtocolError::InvalidDeflate(InflateError::Other))
    }

    /// Looks for the reason again, with an inflater that is where this one was at first.
    pub fn name_fault(&mut self, mut inflater: Inflater) {
        let mut output = [0; SLOW_ROOM];
        while inflater.inner.total_out() < LOOKED_THROUGH {
            let read = inflater.inner.total_in() as usize;
            let input = self.input.get(read..).unwrap_or_default();
            match inflater.inner.decompress(input, &mut output, FlushDecompress::Sync) {
                Ok(Status::Ok) => {}
                Ok(_) => return,
                Err(error) => {
                    let fault = InflateError::from_message(error.message());
                    self.fault = Some(ProtocolError::InvalidDeflate(fault));
                    return;
                }
            }
        }
    }

    /// Takes it apart, once it is done.
    ///
    /// # Errors
    /// [`ProtocolError::InvalidDeflate`] and [`ProtocolError::UnsupportedMessageLength`].
    pub fn into_parts(self) -> Result<Inflated, ProtocolError> {
        let Self { inflater, input, output, start, ended, fault, .. } = self;
        match fault {
            Some(fault) => Err(fault),
            None => Ok(Inflated { inflater: (!ended).then_some(inflater), input, output, start }),
        }
    }
}

/// What an [`InflateJob`] leaves.
#[derive(Debug)]
pub struct Inflated {
    /// `None`: the peer has ended its stream, and its next frame begins another (a block with BFINAL set, RFC 7692 section
    /// 7.2.3.4).
    pub inflater: Option<Inflater>,
    /// The memory of the input.
    pub input: Vec<u8>,
    /// What was there before, and this frame.
    pub output: Vec<u8>,
    /// Where in the output this frame begins.
    pub start: usize,
}
