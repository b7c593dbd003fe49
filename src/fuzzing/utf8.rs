//! The UTF-8 validator against the standard library: for the whole input and after each piece.

use super::Input;
use super::input::Rng;
use crate::protocol::Utf8Validator;

/// Input: the seed of the splits, and the bytes.
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut rng = Rng::new(input.number16());
    let bytes = input.remaining();
    let expected = std::str::from_utf8(bytes);
    assert_eq!(Utf8Validator::is_valid(bytes), expected.is_ok());

    let mut validator = Utf8Validator::default();
    let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
    // Reused: it starts over each time.
    for pieces in [vec![bytes], bytewise, rng.split(bytes), rng.split(bytes)] {
        let mut length = 0;
        let mut goes_on = true;
        for piece in pieces {
            length += piece.len();
            goes_on = validator.feed(piece);
            assert_eq!(goes_on, is_valid_prefix(&bytes[..length]), "after {length} bytes");
        }
        // An empty piece changes nothing.
        assert_eq!(validator.feed(&[]), goes_on);
        assert_eq!(validator.finish(), expected.is_ok());
    }
}

/// True if a continuation can make it valid UTF-8.
fn is_valid_prefix(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}
