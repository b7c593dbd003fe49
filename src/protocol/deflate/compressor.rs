//! Compression of data frame payloads (RFC 7692 section 7.2.1).

use std::fmt;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Method, Strategy};

use super::{MemLevel, OutgoingParams, TRAILER, WindowBits};

/// Payload of an empty message or an empty final frame: an empty block without the trailer.
pub const EMPTY_MESSAGE: &[u8] = &[0x00];
/// Payload of an empty non-final frame.
pub const EMPTY_FRAGMENT: &[u8] = &[0x00, 0x00, 0x00, 0xFF, 0xFF];

/// Maximum output capacity reserved at a time.
const STEP: usize = 64 * 1024;
/// Output capacity kept for the next payload.
const KEPT_CAPACITY: usize = 16 * 1024;

/// Compresses one payload at a time. Not tied to a connection: the history is passed with each
/// payload. Loading it costs less than fetching a connection's own 200 KB of state from memory.
pub struct Compressor {
    kind: Kind,
    deflate: Deflate,
    output: Vec<u8>,
}

/// Parameters that distinguish compressors in the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    window_bits: WindowBits,
    level: i32,
    mem_level: MemLevel,
    strategy: Strategy,
}

impl Kind {
    /// The kind for a payload of `length` bytes.
    pub(super) fn of(outgoing: &OutgoingParams, length: usize) -> Self {
        Self {
            window_bits: outgoing.window_bits.max(WindowBits::MIN_DEFLATE),
            level: outgoing.level_for(length),
            mem_level: outgoing.mem_level,
            strategy: outgoing.strategy,
        }
    }
}

impl Compressor {
    /// Creates a compressor for payloads of about `length` bytes. Allocates up to 300 KB.
    pub fn new(outgoing: &OutgoingParams, length: usize) -> Self {
        Self::of_kind(Kind::of(outgoing, length))
    }

    pub(super) fn of_kind(kind: Kind) -> Self {
        let deflate = Deflate::new_with_config(DeflateConfig {
            level: kind.level,
            method: Method::Deflated,
            window_bits: -i32::from(kind.window_bits.get()),
            mem_level: kind.mem_level.get(),
            strategy: kind.strategy,
        });
        Self { kind, deflate, output: Vec::new() }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Compresses a non-empty payload up to the end of a sync flush. It may refer to `history`, the
    /// end of the payloads sent before.
    pub fn compress(&mut self, history: &[u8], payload: &[u8]) -> &[u8] {
        self.output.clear();
        self.output.shrink_to(KEPT_CAPACITY);
        self.deflate.reset();
        if !history.is_empty() {
            // Fails only in the middle of a block.
            let _ = self.deflate.set_dictionary(history);
        }
        let mut input = payload;
        loop {
            let start = self.output.len();
            let room = input.len().clamp(64, STEP) + TRAILER.len();
            self.output.resize(start + room, 0);
            let before = (self.deflate.total_in(), self.deflate.total_out());
            // Fails only for an uninitialized state.
            let _ = self.deflate.compress(input, &mut self.output[start..], DeflateFlush::SyncFlush);
            let read = (self.deflate.total_in() - before.0) as usize;
            let written = (self.deflate.total_out() - before.1) as usize;
            self.output.truncate(start + written);
            input = &input[read..];
            if input.is_empty() && written < room {
                return &self.output;
            }
        }
    }

    /// Takes the result of the last [`Compressor::compress`].
    pub(super) fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Strips the trailer from the payload of a final frame.
pub fn strip_trailer(compressed: &[u8], fin: bool) -> &[u8] {
    if fin { compressed.strip_suffix(&TRAILER).unwrap_or(compressed) } else { compressed }
}

/// Encodes the payload as stored blocks (RFC 1951 section 3.2.4) up to the end of a sync flush.
/// Fallback for a failed compression.
pub fn stored_blocks(payload: &[u8]) -> Vec<u8> {
    let mut blocks = Vec::with_capacity(payload.len() + 64);
    for block in payload.chunks(usize::from(u16::MAX)).chain([&[][..]]) {
        let length = block.len() as u16;
        blocks.push(0);
        blocks.extend_from_slice(&length.to_le_bytes());
        blocks.extend_from_slice(&(!length).to_le_bytes());
        blocks.extend_from_slice(block);
    }
    blocks
}
