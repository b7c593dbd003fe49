//! Inflation in steps.

use flate2::FlushCompress;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy as Strategic, prop_assert_eq, prop_oneof, proptest};

use super::super::{InflateJob, Inflater, Progress, TRAILER};
use super::{Flate2Compressor, Flate2Inflater, inflate, inflate_with, message, payload, words};

fn allowed() -> impl Strategic<Value = usize> {
    prop_oneof![Just(0), 1_usize..5_000, 5_000_usize..300_000, Just(usize::MAX)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_steps_give_the_same_output(
        payload in payload(150_000),
        before in vec(0_u8..255, 0..2_000),
        steps in vec(allowed(), 1..10),
        fin: bool,
    ) {
        let mut compressed = Flate2Compressor::new(1, 15).compress(&payload, FlushCompress::Sync);
        if fin {
            compressed.truncate(compressed.len() - TRAILER.len());
        }
        let mut job = InflateJob::new(Inflater::new(), compressed, fin, before.clone(), usize::MAX);
        let mut steps = steps.iter().cycle();
        while job.run(*steps.next().unwrap()) == Progress::Paused {}
        let inflated = job.into_parts().unwrap();
        prop_assert_eq!(inflated.start, before.len());
        prop_assert_eq!(&inflated.output[..before.len()], &before);
        prop_assert_eq!(&inflated.output[before.len()..], &payload);
        // Continues with the returned inflater.
        let again = inflate_with(inflated.inflater.unwrap(), &message(&payload), usize::MAX).unwrap();
        prop_assert_eq!(again.output, payload);
    }

    #[test]
    fn one_inflater_for_a_sequence_of_messages(payloads in vec(payload(3_000), 1..8), level in 1_u32..=9) {
        let (mut flate2, mut inflater) = (Flate2Compressor::new(level, 15), Inflater::new());
        for payload in payloads {
            let compressed = flate2.compress(&payload, FlushCompress::Sync);
            let whole = &compressed[..compressed.len() - TRAILER.len()];
            let inflated = inflate_with(inflater, whole, payload.len()).unwrap();
            prop_assert_eq!(inflated.output, payload);
            inflater = inflated.inflater.unwrap();
        }
    }
}

#[test]
fn a_job_pauses_when_the_budget_is_used_up() {
    let payload = vec![b'a'; 1_000_000];
    let mut job = InflateJob::new(Inflater::new(), message(&payload), true, Vec::new(), usize::MAX);
    assert_eq!(job.run(100_000), Progress::Paused);
    let paused = job.into_parts().unwrap();
    assert!((100_000..300_000).contains(&paused.output.len()), "{}", paused.output.len());

    // With a growing budget.
    let mut job = InflateJob::new(Inflater::new(), message(&payload), true, Vec::new(), usize::MAX);
    let steps = std::iter::from_fn(|| (job.run(0) == Progress::Paused).then_some(())).count();
    assert!((3..1_000).contains(&steps), "{steps}");
    assert!(job.into_parts().unwrap().output == payload);
}

#[test]
fn a_small_payload_needs_one_step_and_little_memory() {
    let payload = words(1, 900);
    let mut job = InflateJob::new(Inflater::new(), message(&payload), true, Vec::new(), usize::MAX);
    assert_eq!(job.run(128 * 1024), Progress::Done);
    let inflated = job.into_parts().unwrap();
    assert!(inflated.output.capacity() <= 4 * 1024, "{}", inflated.output.capacity());
    // Further runs change nothing.
    let mut job = InflateJob::new(Inflater::new(), message(&payload), true, Vec::new(), usize::MAX);
    for _ in 0..3 {
        assert_eq!(job.run(usize::MAX), Progress::Done);
    }
    assert_eq!(job.into_parts().unwrap().output, payload);
}

#[test]
fn the_memory_of_the_input_is_returned() {
    let mut input = message(b"Hello");
    input.reserve(10_000);
    let (memory, capacity) = (input.as_ptr(), input.capacity());
    let mut job = InflateJob::new(Inflater::new(), input, true, Vec::new(), usize::MAX);
    assert_eq!(job.run(usize::MAX), Progress::Done);
    let input = job.into_parts().unwrap().input;
    assert_eq!((input.as_ptr(), input.capacity()), (memory, capacity));
}

#[test]
fn a_frame_may_end_anywhere() {
    // Split at every byte into two frames; only the second gets the trailer.
    let payload = words(2, 600);
    let whole = message(&payload);
    for cut in 0..=whole.len() {
        let mut job = InflateJob::new(Inflater::new(), whole[..cut].to_vec(), false, Vec::new(), 600);
        assert_eq!(job.run(usize::MAX), Progress::Done);
        let first = job.into_parts().unwrap();
        let mut job =
            InflateJob::new(first.inflater.unwrap(), whole[cut..].to_vec(), true, first.output, 600);
        assert_eq!(job.run(usize::MAX), Progress::Done);
        assert_eq!(job.into_parts().unwrap().output, payload, "cut at {cut}");
    }
}

#[test]
fn the_last_block_ends_the_stream_in_any_frame() {
    let ended = Flate2Compressor::new(6, 15).compress(b"Hello", FlushCompress::Finish);
    for fin in [false, true] {
        let mut job = InflateJob::new(Inflater::new(), ended.clone(), fin, b"before".to_vec(), 11);
        assert_eq!(job.run(usize::MAX), Progress::Done);
        let inflated = job.into_parts().unwrap();
        assert_eq!((&inflated.output[..], inflated.start), (&b"beforeHello"[..], 6));
        assert!(inflated.inflater.is_none());
    }
}

#[test]
fn output_equals_that_of_flate2() {
    // Several blocks, some of them stored.
    let mut flate2 = Flate2Compressor::new(6, 15);
    let mut input = flate2.compress(&words(3, 4_000), FlushCompress::Sync);
    input.extend(Flate2Compressor::new(0, 15).compress(&words(4, 70_000), FlushCompress::Full));
    input.extend(flate2.compress(&words(3, 4_000), FlushCompress::None));
    input.extend(flate2.compress(b"", FlushCompress::Partial));
    let with_trailer = [&input[..], &TRAILER].concat();
    assert!(inflate(&input).unwrap().output == Flate2Inflater::new().inflate(&with_trailer));
}
