//! DEFLATE against independent references: flate2, the examples of RFC 7692, the inputs of zlib's
//! own tests. Helpers shared by the test files.

mod compressor;
mod distances;
mod errors;
mod examples;
mod inflation;
mod limits;
mod pool;
mod window;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use proptest::prelude::{Just, Strategy as Strategic, any, prop_oneof};

use super::inflater::Inflated;
use super::{InflateJob, Inflater, OutgoingParams, Progress, WindowBits};
use crate::protocol::ProtocolError;

fn bits(bits: u8) -> WindowBits {
    WindowBits::new(bits).unwrap()
}

/// Parameters with this window size.
fn window(window_bits: u8) -> OutgoingParams {
    OutgoingParams { window_bits: bits(window_bits), ..OutgoingParams::default() }
}

/// Pseudorandom bytes.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Words that repeat at short and long distances.
fn words(seed: u64, length: usize) -> Vec<u8> {
    let order = noise(seed, length);
    let text = order.iter().flat_map(|choice| {
        let word = u32::from(choice % 40);
        let letters = (0..2 + word % 9).map(move |at| b'a' + ((word * 7 + at * at) % 26) as u8);
        letters.chain([b' '])
    });
    text.take(length).collect()
}

/// Payloads with good, mediocre and no compression; never empty.
fn payload(longest: usize) -> impl Strategic<Value = Vec<u8>> {
    let length =
        prop_oneof![3 => 1_usize..40, 4 => 40_usize..2_000, 1 => longest / 2..=longest, 1 => Just(longest)];
    (length, any::<u64>(), 0_u8..5).prop_map(|(length, seed, kind)| match kind {
        0 => noise(seed, length),
        1 => vec![seed as u8; length],
        // Repetitions at a distance.
        2 => noise(seed, 1 + length / 3).iter().copied().cycle().take(length).collect(),
        _ => words(seed, length),
    })
}

/// Inflates with flate2, one message after another, each up to the end of a sync flush.
struct Flate2Inflater(Decompress);

impl Flate2Inflater {
    fn new() -> Self {
        Self(Decompress::new(false))
    }

    fn knowing(dictionary: &[u8]) -> Self {
        let mut plain = Self::new();
        plain.0.set_dictionary(dictionary).unwrap();
        plain
    }

    fn inflate(&mut self, input: &[u8]) -> Vec<u8> {
        let (output, fault) = self.try_inflate(input);
        assert_eq!(fault, None);
        output
    }

    /// Output up to an error, and zlib's message for it.
    fn try_inflate(&mut self, input: &[u8]) -> (Vec<u8>, Option<String>) {
        let (mut output, start) = (Vec::new(), self.0.total_in());
        loop {
            output.reserve(64 * 1024);
            let rest = &input[(self.0.total_in() - start) as usize..];
            match self.0.decompress_vec(rest, &mut output, FlushDecompress::Sync) {
                Ok(Status::StreamEnd) => return (output, None),
                Ok(_) if output.len() < output.capacity() => return (output, None),
                Ok(_) => {}
                Err(error) => {
                    let message = error.message().unwrap_or_default().trim_end_matches('\0');
                    return (output, Some(message.to_owned()));
                }
            }
        }
    }
}

/// Compresses with flate2, one message after another, each up to the end of a sync flush or of the
/// stream.
struct Flate2Compressor(Compress);

impl Flate2Compressor {
    fn new(level: u32, window_bits: u8) -> Self {
        Self(Compress::new_with_window_bits(Compression::new(level), false, window_bits))
    }

    fn compress(&mut self, payload: &[u8], flush: FlushCompress) -> Vec<u8> {
        let (mut output, start) = (Vec::new(), self.0.total_in());
        loop {
            output.reserve(payload.len() + 64);
            let rest = &payload[(self.0.total_in() - start) as usize..];
            self.0.compress_vec(rest, &mut output, flush).unwrap();
            if output.len() < output.capacity() {
                return output;
            }
        }
    }
}

/// Payload of a whole message on the wire, without the trailer.
fn message(payload: &[u8]) -> Vec<u8> {
    let mut compressed = Flate2Compressor::new(6, 15).compress(payload, FlushCompress::Sync);
    compressed.truncate(compressed.len() - 4);
    compressed
}

/// Inflates the payload of a final frame at once.
fn inflate_with(inflater: Inflater, input: &[u8], limit: usize) -> Result<Inflated, ProtocolError> {
    let mut job = InflateJob::new(inflater, input.to_vec(), true, Vec::new(), limit);
    assert_eq!(job.run(usize::MAX), Progress::Done);
    job.into_parts()
}

fn inflate(input: &[u8]) -> Result<Inflated, ProtocolError> {
    inflate_with(Inflater::new(), input, usize::MAX)
}
