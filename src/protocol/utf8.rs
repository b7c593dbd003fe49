//! Incremental UTF-8 validation.

/// Validates a text that arrives in pieces (RFC 3629), failing at the first byte that makes it
/// invalid. Keeps at most one incomplete code point between pieces.
#[derive(Debug, Default)]
pub struct Utf8Validator {
    partial: [u8; 4],
    partial_length: u8,
    invalid: bool,
}

impl Utf8Validator {
    /// True if `bytes` are valid UTF-8.
    pub fn is_valid(bytes: &[u8]) -> bool {
        simdutf8::basic::from_utf8(bytes).is_ok()
    }

    /// Accepts the next piece, split anywhere. False once no continuation can make the text valid.
    pub fn feed(&mut self, piece: &[u8]) -> bool {
        if self.invalid {
            return false;
        }
        let piece = self.complete_partial(piece);
        let (whole, tail) = piece.split_at(piece.len() - incomplete_tail_length(piece));
        self.invalid |= !Self::is_valid(whole) || !is_valid_prefix(tail);
        if !tail.is_empty() {
            debug_assert_eq!(self.partial_length, 0, "a pending code point consumes the whole piece");
            self.partial[..tail.len()].copy_from_slice(tail);
            self.partial_length = tail.len() as u8;
        }
        !self.invalid
    }

    /// True if all pieces since the last call form valid UTF-8. Resets the validator.
    pub fn finish(&mut self) -> bool {
        let finished = std::mem::take(self);
        !finished.invalid && finished.partial_length == 0
    }

    /// Completes the pending code point from `piece` and returns the remaining bytes.
    fn complete_partial<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let kept = usize::from(self.partial_length);
        if kept == 0 {
            return piece;
        }
        let width = sequence_width(self.partial[0]);
        let (taken, rest) = piece.split_at(piece.len().min(width - kept));
        let end = kept + taken.len();
        self.partial[kept..end].copy_from_slice(taken);
        if end < width {
            self.partial_length = end as u8;
            self.invalid |= !is_valid_prefix(&self.partial[..end]);
        } else {
            self.partial_length = 0;
            self.invalid |= !Self::is_valid(&self.partial[..width]);
        }
        rest
    }
}

/// True if some continuation makes these bytes valid UTF-8. The lead byte is not sufficient: F4 90
/// begins no code point.
fn is_valid_prefix(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Length of the sequence that begins with `lead`; 1 if it begins none.
const fn sequence_width(lead: u8) -> usize {
    match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    }
}

/// Length of the incomplete code point at the end of `piece`.
fn incomplete_tail_length(piece: &[u8]) -> usize {
    piece
        .iter()
        .rev()
        .take(3)
        .position(|&byte| byte & 0xC0 != 0x80)
        .map_or(0, |back| if sequence_width(piece[piece.len() - 1 - back]) > back + 1 { back + 1 } else { 0 })
}

#[cfg(test)]
#[path = "utf8_tests.rs"]
mod tests;
