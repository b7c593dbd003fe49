//! Messages sent by all connections: their frames, ready to write, and the payloads expected in the
//! echoes. Created once by `load`; no sockets here.

use std::io;

use crate::{deflate::Agreement, text};

/// Maximum bytes of one write of many small frames.
const BURST_BYTES: usize = 64 * 1024;
/// The masking key of every frame. The server must unmask anyway, and a frame is built only once.
const MASKING_KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

const FIN: u8 = 0x80;
/// The message is compressed (RFC 7692 section 6).
const RSV1: u8 = 0x40;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const MASK: u8 = 0x80;
/// Second byte of a frame whose length follows in two or in eight bytes.
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// Total length and minimum number of the messages to compress: when a message is sent again, it
/// has left a window of 32 KiB.
const RING_BYTES: usize = 128 * 1024;
const RING_MESSAGES: usize = 64;

/// A ring of messages, and their frames (RFC 6455 section 5.2).
#[derive(Debug)]
pub struct Messages {
    payloads: Vec<Vec<u8>>,
    first_byte: u8,
    frame_lens: Vec<usize>,
    /// Concatenated frames, repeating after `period` bytes.
    frames: Vec<u8>,
    period: usize,
}

impl Messages {
    /// The same `size` bytes in every message. `in_flight` bounds the number of copies of the
    /// frame.
    pub fn same(size: usize, binary: bool, in_flight: usize) -> Self {
        // Printable ASCII, which is valid text as well.
        let payload: Vec<u8> = (b'!'..=b'~').cycle().take(size).collect();
        let first_byte = FIN | if binary { BINARY } else { TEXT };
        let frame = frame(first_byte, &payload);
        let copies = (BURST_BYTES / frame.len()).clamp(1, in_flight);
        Self {
            payloads: vec![payload],
            first_byte,
            frame_lens: vec![frame.len()],
            frames: frame.repeat(copies),
            period: frame.len(),
        }
    }

    /// Compressed JSON of `size` bytes, with a different text for each message and each `ring`. The
    /// first message refers to nothing before it, so the frames are valid each time around.
    ///
    /// # Errors
    /// Errors of zlib.
    pub fn compressed(size: usize, agreement: &Agreement, ring: u32) -> io::Result<Self> {
        let count = RING_BYTES.div_ceil(size.max(1)).clamp(RING_MESSAGES, RING_BYTES);
        let first = ring * u32::try_from(count).unwrap_or(u32::MAX);
        let payloads: Vec<_> = (first..).take(count).map(|number| text::json(size, number)).collect();
        let first_byte = FIN | RSV1 | TEXT;
        let mut compressor = agreement.compressor();
        let mut frames = Vec::new();
        let mut frame_lens = Vec::with_capacity(count);
        for payload in &payloads {
            let frame = frame(first_byte, &compressor.compress(payload)?);
            frame_lens.push(frame.len());
            frames.extend(frame);
        }
        Ok(Self { payloads, first_byte, frame_lens, period: frames.len(), frames })
    }

    /// Payload expected in the echo of a message, after inflation.
    pub fn payload(&self, number: usize) -> &[u8] {
        &self.payloads[number]
    }

    /// The echo of a message, as sent by a server.
    pub fn echo(&self, number: usize) -> Vec<u8> {
        let payload = self.payload(number);
        [header(self.first_byte, payload.len(), 0), payload.to_vec()].concat()
    }

    /// First byte of every frame: FIN, RSV1 and the opcode, equal in both directions.
    pub fn first_byte(&self) -> u8 {
        self.first_byte
    }

    /// Length of a sent frame, header included.
    pub fn frame_len(&self, number: usize) -> usize {
        self.frame_lens[number]
    }

    /// Number of the next message.
    pub fn after(&self, number: usize) -> usize {
        if number + 1 == self.payloads.len() { 0 } else { number + 1 }
    }

    /// The next bytes of the endless sequence of frames after `written` bytes, at most `wanted`.
    pub fn bytes_at(&self, written: usize, wanted: usize) -> &[u8] {
        let start = written % self.period;
        &self.frames[start..self.frames.len().min(start + wanted)]
    }
}

