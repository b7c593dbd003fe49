//! Errors in compressed data have zlib's messages. Inputs and messages are those of zlib's own
//! tests (`test/infcover.c`).

use flate2::FlushCompress;
use proptest::collection::vec;
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

use super::super::{InflateJob, Inflater, Progress, TRAILER};
use super::{Flate2Compressor, Flate2Inflater, inflate, message, noise, payload, words};
use crate::protocol::ProtocolError;

/// Inputs, and zlib's messages.
const ERRORS: [(&[u8], &str); 22] = [
    (&[0x00, 0, 0, 0, 0], "invalid stored block lengths"),
    (&[0x06], "invalid block type"),
    (&[0xFC, 0, 0], "too many length or distance symbols"),
    (&[0x04, 0, 0xFE, 0xFF], "invalid code lengths set"),
    (&[0x04, 0, 0x24, 0x49, 0], "invalid bit length repeat"),
    (&[0x04, 0, 0x24, 0xE9, 0xFF, 0xFF], "invalid bit length repeat"),
    (&[0x04, 0, 0x24, 0xE9, 0xFF, 0x6D], "invalid code -- missing end-of-block"),
    (
        &[0x04, 0x80, 0x49, 0x92, 0x24, 0x49, 0x92, 0x24, 0x71, 0xFF, 0xFF, 0x93, 0x11, 0],
        "invalid literal/lengths set",
    ),
    (
        &[0x04, 0x80, 0x49, 0x92, 0x24, 0x49, 0x92, 0x24, 0x0F, 0xB4, 0xFF, 0xFF, 0xC3, 0x84],
        "invalid distances set",
    ),
    (&[0x04, 0xC0, 0x81, 0x08, 0, 0, 0, 0, 0x20, 0x7F, 0xEB, 0x0B, 0, 0], "invalid literal/length code"),
    (&[0x1B, 0x07, 0, 0, 0, 0, 0], "invalid literal/length code"),
    (&[0x02, 0x7E, 0xFF, 0xFF], "invalid distance code"),
    (&[0x03, 0x7E, 0, 0, 0, 0, 0], "invalid distance code"),
    (&[0x0C, 0xC0, 0x81, 0, 0, 0, 0, 0, 0x90, 0xFF, 0x6B, 0x04, 0], "invalid distance too far back"),
    (
        &[
            0xE5, 0xE0, 0x81, 0xAD, 0x6D, 0xCB, 0xB2, 0x2C, 0xC9, 0x01, 0x1E, 0x59, 0x63, 0xAE, 0x7D, 0xEE,
            0xFB, 0x4D, 0xFD, 0xB5, 0x35, 0x41, 0x68, 0xFF, 0x7F, 0x0F, 0, 0, 0,
        ],
        "invalid distance too far back",
    ),
    (
        &[
            0x25, 0xFD, 0x81, 0xB5, 0x6D, 0x59, 0xB6, 0x6A, 0x49, 0xEA, 0xAF, 0x35, 0x06, 0x34, 0xEB, 0x8C,
            0xB9, 0xF6, 0xB9, 0x1E, 0xEF, 0x67, 0x49, 0x50, 0xFE, 0xFF, 0xFF, 0x3F, 0, 0,
        ],
        "invalid distance too far back",
    ),
    (
        &[
            0x0D, 0xC7, 0x01, 0xAE, 0xEB, 0x38, 0x0C, 0x04, 0x41, 0xA0, 0x87, 0x72, 0xDE, 0xDF, 0xFB, 0x1F,
            0xB8, 0x36, 0xB1, 0x38, 0x5D, 0xFF, 0xFF, 0,
        ],
        "invalid distance too far back",
    ),
    // Inputs without a message in zlib's tests.
    (&[0x07], "invalid block type"),
    (&[0x01, 0x05, 0x00, 0xFA, 0xFE], "invalid stored block lengths"),
    // 0xFF begins a block of an invalid type; the second message of RFC 7692 refers to the first.
    (&[0xFF], "invalid block type"),
    (&[0xF2, 0x00, 0x11, 0x00, 0x00], "invalid distance too far back"),
    (&[0xF2, 0x00, 0x11], "invalid distance too far back"),
];

/// Asserts the message for an input.
fn assert_error(input: &[u8], expected: &str) {
    let mut job = InflateJob::new(Inflater::new(), input.to_vec(), true, Vec::new(), usize::MAX);
    assert_eq!(job.run(usize::MAX), Progress::Done);
    if job.has_unnamed_error() {
        job.name_error(Inflater::new());
    }
    assert!(!job.has_unnamed_error());
    let error = job.into_parts().err().unwrap_or_else(|| panic!("{expected}: no error"));
    assert!(matches!(error, ProtocolError::InvalidDeflate(_)));
    assert_eq!(error.to_string(), expected);
    assert_eq!((error.code(), error.close_code()), ("Z_DATA_ERROR", 1007));
}

