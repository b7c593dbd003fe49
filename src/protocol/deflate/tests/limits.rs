//! Memory that a peer can make this end use while inflating.

use flate2::FlushCompress;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::super::{InflateError, InflateJob, Inflater, Progress, TRAILER};
use super::{Flate2Compressor, inflate_with, message, noise, payload, words};
use crate::protocol::ProtocolError;

const STEP: usize = 64 * 1024;
/// Output beyond the limit before it is checked.
const BEYOND: usize = 16 * 1024;

/// Length and capacity of the output after each step, up to the end or the limit, and the result.
fn steps(input: &[u8], limit: usize) -> (Vec<(usize, usize)>, Result<(), ProtocolError>) {
    let mut seen = Vec::new();
    loop {
        // Restarted each time: only a finished job gives access to its memory.
        let mut job = InflateJob::new(Inflater::new(), input.to_vec(), true, Vec::new(), limit);
        let runs = seen.len() + 1;
        let last = (0..runs).map(|_| job.run(0)).last();
        match job.into_parts() {
            Ok(inflated) => seen.push((inflated.output.len(), inflated.output.capacity())),
            Err(error) => return (seen, Err(error)),
        }
        if last == Some(Progress::Done) {
            return (seen, Ok(()));
        }
    }
}

/// Asserts that no step reserves more than slightly beyond the limit or a doubling.
fn assert_small(steps: &[(usize, usize)], limit: usize) {
    let mut before = 0;
    for &(length, capacity) in steps {
        assert!(capacity <= limit.saturating_add(BEYOND), "{capacity} of {limit}");
        assert!(capacity <= before + STEP.max(before), "{capacity} behind {before}");
        before = length;
    }
}

#[test]
fn the_limit_is_exact() {
    for length in [1, 5, 1_023, 1_024, 1_025, 65_535, 65_536, 65_537, 200_000] {
        for payload in [vec![7; length], words(1, length), noise(2, length)] {
            let input = message(&payload);
            let inflated = inflate_with(Inflater::new(), &input, length).unwrap();
            assert!(inflated.output == payload);
            assert!(inflated.output.capacity() <= length + BEYOND);
            if length > 1 {
                let over = inflate_with(Inflater::new(), &input, length - 1);
                assert_eq!(over.err(), Some(ProtocolError::UnsupportedMessageLength), "{length}");
            }
        }
    }
}

#[test]
fn memory_stays_within_the_limit_at_every_step() {
    for payload in [vec![7; 300_000], words(3, 150_000), noise(4, 150_000)] {
        let input = message(&payload);
        for limit in [100, 1_024, 65_536, 100_000, payload.len() - 1, payload.len(), 1_000_000, usize::MAX] {
            let (steps, end) = steps(&input, limit);
            assert_small(&steps, limit);
            assert_eq!(end.is_ok(), limit >= payload.len());
            assert!(end.is_err() || steps.last().unwrap().0 == payload.len());
        }
    }
}

#[test]
fn earlier_output_counts_toward_the_limit() {
    let input = message(b"Hello");
    for (limit, fits) in [(10, true), (9, false)] {
        let mut job = InflateJob::new(Inflater::new(), input.clone(), true, b"Hello".to_vec(), limit);
        assert_eq!(job.run(usize::MAX), Progress::Done);
        assert_eq!(job.into_parts().is_ok(), fits);
    }
}

#[test]
fn an_earlier_error_in_the_same_chunk_precedes_the_limit() {
    let broken = |length| [&message(&words(5, length))[..], &TRAILER, &[0x06]].concat();
    let fault = ProtocolError::InvalidDeflate(InflateError::BlockType);
    for (length, limit, error) in [
        (1_000, 1_000, fault),
        (1_000, 999, fault),
        (10_000, 100, fault),
        (100_000, 100, ProtocolError::UnsupportedMessageLength),
        (100_000, 100_000, fault),
    ] {
        assert_eq!(
            inflate_with(Inflater::new(), &broken(length), limit).err(),
            Some(error),
            "{length}, {limit}"
        );
    }
}

#[test]
fn a_decompression_bomb_fails_at_the_limit() {
    // A ratio of a thousand to one, in pieces without references to each other.
    const PIECE: usize = 1 << 20;
    let piece = Flate2Compressor::new(9, 15).compress(&vec![0; PIECE], FlushCompress::Full);
    assert!(piece.len() * 900 < PIECE);
    let bomb = piece.repeat(200);
    for limit in [10_000, 100_000, 3 * PIECE / 2] {
        let (steps, end) = steps(&bomb, limit);
        assert_eq!(end, Err(ProtocolError::UnsupportedMessageLength));
        assert_small(&steps, limit);
        assert!(steps.len() < 40, "{}", steps.len());
    }
}

#[test]
fn an_unlimited_decompression_bomb_can_be_abandoned() {
    let piece = Flate2Compressor::new(9, 15).compress(&vec![0; 1 << 20], FlushCompress::Full);
    let mut job = InflateJob::new(Inflater::new(), piece.repeat(50), true, Vec::new(), usize::MAX);
    assert_eq!(job.run(128 * 1024), Progress::Paused);
    let inflated = job.into_parts().unwrap();
    assert!(inflated.output.capacity() <= 512 * 1024, "{}", inflated.output.capacity());
}

proptest! {
    #[test]
    fn any_limit(payload in payload(20_000), limit in 0_usize..25_000, allowed in 0_usize..3_000) {
        let mut job = InflateJob::new(Inflater::new(), message(&payload), true, Vec::new(), limit);
        while job.run(allowed) == Progress::Paused {}
        match job.into_parts() {
            Ok(inflated) => {
                prop_assert!(payload.len() <= limit);
                prop_assert!(inflated.output.capacity() <= limit + BEYOND);
                prop_assert_eq!(inflated.output, payload);
            }
            Err(error) => {
                prop_assert!(payload.len() > limit);
                prop_assert_eq!(error, ProtocolError::UnsupportedMessageLength);
            }
        }
    }
}