/// A frame header; `mask` is `MASK` if a key follows.
fn header(first_byte: u8, size: usize, mask: u8) -> Vec<u8> {
    let mut header = vec![first_byte];
    match (u8::try_from(size), u16::try_from(size)) {
        (Ok(short @ 0..=125), _) => header.push(mask | short),
        (_, Ok(medium)) => {
            header.push(mask | LENGTH_16);
            header.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            header.push(mask | LENGTH_64);
            header.extend_from_slice(&(size as u64).to_be_bytes());
        }
    }
    header
}

/// A masked frame.
pub fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first_byte, payload.len(), MASK);
    frame.extend_from_slice(&MASKING_KEY);
    frame.extend(payload.iter().zip(MASKING_KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{MASKING_KEY, Messages};
    use crate::deflate::{Agreement, Offer};

    /// Header and unmasked payload of a frame.
    fn frame(size: usize) -> (Vec<u8>, Vec<u8>) {
        let messages = Messages::same(size, true, 1);
        let frame = messages.bytes_at(0, messages.frame_len(0));
        let (header, masked) = frame.split_at(messages.frame_len(0) - size);
        let unmask = masked.iter().zip(MASKING_KEY.iter().cycle()).map(|(byte, key)| byte ^ key);
        (header[..header.len() - 4].to_vec(), unmask.collect())
    }

    #[test]
    fn lengths_take_their_shortest_form() {
        assert_eq!(frame(0).0, [0x82, 0x80]);
        assert_eq!(frame(125).0, [0x82, 0xfd]);
        assert_eq!(frame(126).0, [0x82, 0xfe, 0, 126]);
        assert_eq!(frame(65_535).0, [0x82, 0xfe, 0xff, 0xff]);
        assert_eq!(frame(65_536).0, [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn an_echo_is_not_masked() {
        let echo = Messages::same(300, false, 1).echo(0);
        assert_eq!(echo[..4], [0x81, 126, 1, 44]);
        assert_eq!(&echo[4..], Messages::same(300, false, 1).payload(0));
    }

    #[test]
    fn payload_is_masked() {
        assert_eq!(frame(300).1, Messages::same(300, true, 1).payload(0));
    }

    #[test]
    fn output_continues_in_the_middle_of_a_frame() {
        let messages = Messages::same(10, false, 3);
        let len = messages.frame_len(0);
        let whole = messages.bytes_at(0, 3 * len).to_vec();
        assert_eq!(whole.len(), 3 * len);
        assert_eq!(messages.bytes_at(7 * len + 4, 2), &whole[4..6]);
        assert_eq!(messages.bytes_at(4, usize::from(u16::MAX)), &whole[4..]);
        assert_eq!(messages.after(0), 0);
    }

    #[test]
    fn compressed_messages_inflate_each_time_around_the_ring() -> io::Result<()> {
        for (size, answer) in [
            (200, "permessage-deflate"),
            (2048, "permessage-deflate"),
            (2048, "permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
        ] {
            let agreement = Agreement::new(Offer::Takeover, answer)?;
            let messages = Messages::compressed(size, &agreement, 0)?;
            // The server's inflater; without takeover the one for replies behaves the same.
            let mut inflater = agreement.inflater();
            let (mut number, mut written) = (0, 0);
            for _ in 0..2 * messages.payloads.len() + 3 {
                let frame = messages.bytes_at(written, messages.frame_len(number));
                written += frame.len();
                assert_eq!(frame[0], messages.first_byte());
                let masked = &frame[if frame[1] & 0x7f < 126 { 6 } else { 8 }..];
                let unmask = masked.iter().zip(MASKING_KEY.iter().cycle()).map(|(byte, key)| byte ^ key);
                inflater.take(&unmask.collect::<Vec<u8>>());
                inflater.check(messages.payload(number))?;
                number = messages.after(number);
            }
            assert_eq!(number, 3, "{size} bytes");
        }
        Ok(())
    }
}