#[test]
fn errors_have_zlib_messages() {
    for (input, expected) in ERRORS {
        assert_error(input, expected);
    }
}

#[test]
fn errors_on_the_fast_path_have_the_same_messages() {
    // With enough input and output space, inflaters use a fast path.
    let before = [&message(&words(1, 500))[..], &TRAILER].concat();
    for (input, expected) in ERRORS {
        assert_error(&[input, &[0; 400]].concat(), expected);
        // With data before it, no distance is too far back.
        if expected != "invalid distance too far back" {
            assert_error(&[&before, input].concat(), expected);
            assert_error(&[&before, input, &[0; 400]].concat(), expected);
        }
    }
}

#[test]
fn data_after_the_final_block_is_ignored() {
    let payload = words(2, 5_000);
    let ended = Flate2Compressor::new(6, 15).compress(&payload, FlushCompress::Finish);
    for behind in [&b""[..], b"\x00", &[0xFF; 500], &noise(3, 300)] {
        let inflated = inflate(&[&ended, behind].concat()).unwrap();
        assert!(inflated.output == payload);
        assert!(inflated.inflater.is_none());
    }
    // From zlib's tests: an empty block, one byte, a match across the edge.
    for (input, length) in [
        (&[0x03, 0][..], 0),
        (&[0x01, 0x01, 0x00, 0xFE, 0xFF, 0x00], 1),
        (&[0x63, 0x18, 0x05, 0x8C, 0x10, 0x08, 0, 0, 0, 0], 266),
        (&[0x63, 0x60, 0x60, 0x18, 0xC9, 0, 0x08, 0x18, 0x18, 0x18, 0x26, 0xC0, 0x28, 0, 0x29, 0, 0, 0], 270),
        (&[0x63, 0, 0x03, 0, 0, 0, 0, 0], 6),
    ] {
        let inflated = inflate(input).unwrap();
        assert_eq!((inflated.output.len(), inflated.inflater.is_none()), (length, true));
    }
}

#[test]
fn truncated_data_is_not_an_error() {
    for payload in [words(4, 700), noise(5, 300), vec![9; 2_000]] {
        let whole = message(&payload);
        let mut longest = 0;
        for cut in 0..=whole.len() {
            let mut job =
                InflateJob::new(Inflater::new(), whole[..cut].to_vec(), false, Vec::new(), usize::MAX);
            assert_eq!(job.run(usize::MAX), Progress::Done);
            let inflated = job.into_parts().unwrap();
            assert!(inflated.inflater.is_some());
            assert!(payload.starts_with(&inflated.output) && inflated.output.len() >= longest);
            longest = inflated.output.len();
        }
        assert_eq!(longest, payload.len());
    }
    // A stored block shorter than declared.
    assert_eq!(inflate(&[0x00, 0x09, 0x00, 0xF6, 0xFF, b'a']).unwrap().output, b"a\0\0\xFF\xFF");
}

/// Inflates a frame in steps and compares with flate2, which inflates it at once.
fn same_as_flate2(input: &[u8], fin: bool, allowed: usize) {
    let mut job = InflateJob::new(Inflater::new(), input.to_vec(), fin, Vec::new(), usize::MAX);
    while job.run(allowed) == Progress::Paused {}
    let with_trailer = [input, &TRAILER].concat();
    let (output, fault) = Flate2Inflater::new().try_inflate(if fin { &with_trailer } else { input });
    match job.into_parts() {
        Ok(inflated) => assert_eq!((inflated.output, None), (output, fault)),
        // flate2's error where zlib-rs has lost its message.
        Err(error) if fault.as_deref() == Some("repeated call with bad state") => {
            assert!(matches!(error, ProtocolError::InvalidDeflate(_)));
        }
        Err(error) => assert_eq!(Some(error.to_string()), fault),
    }
}

proptest! {
    #[test]
    fn any_bytes_inflate_as_with_flate2(input in vec(any::<u8>(), 0..200), fin: bool, allowed in 0_usize..50) {
        same_as_flate2(&input, fin, allowed);
    }

    #[test]
    fn damaged_data_inflates_as_with_flate2(
        payload in payload(5_000),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        fin: bool,
        allowed in 0_usize..5_000,
    ) {
        let mut input = message(&payload);
        for (at, byte) in damage {
            let at = at.index(input.len());
            input[at] = byte;
        }
        same_as_flate2(&input, fin, allowed);
    }

    #[test]
    fn any_prefix_inflates_as_with_flate2(payload in payload(2_000), cut in any::<prop::sample::Index>(), fin: bool) {
        let whole = message(&payload);
        let input = &whole[..cut.index(whole.len() + 1)];
        same_as_flate2(input, fin, usize::MAX);
        if !fin {
            let prefix = Flate2Inflater::new().inflate(input);
            prop_assert!(payload.starts_with(&prefix));
            prop_assert_eq!(prefix.len() == payload.len(), payload.len() == prefix.len());
        }
    }
}
