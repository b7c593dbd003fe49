//! Reuse of inflaters and compressors is invisible to the peer.

use std::sync::Arc;

use flate2::FlushCompress;
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::super::{Compressor, History, Inflater, Level, Pool, TRAILER};
use super::{Flate2Compressor, OutgoingParams, bits, inflate_with, noise, payload, window, words};

/// Receives another message. The receiver keeps its inflater at times, and a history always.
fn receive(
    pool: &Pool,
    history: &mut History,
    size: usize,
    kept: Option<Inflater>,
    input: &[u8],
) -> (Vec<u8>, Inflater) {
    let inflater = kept.unwrap_or_else(|| pool.take_inflater(history.last(size)));
    let whole = inflate_with(inflater, input, usize::MAX).unwrap();
    history.push(&whole.output, size);
    (whole.output, whole.inflater.unwrap())
}

proptest! {
    #[test]
    fn an_inflater_recreated_from_the_history_continues(
        messages in vec((payload(3_000), 0_u8..4), 1..8),
        window_bits in 9_u8..=15,
        level in 1_u32..=9,
    ) {
        let mut flate2 = Flate2Compressor::new(level, window_bits);
        let (pool, size) = (Pool::default(), bits(window_bits).size());
        let mut history = History::default();
        let (mut dropping, mut keeping) = (None, Inflater::new());
        for (payload, fate) in messages {
            let compressed = flate2.compress(&payload, FlushCompress::Sync);
            let whole = &compressed[..compressed.len() - TRAILER.len()];
            let kept = inflate_with(keeping, whole, usize::MAX).unwrap();
            prop_assert_eq!(&kept.output, &payload);
            keeping = kept.inflater.unwrap();

            let (output, inflater) = receive(&pool, &mut history, size, dropping.take(), whole);
            prop_assert_eq!(&output, &payload);
            match fate {
                0 => dropping = Some(inflater),
                1 => drop(inflater),
                // Used for other data in between.
                2 => {
                    pool.put_inflater(inflater);
                    let other = inflate_with(pool.take_inflater(&payload), &[0x00], 0).unwrap();
                    pool.put_inflater(other.inflater.unwrap());
                }
                _ => {
                    history.compact(size);
                    pool.put_inflater(inflater);
                }
            }
        }
    }

    #[test]
    fn the_history_covers_the_compressors_references(
        messages in vec((payload(1_500), any::<bool>()), 1..8),
        window_bits in 8_u8..=15,
    ) {
        let outgoing = window(window_bits);
        let (pool, size) = (Pool::default(), outgoing.window_bits.size());
        let (mut sent, mut received) = (History::default(), History::default());
        let mut kept = None;
        for (payload, keeps) in messages {
            // As in a connection: the history depends on the payload length.
            let length = outgoing.history_for(payload.len());
            let mut compressor = pool.take_compressor(&outgoing, payload.len());
            let compressed = compressor.compress(sent.last(length), &payload);
            let whole = &compressed[..compressed.len() - TRAILER.len()];
            let (output, inflater) = receive(&pool, &mut received, size, kept.take(), whole);
            prop_assert_eq!(&output, &payload);
            kept = keeps.then_some(inflater);
            sent.push(&payload, length);
            pool.put_compressor(compressor);
        }
    }

    #[test]
    fn a_history_has_no_gaps(payloads in vec(payload(40_000), 1..12), window_bits in 8_u8..=15) {
        let outgoing = window(window_bits);
        let (mut history, mut all) = (History::default(), Vec::new());
        for payload in payloads {
            history.push(&payload, outgoing.history_for(payload.len()));
            all.extend(payload);
            for length in [0, 1, 1_000, 5_000, 50_000].map(|length| outgoing.history_for(length)) {
                prop_assert!(all.ends_with(history.last(length)));
            }
        }
    }
}

#[test]
fn a_reused_inflater_has_no_old_state() {
    let pool = Pool::default();
    let text = words(1, 1_000);
    let mut flate2 = Flate2Compressor::new(6, 15);
    let first = flate2.compress(&text, FlushCompress::Sync);
    let second = flate2.compress(&text, FlushCompress::Sync);
    let inflated = inflate_with(pool.take_inflater(&[]), &first, usize::MAX).unwrap();
    pool.put_inflater(inflated.inflater.unwrap());
    assert!(inflate_with(pool.take_inflater(&[]), &second, usize::MAX).is_err());

    let dictionary: Arc<[u8]> = Arc::from(text);
    let history = History::new(Some(&dictionary));
    let inflated = inflate_with(pool.take_inflater(history.last(32_768)), &second, usize::MAX).unwrap();
    assert_eq!(inflated.output, &*dictionary);
    // The same in the middle of a message.
    let mut job = super::InflateJob::new(pool.take_inflater(&[]), first, false, Vec::new(), usize::MAX);
    job.run(0);
    pool.put_inflater(job.into_parts().unwrap().inflater.unwrap());
    assert!(inflate_with(pool.take_inflater(&[]), &second, usize::MAX).is_err());
}

#[test]
fn the_pool_separates_compressors_by_parameters() {
    // A match that only the wide window reaches, and a level that searches for none.
    let payload = [words(2, 600), noise(3, 2_000), words(2, 600)].concat();
    let none = OutgoingParams { level: Level::new(0), ..window(15) };
    let kinds = [window(15), window(9), none];
    let length =
        |outgoing: &OutgoingParams| Compressor::new(outgoing, usize::MAX).compress(&[], &payload).len();
    let expected = kinds.each_ref().map(length);
    assert!(expected[0] < expected[1] && expected[1] < expected[2], "{expected:?}");
    let pool = Pool::default();
    for _ in 0..4 {
        let mut taken = kinds.each_ref().map(|kind| pool.take_compressor(kind, usize::MAX));
        let lengths = taken.each_mut().map(|compressor| compressor.compress(&[], &payload).len());
        assert_eq!(lengths, expected);
        for compressor in taken {
            pool.put_compressor(compressor);
        }
    }
}

#[test]
fn an_unused_pool_is_emptied() {
    let pool = Pool::default();
    assert!(!pool.trim());
    let inflater = pool.take_inflater(&[]);
    pool.put_inflater(inflater);
    // Used since the last call, then unused.
    assert!(pool.trim());
    assert!(!pool.trim());
    let compressor = pool.take_compressor(&OutgoingParams::default(), usize::MAX);
    pool.put_compressor(compressor);
    assert!(pool.trim());
    assert!(!pool.trim());
    // The number kept is limited, and each one taken has a fresh state.
    for _ in 0..50 {
        pool.put_inflater(Inflater::new());
    }
    for _ in 0..20 {
        let empty = inflate_with(pool.take_inflater(&[]), b"\x00", 0).unwrap();
        assert_eq!(empty.output, b"");
    }
}
