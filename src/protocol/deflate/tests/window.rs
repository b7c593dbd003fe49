//! Payloads refer no further back than the peer's window.

use proptest::collection::vec;
use proptest::prelude::{Strategy as Strategic, any, prop_assert, prop_assert_eq, proptest};

use super::super::{Compressor, Level, MemLevel, OutgoingParams, Strategy};
use super::distances::furthest;
use super::{Flate2Inflater, bits, noise, words};

/// Pseudorandom bytes, repeated at `distance`.
fn match_at(distance: usize) -> Vec<u8> {
    noise(9, distance).repeat(2)
}

#[test]
fn distances_are_measured() {
    let outgoing = OutgoingParams { level: Level::new(9), ..OutgoingParams::default() };
    for distance in [20, 100, 249, 250, 251, 256, 257, 511, 1_000, 20_000, 32_768 - 262] {
        let compressed = Compressor::new(&outgoing, usize::MAX).compress(&[], &match_at(distance)).to_vec();
        let mut output = Vec::new();
        assert_eq!(furthest(&compressed, &mut output), distance);
        assert!(output == match_at(distance));
    }
}

/// Texts similar to earlier ones, at all distances.
fn payloads() -> impl Strategic<Value = Vec<Vec<u8>>> {
    let piece = (0_usize..3_000, 3_usize..400);
    let payload = vec(piece, 1..8).prop_map(|pieces| {
        let source = words(7, 3_400);
        pieces.into_iter().flat_map(|(start, length)| source[start..start + length].to_vec()).collect()
    });
    vec(payload, 1..6)
}

/// The last bytes, as many as fit in the window.
fn kept(sent: &[u8], outgoing: &OutgoingParams) -> Vec<u8> {
    sent[sent.len().saturating_sub(outgoing.window_bits.size())..].to_vec()
}

proptest! {
    #[test]
    fn no_distance_exceeds_the_window(
        payloads in payloads(),
        window_bits in 8_u8..=13,
        level in 0_u8..=10,
        mem_level in 1_u8..=9,
        fixed: bool,
    ) {
        let outgoing = OutgoingParams {
            window_bits: bits(window_bits),
            level: Level::new(level),
            mem_level: MemLevel::new(mem_level).unwrap(),
            strategy: if fixed { Strategy::Fixed } else { Strategy::Default },
            ..OutgoingParams::default()
        };
        let mut compressor = Compressor::new(&outgoing, usize::MAX);
        let mut sent = Vec::new();
        for payload in &payloads {
            let compressed = compressor.compress(&sent, payload);
            // The receiving flate2 knows the window and nothing before it.
            let inflated = Flate2Inflater::knowing(&kept(&sent, &outgoing)).inflate(compressed);
            prop_assert_eq!(&inflated, payload);
            let distance = furthest(compressed, &mut sent);
            prop_assert!(distance <= outgoing.window_bits.size(), "{}", distance);
            prop_assert!(sent.ends_with(payload));
        }
    }

    #[test]
    fn no_distance_exceeds_the_window_behind_a_dictionary(
        dictionary in vec(any::<u8>(), 1..1_500),
        start: u16,
        window_bits in 8_u8..=10,
        level in 1_u8..=10,
    ) {
        let outgoing =
            OutgoingParams { window_bits: bits(window_bits), level: Level::new(level), ..OutgoingParams::default() };
        let start = usize::from(start) % dictionary.len();
        let payload = [&dictionary[start..], &noise(8, 50), &dictionary[..]].concat();
        let mut compressor = Compressor::new(&outgoing, usize::MAX);
        let compressed = compressor.compress(&dictionary, &payload);
        prop_assert_eq!(&Flate2Inflater::knowing(&kept(&dictionary, &outgoing)).inflate(compressed), &payload);
        let mut sent = kept(&dictionary, &outgoing);
        prop_assert!(furthest(compressed, &mut sent) <= outgoing.window_bits.size());
    }
}

#[test]
fn the_smallest_windows_never_refer_beyond_256_bytes() {
    // Repetitions at every distance around the edge, within one message and across two.
    for window_bits in [8, 9] {
        for level in [None].into_iter().chain((1..=9).map(Level::new)) {
            let outgoing =
                OutgoingParams { window_bits: bits(window_bits), level, ..OutgoingParams::default() };
            for distance in 240..=262 {
                let mut compressor = Compressor::new(&outgoing, usize::MAX);
                let mut sent = Vec::new();
                let payload = match_at(distance);
                for part in [&payload[..distance + 20], &payload[distance + 20..], &payload] {
                    let compressed = compressor.compress(&sent, part);
                    assert!(furthest(compressed, &mut sent) <= 256);
                    assert!(sent.ends_with(part));
                }
            }
        }
    }
}
