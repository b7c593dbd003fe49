//! UTF-8 validation of bytes that arrive in pieces.

/// Says whether pieces fed one after the other are UTF-8 together (RFC 3629), and as soon as they can't be any more. Between
/// two pieces it keeps the bytes of one partial code point at most.
#[derive(Debug, Default)]
pub struct Utf8Validator {
    partial: [u8; 4],
    partial_length: u8,
    invalid: bool,
}

impl Utf8Validator {
    /// Whether `bytes` as a whole are UTF-8.
    pub fn is_valid(bytes: &[u8]) -> bool {
        simdutf8::basic::from_utf8(bytes).is_ok()
    }

    /// Takes the next piece, cut anywhere. `false`: whatever may follow, the pieces are not UTF-8.
    pub fn feed(&mut self, piece: &[u8]) -> bool {
        if self.invalid {
            return false;
        }
        let piece = self.complete_partial(piece);
        let (whole, cut_off) = piece.split_at(piece.len() - cut_off_length(piece));
        self.invalid |= !Self::is_valid(whole) || !may_begin(cut_off);
        if !cut_off.is_empty() {
            self.partial[..cut_off.len()].copy_from_slice(cut_off);
            self.partial_length = cut_off.len() as u8;
        }
        !self.invalid
    }

    /// Whether all pieces since the last call were UTF-8 together; starts over.
    pub fn finish(&mut self) -> bool {
        let finished = std::mem::take(self);
        !finished.invalid && finished.partial_length == 0
    }

    /// Moves bytes from `piece` to the partial code point until it is whole; gives what is left of
    /// `piece`.
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
            self.invalid |= !may_begin(&self.partial[..end]);
        } else {
            self.partial_length = 0;
            self.invalid |= !Self::is_valid(&self.partial[..width]);
        }
        rest
    }
}

/// Whether something may follow these few bytes with which they are UTF-8. The first byte alone does not say: F4 90 begins
/// no code point.
fn may_begin(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Bytes in the sequence that `lead` begins; 1 for a byte that begins no longer one.
const fn sequence_width(lead: u8) -> usize {
    match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    }
}

/// Bytes at the end of `piece` that begin a code point whose end is still to come.
fn cut_off_length(piece: &[u8]) -> usize {
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
