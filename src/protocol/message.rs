//! Putting the frames of a message together, for messages that are not whole in one chunk of input.
//!
//! Frames are announced by headers that [`FrameHeader::parse`] accepted, so opcodes are in place here.
//! Control frames never come here.

use super::frame::mask;
use super::{FrameHeader, MaskingKey, Opcode, ProtocolError, Utf8Validator};

/// Least room made when a message begins, and most kept from one message for the next: an idle
/// connection must stay small, and a peer that only declares a length must not cost memory.
const SMALL_CAPACITY: usize = 4 * 1024;

/// Room made for a message, in times of what of it is there: few moves of a long one, and a peer must send a sixteenth of
/// the memory that it makes this end reserve.
const GROWTH: usize = 16;

/// Collects the payloads of one message at a time.
///
/// Per frame: [`begin_frame`](Self::begin_frame), [`push`](Self::push) for its bytes as they come,
/// [`end_frame`](Self::end_frame). When that says that the message is whole: [`binary`](Self::binary),
/// [`data`](Self::data), [`fragments`](Self::fragments) or [`take_data`](Self::take_data), then
/// [`reset`](Self::reset). After an error the assembler is of no more use.
#[derive(Debug, Default)]
pub struct MessageAssembler {
    data: Vec<u8>,
    fragments: Vec<u32>,
    utf8: Utf8Validator,
    validating: bool,
    binary: bool,
    fragmented: bool,
    frames: u32,
    frame_start: usize,
    /// Bytes that the frames so far declared.
    declared: u64,
}

impl MessageAssembler {
    /// Whether a message has begun whose last frame has not.
    pub fn is_fragmented(&self) -> bool {
        self.fragmented
    }

    /// Whether none of the frames of the message is complete.
    pub fn is_first_frame(&self) -> bool {
        self.frames == 0
    }

    /// Bytes that the frames of the message declared so far.
    pub fn declared_length(&self) -> u64 {
        self.declared
    }

    /// A data frame begins. `validate` is taken from the first frame of a message and ignored for binary
    /// ones: whether the text must be UTF-8.
    pub fn begin_frame(&mut self, header: &FrameHeader, validate: bool) {
        if header.opcode != Opcode::Continuation {
            self.binary = header.opcode == Opcode::Binary;
            self.validating = validate && !self.binary;
        }
        self.fragmented = !header.fin;
        self.declared = self.declared.saturating_add(header.payload_length);
        self.frame_start = self.data.len();
    }

    /// The next bytes of the frame's payload, as they came; the first is byte `offset` of it.
    ///
    /// # Errors
    /// [`ProtocolError::InvalidUtf8`], as soon as a text is not UTF-8 whatever may follow (RFC 6455 section 8.1).
    pub fn push(
        &mut self,
        bytes: &[u8],
        key: Option<MaskingKey>,
        offset: usize,
    ) -> Result<(), ProtocolError> {
        self.make_room(bytes.len());
        let start = self.data.len();
        match key {
            Some(key) => mask::copy_masked(bytes, key, offset, &mut self.data),
            None => self.data.extend_from_slice(bytes),
        }
        self.validate_from(start)
    }

    /// Instead of [`push`](Self::push), for a compressed frame: `data` is what [`take_data`](Self::take_data) gave, and behind it
    /// the frame, inflated.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn put_inflated(&mut self, data: Vec<u8>) -> Result<(), ProtocolError> {
        self.data = data;
        self.validate_from(self.frame_start)
    }

    fn validate_from(&mut self, start: usize) -> Result<(), ProtocolError> {
        if self.validating && !self.utf8.feed(&self.data[start..]) {
            return Err(ProtocolError::InvalidUtf8);
        }
        Ok(())
    }

    /// The frame's payload is complete. `true`: so is the message. `max_fragments` 0 is unlimited.
    ///
    /// # Errors
    /// [`ProtocolError::TooManyMessageFragments`], and with the last frame [`ProtocolError::InvalidUtf8`] if a text ends in the
    /// middle of a code point.
    pub fn end_frame(&mut self, max_fragments: u32) -> Result<bool, ProtocolError> {
        self.frames = self.frames.saturating_add(1);
        if max_fragments > 0 && self.frames > max_fragments {
            return Err(ProtocolError::TooManyMessageFragments);
        }
        // The list is of use only for messages of several frames.
        if self.frames > 1 || self.fragmented {
            self.record_fragment(self.data.len() - self.frame_start);
        }
        if self.fragmented {
            return Ok(false);
        }
        if self.validating && !self.utf8.finish() {
            return Err(ProtocolError::InvalidUtf8);
        }
        Ok(true)
    }

    /// Whether the whole message is binary.
    pub fn binary(&self) -> bool {
        self.binary
    }

    /// The bytes collected so far, unmasked.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Takes the bytes collected so far without copying them.
    pub fn take_data(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.data)
    }

    /// Lengths of the frames that were not empty; none for a message of a single frame.
    pub fn fragments(&self) -> &[u32] {
        &self.fragments
    }

    /// Makes ready for the next message; keeps a little memory.
    pub fn reset(&mut self) {
        self.data.clear();
        self.fragments.clear();
        self.data.shrink_to(SMALL_CAPACITY);
        self.fragments.shrink_to(SMALL_CAPACITY / size_of::<u32>());
        self.utf8 = Utf8Validator::default();
        self.frames = 0;
        self.declared = 0;
    }

    /// Grows by so many times what really came, but not beyond what was declared: memory follows what the
    /// peer sent, and a long frame ends up in an allocation of its size.
    fn make_room(&mut self, additional: usize) {
        let length = self.data.len();
        if self.data.capacity() - length < additional {
            let missing = usize::try_from(self.declared).unwrap_or(usize::MAX).saturating_sub(length);
            let ahead = missing.min(SMALL_CAPACITY.max(GROWTH * (length + additional)));
            self.data.reserve_exact(ahead.max(additional));
        }
    }

    fn record_fragment(&mut self, mut length: usize) {
        // A frame beyond what an entry can hold is listed in parts; the sum stays right.
        while length > u32::MAX as usize {
            self.fragments.push(u32::MAX);
            length -= u32::MAX as usize;
        }
        if length > 0 {
            self.fragments.push(length as u32);
        }
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
