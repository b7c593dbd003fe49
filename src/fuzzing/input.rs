//! Cuts the bytes of a fuzzer into numbers and slices, from the front: a seed can be read, and written, by hand.

/// What is left of them. Numbers are zero where there is nothing left.
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

    /// The next bytes: `length`, or what there is.
    pub(super) fn slice(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// All that is left.
    pub(super) fn trim_memory(&mut self) -> &'a [u8] {
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

    /// A slice whose length is in the byte before it.
    pub(super) fn short(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        self.slice(length)
    }
}

/// Numbers that follow from two bytes of the input: where something is cut, and what is done there. Cases stay small that way,
/// and what is cut stays readable.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u16) -> Self {
        Self((u64::from(seed) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 24) as usize % end
    }

    /// Once in so many times.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// How long the next piece of something is that has `length` bytes left, which is not 0: mostly a few bytes, now and then
    /// a lot, or all.
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

    /// Cuts `bytes` into pieces.
    pub(super) fn cut<'a>(&mut self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
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
