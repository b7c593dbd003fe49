//! Splits the fuzzer's bytes into numbers and slices, from the front, so that seeds can be read and
//! written by hand.

/// The remaining bytes. Numbers beyond their end are zero.
#[derive(Debug, Clone)]
pub(super) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `length` bytes, or fewer at the end.
    pub(super) fn slice(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// All remaining bytes.
    pub(super) fn remaining(&mut self) -> &'a [u8] {
        self.slice(usize::MAX)
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let taken = self.slice(N);
        let mut array = [0; N];
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    pub(super) fn byte(&mut self) -> u8 {
        u8::from_be_bytes(self.array())
    }

    pub(super) fn number16(&mut self) -> u16 {
        u16::from_be_bytes(self.array())
    }

    pub(super) fn number64(&mut self) -> u64 {
        u64::from_be_bytes(self.array())
    }

    /// A number below `end`, from one byte.
    pub(super) fn below(&mut self, end: u8) -> u8 {
        self.byte() % end
    }

    pub(super) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A slice preceded by its length in one byte.
    pub(super) fn short(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        self.slice(length)
    }
}

/// Pseudorandom numbers seeded by two bytes of the input, for splits and choices: cases stay small
/// and readable.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u16) -> Self {
        Self((u64::from(seed) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// A number below `end`, which must not be 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 24) as usize % end
    }

    /// True once in `times` calls on average.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Length of the next piece of `length` remaining bytes, which must not be 0: usually small,
    /// sometimes large, sometimes all.
    pub(super) fn piece(&mut self, length: usize) -> usize {
        let longest = match self.below(8) {
            0 => 1,
            1..4 => 8,
            4..6 => 200,
            6 => 70_000,
            _ => return length,
        };
        (1 + self.below(longest)).min(length)
    }

    /// Splits `bytes` into pieces.
    pub(super) fn split<'a>(&mut self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let mut rest = bytes;
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(self.piece(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        pieces
    }
}
