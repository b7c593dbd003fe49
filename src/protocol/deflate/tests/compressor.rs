//! What the compressor makes is what flate2 inflates, with every setting that can be asked for.

use proptest::collection::vec;
use proptest::prelude::{
    Just, Strategy as Strategic, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::super::{
    Compressor, Level, MemLevel, Pool, Strategy, TRAILER, compress_standalone, stored_blocks, strip_trailer,
};
use super::{OutgoingParams, Plain, bits, noise, payload, window, words};

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

/// One payload after the other, each of which may refer to those before.
fn round_trips(outgoing: &OutgoingParams, payloads: &[&[u8]]) {
    let (mut compressor, mut plain, mut sent) = (Compressor::new(outgoing), Plain::new(), Vec::new());
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
fn what_is_stored_is_deflate_like_any_other() {
    for length in [0, 1, 65_535, 65_536, 200_000] {
        let (payload, mut plain) = (noise(1, length), Plain::new());
        let blocks = stored_blocks(&payload);
        assert!(blocks.ends_with(&TRAILER));
        assert!(plain.inflate(&blocks) == payload);
        assert_eq!(plain.inflate(&stored_blocks(b"next")), b"next");
    }
}

proptest! {
    #[test]
    fn whatever_is_asked_for(
        outgoing in outgoing(),
        payloads in vec((payload(3_000), any::<prop::sample::Index>()), 1..4),
    ) {
        let (mut compressor, mut plain, mut sent) = (Compressor::new(&outgoing), Plain::new(), Vec::new());
        for (payload, known) in &payloads {
            // Any end of what was sent may be referred to, also none of it.
            let history = &sent[known.index(sent.len() + 1)..];
            let compressed = compressor.compress(history, payload);
            prop_assert!(compressed.ends_with(&TRAILER));
            prop_assert_eq!(&Plain::knowing(history).inflate(compressed), payload);
            prop_assert_eq!(&plain.inflate(compressed), payload);
            prop_assert_eq!(&Plain::new().inflate(&compress_standalone(&Pool::default(), &outgoing, payload)), payload);
            sent.extend_from_slice(payload);
        }
    }
}

#[test]
fn each_level_memory_level_and_strategy_in_each_window() {
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
fn output_that_just_fits_is_whole() {
    // What can't be compressed comes out a little longer than the room that is made for it, wherever that ends.
    let outgoing = OutgoingParams { level: Level::new(1), ..OutgoingParams::default() };
    let payload = noise(5, 700);
    let mut compressor = Compressor::new(&outgoing);
    for length in 1..payload.len() {
        let compressed = compressor.compress(&[], &payload[..length]);
        assert!(compressed.ends_with(&TRAILER));
        assert_eq!(Plain::new().inflate(compressed), &payload[..length]);
    }
}

#[test]
fn it_compresses() {
    let mut compressor = Compressor::new(&OutgoingParams::default());
    let text = words(6, 2_000);
    let first = compressor.compress(&[], &text).len();
    assert!(first < 1_000, "{first}");
    let again = compressor.compress(&text, &text).len();
    assert!(again < 40, "{again}");
    // It remembers nothing by itself.
    assert_eq!(compressor.compress(&[], &text).len(), first);
}

#[test]
fn what_is_referred_to_is_in_the_window() {
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
    // A payload always fits in beside itself.
    assert!(
        (0..16_384).step_by(100).all(|length| OutgoingParams::default().history_for(length) >= 2 * length)
    );
}
