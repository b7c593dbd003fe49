//! Arbitrary bytes inflated as the frames of a message, compared with flate2: at once, in steps,
//! and within a limit.

use flate2::{Decompress, FlushDecompress, Status};

use super::Input;
use super::input::Rng;
use crate::protocol::ProtocolError;
use crate::protocol::deflate::{InflateJob, OutgoingParams, Pool, Progress, WindowBits, compress_standalone};

/// Output between two checks of the limit.
const CHUNK: usize = 16 * 1024;
/// Maximum output per case.
const MAX_CASE_BYTES: usize = 4 << 20;
/// The end of a sync flush, omitted in a last frame.
const TRAILER: &[u8] = &[0, 0, 0xFF, 0xFF];

/// Input: the window, flags, the limit, the seed of the splits, data sent before, and the bytes,
/// which a flag deflates first.
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let window = WindowBits::new(8 + input.below(8)).map_or(0, WindowBits::size);
    let flags = input.byte();
    let any_limit = usize::from(input.number16()) * if flags & 1 == 0 { 1 } else { 64 };
    let mut rng = Rng::new(input.number16());
    let pool = Pool::default();
    let before = input.short().repeat(1 + usize::from(flags >> 4));
    let before = &before[before.len().saturating_sub(window)..];
    let bytes = input.remaining();
    let bytes = if flags & 2 == 0 {
        bytes.to_vec()
    } else {
        compress_standalone(&pool, &OutgoingParams::default(), &bytes.repeat(1 + any_limit % 300))
    };

    let Some(reference) = Reference::of(before, &[&bytes, TRAILER].concat()) else { return };
    let at_once = inflated(&pool, before, &[&bytes], MAX_CASE_BYTES, || usize::MAX);
    assert!(reference.agrees_with(&at_once));

    // In frames and in steps of any size.
    let frames = rng.split(&bytes);
    let in_steps = inflated(&pool, before, &frames, MAX_CASE_BYTES, || rng.below(3) * 20_000);
    assert!(reference.agrees_with(&in_steps));

    // With a sufficient limit, one that is a byte too small, and any limit.
    for limit in [reference.output.len(), reference.output.len().saturating_sub(1), any_limit] {
        let limited = inflated(&pool, before, &frames, limit, || rng.below(3) * 20_000);
        if reference.is_valid && reference.output.len() <= limit {
            assert!(limited.as_ref() == Ok(&reference.output));
        } else if reference.is_valid {
            assert!(limited == Err(ProtocolError::UnsupportedMessageLength));
        } else {
            assert!(limited.is_err());
        }
    }
}

/// Inflates the frames of a message, checking its memory.
fn inflated(
    pool: &Pool,
    before: &[u8],
    frames: &[&[u8]],
    limit: usize,
    mut budget: impl FnMut() -> usize,
) -> Result<Vec<u8>, ProtocolError> {
    let mut inflater = pool.take_inflater(before);
    let mut output = Vec::new();
    let last = frames.len().saturating_sub(1);
    for index in 0..=last {
        let frame = frames.get(index).copied().unwrap_or_default();
        let start = output.len();
        let mut job = InflateJob::new(inflater, frame.to_vec(), index == last, output, limit);
        while job.run(budget()) == Progress::Paused {
            assert!(start + job.length() <= limit + CHUNK);
        }
        assert!(start + job.length() <= limit + CHUNK);
        let is_finished = job.is_finished();
        let parts = job.into_parts()?;
        assert!(parts.output.len() <= limit.max(start));
        assert_eq!((parts.start, parts.inflater.is_none()), (start, is_finished));
        output = parts.output;
        // The peer's next stream; flate2 stops here.
        let Some(next) = parts.inflater else { return Ok(output) };
        inflater = next;
    }
    pool.put_inflater(inflater);
    Ok(output)
}

/// The result of flate2 for the same bytes.
struct Reference {
    output: Vec<u8>,
    is_valid: bool,
}

impl Reference {
    /// `None` if the output is too long.
    fn of(before: &[u8], input: &[u8]) -> Option<Self> {
        let mut inner = Decompress::new(false);
        if !before.is_empty() {
            assert!(inner.set_dictionary(before).is_ok());
        }
        let mut output = Vec::new();
        loop {
            output.reserve(64 * 1024);
            let rest = &input[inner.total_in() as usize..];
            let status = inner.decompress_vec(rest, &mut output, FlushDecompress::Sync);
            if output.len() >= MAX_CASE_BYTES {
                return None;
            }
            match status {
                Err(_) => return Some(Self { output, is_valid: false }),
                Ok(Status::StreamEnd) => return Some(Self { output, is_valid: true }),
                Ok(_) if output.len() < output.capacity() => return Some(Self { output, is_valid: true }),
                Ok(_) => {}
            }
        }
    }

    fn agrees_with(&self, result: &Result<Vec<u8>, ProtocolError>) -> bool {
        match result {
            Ok(output) => self.is_valid && *output == self.output,
            Err(ProtocolError::InvalidDeflate(_)) => !self.is_valid,
            Err(_) => false,
        }
    }
}
