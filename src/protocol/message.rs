//! Assembly of messages that are not complete in one chunk of input.
//!
//! Only for data frames whose header was accepted by [`FrameHeader::parse`].

use super::frame::mask;
use super::{FrameHeader, MaskingKey, Opcode, ProtocolError, Utf8Validator};

/// Minimum capacity for a new message, and maximum kept between messages: idle connections must
/// stay small, and declaring a length alone must not allocate memory.
const SMALL_CAPACITY: usize = 4 * 1024;

/// Capacity is reserved for at most 16 times the bytes received: few reallocations, and a peer must
/// send a sixteenth of the memory it makes this end reserve.
const GROWTH: usize = 16;

/// Collects the payloads of one message at a time.
///
/// For each frame call [`begin_frame`](Self::begin_frame), [`push`](Self::push) for every piece of
/// payload, then [`end_frame`](Self::end_frame). Once the message is complete read
/// [`is_binary`](Self::is_binary), [`data`](Self::data), [`fragments`](Self::fragments) or
/// [`take_data`](Self::take_data), then call [`reset`](Self::reset). Unusable after an error.
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
    /// Payload bytes declared by the frames so far.
    declared: u64,
}

impl MessageAssembler {
    /// True if the final frame of the current message has not begun.
    pub fn is_fragmented(&self) -> bool {
        self.fragmented
    }

    /// True until the first frame of the message is complete.
    pub fn is_first_frame(&self) -> bool {
        self.frames == 0
    }

    /// Payload bytes declared by the frames of the message so far.
    pub fn declared_length(&self) -> u64 {
        self.declared
    }

    /// Begins a data frame. `validate` requests UTF-8 validation; it counts only in the first frame
    /// of a text message.
    pub fn begin_frame(&mut self, header: &FrameHeader, validate: bool) {
        debug_assert!(!header.opcode.is_control());
        debug_assert_eq!(header.opcode == Opcode::Continuation, self.fragmented);
        if header.opcode != Opcode::Continuation {
            self.binary = header.opcode == Opcode::Binary;
            self.validating = validate && !self.binary;
        }
        self.fragmented = !header.fin;
        self.declared = self.declared.saturating_add(header.payload_length);
        self.frame_start = self.data.len();
    }

    /// Appends masked payload bytes of the current frame. The first one has `offset` in its
    /// payload.
    ///
    /// # Errors
    /// [`ProtocolError::InvalidUtf8`] as soon as no continuation can make the text valid UTF-8 (RFC
    /// 6455 section 8.1).
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

    /// Replaces [`push`](Self::push) for a compressed frame: `data` is the result of
    /// [`take_data`](Self::take_data) with the inflated payload appended.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn set_inflated(&mut self, data: Vec<u8>) -> Result<(), ProtocolError> {
        debug_assert!(data.len() >= self.frame_start, "earlier frames must be kept");
        self.data = data;
        self.validate_from(self.frame_start)
    }

    fn validate_from(&mut self, start: usize) -> Result<(), ProtocolError> {
        if self.validating && !self.utf8.feed(&self.data[start..]) {
            return Err(ProtocolError::InvalidUtf8);
        }
        Ok(())
    }

    /// Ends the current frame. Returns true if the message is complete. `max_fragments` 0 is
    /// unlimited.
    ///
    /// # Errors
    /// [`ProtocolError::TooManyMessageFragments`]; with the final frame,
    /// [`ProtocolError::InvalidUtf8`] if the text ends inside a code point.
    pub fn end_frame(&mut self, max_fragments: u32) -> Result<bool, ProtocolError> {
        self.frames = self.frames.saturating_add(1);
        if max_fragments > 0 && self.frames > max_fragments {
            return Err(ProtocolError::TooManyMessageFragments);
        }
        // Only fragmented messages need the list.
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

    /// True for a binary message.
    pub fn is_binary(&self) -> bool {
        self.binary
    }

    /// Unmasked bytes collected so far.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Takes the collected bytes without copying them.
    pub fn take_data(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.data)
    }

    /// Lengths of the non-empty frames. Empty for an unfragmented message.
    pub fn fragments(&self) -> &[u32] {
        &self.fragments
    }

    /// Prepares for the next message, keeping up to 4 KiB.
    pub fn reset(&mut self) {
        self.data.clear();
        self.fragments.clear();
        self.data.shrink_to(SMALL_CAPACITY);
        self.fragments.shrink_to(SMALL_CAPACITY / size_of::<u32>());
        self.utf8 = Utf8Validator::default();
        self.frames = 0;
        self.declared = 0;
    }

    /// Frees all memory, unless a message has begun. Returns the number of bytes freed.
    pub fn release(&mut self) -> usize {
        if self.frames > 0 || self.declared > 0 || !self.data.is_empty() {
            return 0;
        }
        let freed = self.data.capacity() + self.fragments.capacity() * size_of::<u32>();
        self.data = Vec::new();
        self.fragments = Vec::new();
        freed
    }

    /// Reserves up to [`GROWTH`] times the received bytes, but no more than declared: memory
    /// follows the bytes sent, and a long frame ends in an allocation of its exact size.
    fn make_room(&mut self, additional: usize) {
        let length = self.data.len();
        if self.data.capacity() - length < additional {
            let missing = usize::try_from(self.declared).unwrap_or(usize::MAX).saturating_sub(length);
            let ahead = missing.min(SMALL_CAPACITY.max(GROWTH * (length + additional)));
            self.data.reserve_exact(ahead.max(additional));
        }
    }

    fn record_fragment(&mut self, mut length: usize) {
        // A frame too long for one entry is listed in parts; the sum is unchanged.
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
