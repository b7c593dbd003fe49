//! The UTF-8 validator against the standard library: what it says of the whole, and after each piece.

use super::Input;
use super::input::Dice;
use crate::protocol::Utf8Validator;

/// Input: how to cut, and the bytes.
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut dice = Dice::new(input.number16());
    let bytes = input.trim_memory();
    let expected = std::str::from_utf8(bytes);
    assert_eq!(Utf8Validator::is_valid(bytes), expected.is_ok());

    let mut validator = Utf8Validator::default();
    let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
    // Used again and may_free_more: it starts over each time.
    for pieces in [vec![bytes], bytewise, dice.cut(bytes), dice.cut(bytes)] {
        let mut length = 0;
        let mut goes_on = true;
        for piece in pieces {
            length += piece.len();
            goes_on = validator.feed(piece);
            assert_eq!(goes_on, may_go_on(&bytes[..length]), "after {length} bytes");
        }
        // An empty piece changes nothing.
        assert_eq!(validator.feed(&[]), goes_on);
        assert_eq!(validator.finish(), expected.is_ok());
    }
}

/// Whether something may follow with which it is UTF-8.
fn may_go_on(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}
