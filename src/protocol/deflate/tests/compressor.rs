//! flate2 inflates the compressor's output, with every combination of parameters.

use proptest::collection::vec;
use proptest::prelude::{
    Just, Strategy as Strategic, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::super::{
    Compressor, Level, MemLevel, Pool, Strategy, TRAILER, compress_standalone, stored_blocks, strip_trailer,
};
use super::{Flate2Inflater, OutgoingParams, bits, noise, payload, window, words};

fn strategy() -> impl Strategic<Value = Strategy> {
    prop_oneof![
        4 => Just(Strategy::Default),
        1 => Just(Strategy::Filtered),
        1 => Just(Strategy::HuffmanOnly),
        1 => Just(Strategy::Rle),
        1 => Just(Strategy::Fixed),
    ]
}

fn outgoing() -> impl Strategic<Value = OutgoingParams> {
    let level = prop_oneof![Just(None), (0_u8..=9).prop_map(Level::new)];
    (level, 1_u8..=9, strategy(), 8_u8..=15).prop_map(|(level, mem_level, strategy, window_bits)| {
        OutgoingParams {
            level,
            mem_level: MemLevel::new(mem_level).unwrap(),
            strategy,
            window_bits: bits(window_bits),
            ..OutgoingParams::default()
        }
    })
}

/// Compresses payloads one after another; each may refer to the earlier ones.
fn round_trips(outgoing: &OutgoingParams, payloads: &[&[u8]]) {
    let (mut compressor, mut plain, mut sent) =
        (Compressor::new(outgoing, usize::MAX), Flate2Inflater::new(), Vec::new());
    for payload in payloads {
        let compressed = compressor.compress(&sent, payload);
        assert!(compressed.ends_with(&TRAILER));
        let whole = strip_trailer(compressed, true);
        assert_eq!(whole.len(), compressed.len() - TRAILER.len());
        assert_eq!(strip_trailer(compressed, false), compressed);
        assert!(plain.inflate(compressed) == *payload, "{outgoing:?}");
        sent.extend_from_slice(payload);
    }
}

#[test]
fn stored_blocks_are_valid_deflate() {
    for length in [0, 1, 65_535, 65_536, 200_000] {
        let (payload, mut plain) = (noise(1, length), Flate2Inflater::new());
        let blocks = stored_blocks(&payload);
        assert!(blocks.ends_with(&TRAILER));
        assert!(plain.inflate(&blocks) == payload);
        assert_eq!(plain.inflate(&stored_blocks(b"next")), b"next");
    }
}

proptest! {
    #[test]
    fn any_params(
        outgoing in outgoing(),
        payloads in vec((payload(3_000), any::<prop::sample::Index>()), 1..4),
        length in prop_oneof![Just(0), Just(usize::MAX)],
    ) {
        let (mut compressor, mut plain, mut sent) = (Compressor::new(&outgoing, length), Flate2Inflater::new(), Vec::new());
        for (payload, known) in &payloads {
            // A payload may refer to any suffix of the earlier ones, including the empty one.
            let history = &sent[known.index(sent.len() + 1)..];
            let compressed = compressor.compress(history, payload);
            prop_assert!(compressed.ends_with(&TRAILER));
            prop_assert_eq!(&Flate2Inflater::knowing(history).inflate(compressed), payload);
            prop_assert_eq!(&plain.inflate(compressed), payload);
            prop_assert_eq!(&Flate2Inflater::new().inflate(&compress_standalone(&Pool::default(), &outgoing, payload)), payload);
            sent.extend_from_slice(payload);
        }
    }
}

#[test]
fn every_level_memory_level_and_strategy_in_every_window() {
    use Strategy::{Default as Usual, Filtered, Fixed, HuffmanOnly, Rle};
    let payloads = [&words(1, 1_500)[..], &noise(2, 300), &words(1, 700), b"x", &[7; 1_000]];
    for level in [None].into_iter().chain((0..=9).map(Level::new)) {
        for window_bits in 8..=15 {
            for (mem_level, strategy) in [(1, Usual), (8, Filtered), (9, HuffmanOnly), (2, Rle), (5, Fixed)] {
                let mem_level = MemLevel::new(mem_level).unwrap();
                let window_bits = bits(window_bits);
                let outgoing =
                    OutgoingParams { window_bits, level, mem_level, strategy, ..OutgoingParams::default() };
                round_trips(&outgoing, &payloads);
            }
        }
    }
}

#[test]
fn lengths_around_every_step() {
    let all = [words(3, 300_000), noise(4, 300_000)];
    for length in [1, 2, 63, 64, 65, 1_023, 65_535, 65_536, 65_537, 131_071, 131_077, 300_000] {
        for payload in &all {
            round_trips(&OutgoingParams::default(), &[&payload[..length], &payload[..length.min(500)]]);
        }
    }
    for level in [0, 1, 9].map(Level::new) {
        for payload in &all {
            round_trips(&OutgoingParams { level, ..OutgoingParams::default() }, &[payload]);
        }
    }
}

#[test]
fn output_that_just_fits_is_complete() {
    // Incompressible data needs slightly more room than reserved, wherever that ends.
    let outgoing = OutgoingParams { level: Level::new(1), ..OutgoingParams::default() };
    let payload = noise(5, 700);
    let mut compressor = Compressor::new(&outgoing, usize::MAX);
    for length in 1..payload.len() {
        let compressed = compressor.compress(&[], &payload[..length]);
        assert!(compressed.ends_with(&TRAILER));
        assert_eq!(Flate2Inflater::new().inflate(compressed), &payload[..length]);
    }
}

#[test]
fn it_compresses() {
    let mut compressor = Compressor::new(&OutgoingParams::default(), usize::MAX);
    let text = words(6, 2_000);
    let first = compressor.compress(&[], &text).len();
    assert!(first < 1_000, "{first}");
    let again = compressor.compress(&text, &text).len();
    assert!(again < 40, "{again}");
    // The compressor itself keeps no history.
    assert_eq!(compressor.compress(&[], &text).len(), first);
}

#[test]
fn references_stay_in_the_window() {
    for window_bits in 8..=15 {
        for level in [None, Level::new(1), Level::new(9)] {
            let outgoing = OutgoingParams { level, ..window(window_bits) };
            let size = outgoing.window_bits.size();
            let lengths =
                [0, 1, 100, 1_000, 10_000, 1 << 40, usize::MAX].map(|length| outgoing.history_for(length));
            assert!(
                lengths.is_sorted() && lengths[0] >= size.min(1_000) && lengths[6] == size,
                "{lengths:?}"
            );
        }
    }
    // The window always has room for the payload itself.
    assert!(
        (0..16_384).step_by(100).all(|length| OutgoingParams::default().history_for(length) >= 2 * length)
    );
}
