//! The one message that all connections send: its frame, ready to write, and the payload its echo must carry.
//! Made once by `main`; knows nothing of sockets.

/// Bytes that one write may carry when many small frames wait.
const BURST_BYTES: usize = 64 * 1024;
/// The masking key of every frame. The server has to unmask all the same, and a frame is built only once.
const MASKING_KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

const FIN: u8 = 0x80;
const MASK: u8 = 0x80;
/// Second byte of a masked frame whose length follows in two bytes, or in eight.
const MASK_LENGTH_16: u8 = MASK + 126;
const MASK_LENGTH_64: u8 = MASK + 127;

/// A message and its frames (RFC 6455 section 5.2).
#[derive(Debug)]
pub struct Message {
    payload: Vec<u8>,
    first_byte: u8,
    frame_len: usize,
    burst: Vec<u8>,
}

impl Message {
    /// A message of `size` bytes; `in_flight` bounds how many copies of its frame are laid side by side.
    pub fn new(size: usize, binary: bool, in_flight: usize) -> Self {
        // Printable ASCII, so that the same bytes are valid text.
        let payload: Vec<u8> = (b'!'..=b'~').cycle().take(size).collect();
        let first_byte = FIN | if binary { 2 } else { 1 };

        let mut frame = vec![first_byte];
        match (u8::try_from(size), u16::try_from(size)) {
            (Ok(short @ 0..=125), _) => frame.push(MASK | short),
            (_, Ok(medium)) => {
                frame.push(MASK_LENGTH_16);
                frame.extend_from_slice(&medium.to_be_bytes());
            }
            _ => {
                frame.push(MASK_LENGTH_64);
                frame.extend_from_slice(&(size as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(&MASKING_KEY);
        frame.extend(payload.iter().zip(MASKING_KEY.iter().cycle()).map(|(byte, key)| byte ^ key));

        let copies = (BURST_BYTES / frame.len()).clamp(1, in_flight);
        Self { payload, first_byte, frame_len: frame.len(), burst: frame.repeat(copies) }
    }

    /// What the echo must carry.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// First byte of the frame: FIN and the opcode, the same in both directions.
    pub fn first_byte(&self) -> u8 {
        self.first_byte
    }

    /// Bytes of one frame as it goes out, header included.
    pub fn frame_len(&self) -> usize {
        self.frame_len
    }

    /// The next bytes of an endless row of frames: `written` bytes are out, at most `wanted` are due.
    pub fn bytes_at(&self, written: usize, wanted: usize) -> &[u8] {
        let start = written % self.frame_len;
        &self.burst[start..self.burst.len().min(start + wanted)]
    }
}

#[cfg(test)]
mod tests {
    use super::{MASKING_KEY, Message};

    /// Header bytes of a frame and its payload, unmasked.
    fn frame(size: usize) -> (Vec<u8>, Vec<u8>) {
        let message = Message::new(size, true, 1);
        let frame = message.bytes_at(0, message.frame_len());
        let (header, masked) = frame.split_at(message.frame_len() - size);
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
    fn payload_is_masked() {
        assert_eq!(frame(300).1, Message::new(300, true, 1).payload());
    }

    #[test]
    fn output_goes_on_in_the_middle_of_a_frame() {
        let message = Message::new(10, false, 3);
        let len = message.frame_len();
        let whole = message.bytes_at(0, 3 * len).to_vec();
        assert_eq!(whole.len(), 3 * len);
        assert_eq!(message.bytes_at(7 * len + 4, 2), &whole[4..6]);
        assert_eq!(message.bytes_at(4, usize::from(u16::MAX)), &whole[4..]);
    }
}
