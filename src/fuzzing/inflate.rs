//! Inflating any bytes as the frames of a message, against flate2 by itself: at once, in steps, and within a limit.

use flate2::{Decompress, FlushDecompress, Status};

use super::Input;
use super::input::Dice;
use crate::protocol::ProtocolError;
use crate::protocol::deflate::{InflateJob, OutgoingParams, Pool, Progress, WindowBits, compress_standalone};

/// Within a limit, what comes out is looked at when so much more of it is there.
const CHUNK: usize = 16 * 1024;
/// No case inflates to more.
const LONGEST: usize = 4 << 20;
/// The end of a sync flush, which a last frame leaves out.
const TRAILER: &[u8] = &[0, 0, 0xFF, 0xFF];

/// Input: the window, flags, the limit, how to cut, what the peer has sent before, and the bytes: as they are, or, as a flag
/// says, to be deflated first.
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let window = WindowBits::new(8 + input.below(8)).map_or(0, WindowBits::size);
    let flags = input.byte();
    let wanted = usize::from(input.number16()) * if flags & 1 == 0 { 1 } else { 64 };
    let mut dice = Dice::new(input.number16());
    let pool = Pool::default();
    let before = input.short().repeat(1 + usize::from(flags >> 4));
    let before = &before[before.len().saturating_sub(window)..];
    let bytes = input.trim_memory();
    let bytes = if flags & 2 == 0 {
        bytes.to_vec()
    } else {
        compress_standalone(&pool, &OutgoingParams::default(), &bytes.repeat(1 + wanted % 300))
    };

    let Some(plain) = Plain::of(before, &[&bytes, TRAILER].concat()) else { return };
    let at_once = inflated(&pool, before, &[&bytes], LONGEST, || usize::MAX);
    assert!(plain.agrees_with(&at_once));

    // In frames, and in steps, however far each goes.
    let frames = dice.cut(&bytes);
    let in_steps = inflated(&pool, before, &frames, LONGEST, || dice.below(3) * 20_000);
    assert!(plain.agrees_with(&in_steps));

    // In a limit that is just enough, one that is just too small, and any.
    for limit in [plain.output.len(), plain.output.len().saturating_sub(1), wanted] {
        let limited = inflated(&pool, before, &frames, limit, || dice.below(3) * 20_000);
        if plain.is_fine && plain.output.len() <= limit {
            assert!(limited.as_ref() == Ok(&plain.output));
        } else if plain.is_fine {
            assert!(limited == Err(ProtocolError::UnsupportedMessageLength));
        } else {
            assert!(limited.is_err());
        }
    }
}

/// Inflates the frames of a message, looking at what it holds meanwhile.
fn inflated(
    pool: &Pool,
    before: &[u8],
    frames: &[&[u8]],
    limit: usize,
    mut allowed: impl FnMut() -> usize,
) -> Result<Vec<u8>, ProtocolError> {
    let mut inflater = pool.take_inflater(before);
    let mut output = Vec::new();
    let last = frames.len().saturating_sub(1);
    for index in 0..=last {
        let frame = frames.get(index).copied().unwrap_or_default();
        let start = output.len();
        let mut job = InflateJob::new(inflater, frame.to_vec(), index == last, output, limit);
        while job.run(allowed()) == Progress::Paused {
            assert!(start + job.length() <= limit + CHUNK);
        }
        assert!(start + job.length() <= limit + CHUNK);
        let is_over = job.is_over();
        let parts = job.into_parts()?;
        assert!(parts.output.len() <= limit.max(start));
        assert_eq!((parts.start, parts.inflater.is_none()), (start, is_over));
        output = parts.output;
        // The peer has ended its stream, and begins another: flate2 would not.
        let Some(next) = parts.inflater else { return Ok(output) };
        inflater = next;
    }
    pool.put_inflater(inflater);
    Ok(output)
}

/// What flate2 makes of the same bytes.
struct Plain {
    output: Vec<u8>,
    is_fine: bool,
}

impl Plain {
    /// `None`: that is too much.
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
            if output.len() >= LONGEST {
                return None;
            }
            match status {
                Err(_) => return Some(Self { output, is_fine: false }),
                Ok(Status::StreamEnd) => return Some(Self { output, is_fine: true }),
                Ok(_) if output.len() < output.capacity() => return Some(Self { output, is_fine: true }),
                Ok(_) => {}
            }
        }
    }

    fn agrees_with(&self, result: &Result<Vec<u8>, ProtocolError>) -> bool {
        match result {
            Ok(output) => self.is_fine && *output == self.output,
            Err(ProtocolError::InvalidDeflate(_)) => !self.is_fine,
            Err(_) => false,
        }
    }
}
