//! A small inflater after RFC 1951 that reports how far back the data refers. Slow; the tests
//! compare its output with flate2's.

const LENGTH_BASE: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258,
];
const LENGTH_EXTRA: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE: [u16; 30] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
    4097, 6145, 8193, 12289, 16385, 24577,
];
const CODE_LENGTH_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

struct Bits<'a> {
    input: &'a [u8],
    /// Position in bits.
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> u16 {
        let bit = self.input[self.at / 8] >> (self.at % 8) & 1;
        self.at += 1;
        u16::from(bit)
    }

    fn number(&mut self, bits: u8) -> usize {
        (0..bits).map(|at| usize::from(self.bit()) << at).sum()
    }

    fn symbol(&mut self, code: &Huffman) -> usize {
        let (mut value, mut first, mut index) = (0, 0, 0);
        for count in &code.counts[1..] {
            value |= usize::from(self.bit());
            if value < first + count {
                return code.symbols[index + value - first];
            }
            index += count;
            first = (first + count) << 1;
            value <<= 1;
        }
        panic!("no such code");
    }
}

/// Symbols in the order of their codes, and the number of codes of each length.
struct Huffman {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Huffman {
    fn new(lengths: &[u8]) -> Self {
        let mut counts = [0; 16];
        for &length in lengths {
            counts[usize::from(length)] += 1;
        }
        counts[0] = 0;
        let mut symbols: Vec<usize> = (0..lengths.len()).filter(|&symbol| lengths[symbol] > 0).collect();
        symbols.sort_by_key(|&symbol| lengths[symbol]);
        Self { counts, symbols }
    }

    fn fixed() -> [Self; 2] {
        let length = |symbol| match symbol {
            144..256 => 9,
            256..280 => 7,
            _ => 8,
        };
        [Self::new(&(0..288).map(length).collect::<Vec<_>>()), Self::new(&[5; 30])]
    }

    fn dynamic(bits: &mut Bits<'_>) -> [Self; 2] {
        let (literals, distances) = (bits.number(5) + 257, bits.number(5) + 1);
        let mut lengths = [0; 19];
        for &at in &CODE_LENGTH_ORDER[..bits.number(4) + 4] {
            lengths[at] = bits.number(3) as u8;
        }
        let code = Self::new(&lengths);
        let mut lengths: Vec<u8> = Vec::new();
        while lengths.len() < literals + distances {
            let (length, times) = match bits.symbol(&code) {
                16 => (*lengths.last().unwrap(), 3 + bits.number(2)),
                17 => (0, 3 + bits.number(3)),
                18 => (0, 11 + bits.number(7)),
                length => (length as u8, 1),
            };
            lengths.resize(lengths.len() + times, length);
        }
        [Self::new(&lengths[..literals]), Self::new(&lengths[literals..])]
    }
}

/// Appends the inflated `input`, which must consist of complete blocks, to `output`. Returns the
/// longest distance.
pub(super) fn furthest(input: &[u8], output: &mut Vec<u8>) -> usize {
    let (mut bits, mut furthest) = (Bits { input, at: 0 }, 0);
    while bits.at < 8 * input.len() {
        assert_eq!(bits.bit(), 0, "the last block");
        let [literal, distance] = match bits.number(2) {
            0 => {
                bits.at = bits.at.next_multiple_of(8);
                let length = bits.number(16);
                assert_eq!(bits.number(16), length ^ 0xFFFF);
                output.extend_from_slice(&input[bits.at / 8..][..length]);
                bits.at += 8 * length;
                continue;
            }
            1 => Huffman::fixed(),
            2 => Huffman::dynamic(&mut bits),
            _ => panic!("no such block"),
        };
        loop {
            match bits.symbol(&literal) {
                256 => break,
                byte @ 0..256 => output.push(byte as u8),
                symbol => {
                    let symbol = symbol - 257;
                    let length = usize::from(LENGTH_BASE[symbol]) + bits.number(LENGTH_EXTRA[symbol]);
                    let symbol = bits.symbol(&distance);
                    let extra = (symbol / 2).saturating_sub(1) as u8;
                    let distance = usize::from(DISTANCE_BASE[symbol]) + bits.number(extra);
                    furthest = furthest.max(distance);
                    for _ in 0..length {
                        output.push(output[output.len() - distance]);
                    }
                }
            }
        }
    }
    furthest
}
