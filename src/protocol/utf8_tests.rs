//! Comparison with the standard library, at every split.

use super::Utf8Validator;
use proptest::prelude::{any, prop_assert_eq, proptest};

fn in_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let mut validator = Utf8Validator::default();
    for piece in pieces {
        validator.feed(piece);
    }
    validator.finish()
}

/// True if more bytes could still make it valid UTF-8.
fn is_valid_prefix(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

fn assert_as_std(bytes: &[u8]) {
    let expected = std::str::from_utf8(bytes).is_ok();
    let mut validator = Utf8Validator::default();
    for (index, byte) in bytes.iter().enumerate() {
        let so_far = &bytes[..=index];
        assert_eq!(validator.feed(&[*byte]), is_valid_prefix(so_far), "{so_far:02X?}");
    }
    assert_eq!(Utf8Validator::is_valid(bytes), expected, "{bytes:02X?}");
    assert_eq!(in_pieces([bytes]), expected, "{bytes:02X?}");
    assert_eq!(in_pieces(bytes.chunks(1)), expected, "{bytes:02X?} bytewise");
    for cut in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(cut);
        assert_eq!(in_pieces([head, tail]), expected, "{bytes:02X?} cut at {cut}");
    }
}

#[test]
fn the_edges_of_every_range_of_code_points() {
    for code_point in [0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x1_0000, 0x10_FFFF] {
        let character = char::from_u32(code_point).unwrap();
        let text = format!("a{character}b{character}");
        assert_as_std(text.as_bytes());
        // The same, truncated by every number of bytes.
        for length in 0..text.len() {
            assert_as_std(&text.as_bytes()[..length]);
        }
    }
}

#[test]
fn malformed_sequences() {
    for bytes in [
        &[0x80][..],
        &[0xC0, 0x80],
        &[0xC1, 0xBF],
        &[0xE0, 0x80, 0x80],
        &[0xE0, 0x9F, 0xBF],
        &[0xED, 0xA0, 0x80],
        &[0xED, 0xBF, 0xBF],
        &[0xF0, 0x80, 0x80, 0x80],
        &[0xF0, 0x8F, 0xBF, 0xBF],
        &[0xF4, 0x90, 0x80, 0x80],
        &[0xF5, 0x80, 0x80, 0x80],
        &[0xF8, 0x88, 0x80, 0x80, 0x80],
        &[0xFF],
        &[0xC3, 0x28],
        &[0xE2, 0x28, 0xA1],
        &[0xE2, 0x82, 0x28],
        &[0xF0, 0x9F, 0x92],
        &[0x80, 0x80, 0x80, 0x80],
    ] {
        assert!(std::str::from_utf8(bytes).is_err());
        assert_as_std(bytes);
        let surrounded = [b"x".as_slice(), bytes, b"yz".as_slice()].concat();
        assert_as_std(&surrounded);
    }
}

#[test]
fn finish_starts_over() {
    let mut validator = Utf8Validator::default();
    validator.feed(&[0xFF]);
    assert!(!validator.finish());
    validator.feed(&[0xE2, 0x82]);
    assert!(!validator.finish());
    validator.feed(b"fine");
    assert!(validator.finish());
}

proptest! {
    #[test]
    fn text_in_any_pieces_is_valid(text: String, size in 1_usize..9) {
        prop_assert_eq!(in_pieces(text.as_bytes().chunks(size)), true);
    }

    #[test]
    fn damaged_text_validates_as_in_the_standard_library(
        text: String,
        at in any::<proptest::sample::Index>(),
        byte: u8,
        size in 1_usize..9,
    ) {
        let mut bytes = text.into_bytes();
        bytes.push(b'.');
        let at = at.index(bytes.len());
        bytes[at] = byte;
        prop_assert_eq!(in_pieces(bytes.chunks(size)), std::str::from_utf8(&bytes).is_ok());
    }

    #[test]
    fn every_prefix_validates_as_in_the_standard_library(bytes: Vec<u8>, size in 1_usize..9) {
        let (mut validator, mut length) = (Utf8Validator::default(), 0);
        for piece in bytes.chunks(size) {
            length += piece.len();
            prop_assert_eq!(validator.feed(piece), is_valid_prefix(&bytes[..length]));
        }
    }

    #[test]
    fn any_bytes_validate_as_in_the_standard_library(bytes: Vec<u8>, size in 1_usize..9) {
        prop_assert_eq!(in_pieces(bytes.chunks(size)), std::str::from_utf8(&bytes).is_ok());
    }
}
