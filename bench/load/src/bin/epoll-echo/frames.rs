//! Converts masked client frames to echoed server frames (RFC 6455 section 5.2), in place and
//! before the end of a message arrives. No sockets here; `connection` passes the input.

use std::ops::Range;

/// Free bytes required before the input, for a header whose first part arrived earlier.
pub const SLACK: usize = 10;

/// The longest client header: two bytes, eight of length, four of key.
const HEADER_BYTES: usize = 14;
const MASK: u8 = 0x80;
const CONTROL: u8 = 0x08;
const CLOSE: u8 = 0x08;
const PING: u8 = 0x09;
const PONG: u8 = 0x0a;

/// Input that is not a client frame.
#[derive(Debug, PartialEq)]
pub struct Malformed;

/// State of the reader.
#[derive(Debug, Default)]
pub struct Frames {
    header: [u8; HEADER_BYTES],
    have: usize,
    /// Payload bytes still expected; 0 between frames and within a header.
    remaining: u64,
    key: [u8; 4],
    /// The frame is not answered.
    silent: bool,
    control: bool,
    close: bool,
}

impl Frames {
    /// True if the input so far ended at a frame boundary.
    pub fn is_whole(&self) -> bool {
        self.have == 0 && self.remaining == 0
    }

    /// True if a control frame was received.
    pub fn had_control(&self) -> bool {
        self.control
    }

    /// True if a complete close frame was received. Later input is ignored.
    pub fn is_closed(&self) -> bool {
        self.close && self.is_whole()
    }

    /// Converts the input, `buffer` without its first `SLACK` bytes, to the answer and returns its
    /// range in the buffer. A ping becomes a pong, a pong nothing; everything else keeps its first
    /// byte and payload.
    ///
    /// # Errors
    /// If a frame is unmasked or longer than RFC 6455 allows.
    pub fn answer(&mut self, buffer: &mut [u8]) -> Result<Range<usize>, Malformed> {
        // The answer is shorter than the input by the masking key, so it never overtakes the
        // reader.
        let start = if self.have > 0 { 0 } else { SLACK };
        let (mut from, mut to) = (SLACK, start);
        while from < buffer.len() && !self.is_closed() {
            if self.remaining == 0 {
                self.header[self.have] = buffer[from];
                self.have += 1;
                from += 1;
                if self.have < self.header_len() {
                    continue;
                }
                to += self.begin(&mut buffer[to..])?;
            } else {
                let len = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(buffer.len() - from);
                unmask(&mut buffer[from..from + len], self.key);
                self.key.rotate_left(len % 4);
                if !self.silent {
                    if from != to {
                        buffer.copy_within(from..from + len, to);
                    }
                    to += len;
                }
                from += len;
                self.remaining -= len as u64;
            }
        }
        Ok(start..to)
    }

    /// Length of the header according to the bytes received so far.
    fn header_len(&self) -> usize {
        match (self.have, self.header[1] & !MASK) {
            (0 | 1, _) => 2,
            (_, 126) => 8,
            (_, 127) => 14,
            _ => 6,
        }
    }

    /// Starts the payload of a complete header, and writes the header of the answer, if any.
    fn begin(&mut self, out: &mut [u8]) -> Result<usize, Malformed> {
        let len = self.have;
        let (first, second) = (self.header[0], self.header[1]);
        let answer = len - 4;
        let length = match answer {
            2 => u64::from(second & !MASK),
            _ => self.header[2..answer].iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        if second & MASK == 0 || length >> 63 != 0 {
            return Err(Malformed);
        }
        self.key.copy_from_slice(&self.header[answer..len]);
        self.have = 0;
        self.remaining = length;

        let opcode = first & 0x0f;
        self.control |= opcode & CONTROL != 0;
        self.close |= opcode == CLOSE;
        self.silent = opcode == PONG;
        if self.silent {
            return Ok(0);
        }
        out[..answer].copy_from_slice(&self.header[..answer]);
        out[0] = if opcode == PING { first ^ PING ^ PONG } else { first };
        out[1] = second & !MASK;
        Ok(answer)
    }
}

/// XORs bytes with the key, in pieces that the compiler vectorizes.
fn unmask(bytes: &mut [u8], key: [u8; 4]) {
    let mut wide = [0; 32];
    for part in wide.chunks_exact_mut(4) {
        part.copy_from_slice(&key);
    }
    let mut pieces = bytes.chunks_exact_mut(32);
    for piece in &mut pieces {
        for (byte, key) in piece.iter_mut().zip(&wide) {
            *byte ^= key;
        }
    }
    for (byte, key) in pieces.into_remainder().iter_mut().zip(&wide) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::{Frames, Malformed, SLACK};

    const KEY: [u8; 4] = [1, 2, 3, 250];

    fn header(first: u8, len: usize, mask: u8) -> Vec<u8> {
        let mut bytes = vec![first];
        match (u8::try_from(len), u16::try_from(len)) {
            (Ok(short @ 0..=125), _) => bytes.push(mask + short),
            (_, Ok(medium)) => {
                bytes.push(mask + 126);
                bytes.extend(medium.to_be_bytes());
            }
            _ => {
                bytes.push(mask + 127);
                bytes.extend((len as u64).to_be_bytes());
            }
        }
        bytes
    }

    fn client(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = header(first, payload.len(), 0x80);
        bytes.extend(KEY);
        bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }

    fn server(first: u8, payload: &[u8]) -> Vec<u8> {
        [header(first, payload.len(), 0), payload.to_vec()].concat()
    }

    /// The answer to an input in pieces of `len` bytes.
    fn answer(input: &[u8], len: usize) -> (Vec<u8>, Frames) {
        let mut frames = Frames::default();
        let mut out = Vec::new();
        for piece in input.chunks(len) {
            let mut buffer = [&[0; SLACK], piece].concat();
            let range = frames.answer(&mut buffer).unwrap_or_default();
            out.extend_from_slice(&buffer[range]);
        }
        (out, frames)
    }

    #[test]
    fn every_length_in_every_split() {
        let payloads: Vec<Vec<u8>> = [0, 1, 5, 125, 126, 300, 65_535, 65_536, 70_001]
            .into_iter()
            .map(|len| (0..=255).cycle().take(len).collect())
            .collect();
        let input: Vec<u8> = payloads.iter().flat_map(|payload| client(0x82, payload)).collect();
        let expected: Vec<u8> = payloads.iter().flat_map(|payload| server(0x82, payload)).collect();
        for len in [1, 2, 3, 5, 7, 11, 13, 14, 15, 16, 64, 1000, 65_536, input.len()] {
            let (out, frames) = answer(&input, len);
            assert_eq!(out, expected, "pieces of {len}");
            assert!(frames.is_whole());
            assert!(!frames.had_control());
        }
    }

    #[test]
    fn control_frames() {
        let input = [client(0x89, b"are you there"), client(0x8a, b"yes"), client(0x81, b"text")].concat();
        let (out, frames) = answer(&input, 4);
        assert_eq!(out, [server(0x8a, b"are you there"), server(0x81, b"text")].concat());
        assert!(frames.had_control() && !frames.is_closed());
    }

    #[test]
    fn nothing_follows_a_close_frame() {
        let input = [client(0x88, &[3, 232]), client(0x81, b"late")].concat();
        let (out, frames) = answer(&input, input.len());
        assert_eq!(out, server(0x88, &[3, 232]));
        assert!(frames.is_closed());
    }

    #[test]
    fn a_partial_frame_is_not_complete() {
        let input = client(0x81, b"text");
        assert!(!answer(&input[..3], 3).1.is_whole());
        assert!(!answer(&input[..8], 8).1.is_whole());
    }

    #[test]
    fn invalid_client_frames_are_refused() {
        let refused = |frame: Vec<u8>| {
            let mut buffer = [&[0; SLACK], frame.as_slice()].concat();
            Frames::default().answer(&mut buffer)
        };
        assert_eq!(refused(server(0x81, b"text!!")), Err(Malformed));
        assert_eq!(refused([vec![0x82, 0xff], vec![255; 12]].concat()), Err(Malformed));
    }
}
