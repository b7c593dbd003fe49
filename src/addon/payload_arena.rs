//! The payload arena: memory that sockets with large messages are read into. Messages are parsed in place there, and the shim copies
//! them out.
//!
//! Chunks are allocated one behind the other, and released after the delivery of their messages. When none is left the arena starts
//! at the front again.

use std::cell::Cell;

use napi::{Env, Result, sys};

use super::sys::SharedArray;

/// Bytes of the arena: the input of one cycle.
const SIZE: usize = 256 * 1024;

/// Free bytes below which a socket is not read into the arena.
const MIN_READ: usize = 32 * 1024;

/// A bump allocator in memory that JavaScript reads.
#[derive(Debug)]
pub(super) struct PayloadArena {
    memory: SharedArray,
    used: Cell<usize>,
    /// Chunks that were not released.
    chunks: Cell<usize>,
}

impl PayloadArena {
    /// # Errors
    /// If JavaScript has no memory for it.
    pub(super) fn new(env: Env) -> Result<Self> {
        Ok(Self { memory: SharedArray::new(env, SIZE)?, used: Cell::new(0), chunks: Cell::new(0) })
    }

    /// The `ArrayBuffer`.
    ///
    /// # Errors
    /// If the environment is ending.
    pub(super) fn value(&self) -> Result<sys::napi_value> {
        self.memory.value()
    }

    /// True if a read is worth it.
    pub(super) fn has_room(&self) -> bool {
        SIZE - self.used.get() >= MIN_READ
    }

    /// Allocates a chunk of at most `most` bytes. `read` fills its front and returns the number of bytes, which are all that the
    /// chunk keeps, until [`PayloadArena::release`]. Returns the offset of the chunk, too.
    pub(super) fn add_chunk<R>(&self, most: usize, read: impl FnOnce(&mut [u8]) -> (R, usize)) -> (R, usize) {
        let start = self.used.get();
        let (result, length) = self.memory.with(|bytes| {
            let room = bytes.get_mut(start..).unwrap_or_default();
            let most = most.min(room.len());
            read(&mut room[..most])
        });
        debug_assert!(length <= most, "a read fills at most the chunk");
        self.used.set((start + length).min(SIZE));
        self.chunks.set(self.chunks.get() + 1);
        (result, start)
    }

    /// Runs `access` on the bytes from offset `start` on.
    pub(super) fn with_chunk<R>(&self, start: usize, access: impl FnOnce(&[u8]) -> R) -> R {
        self.memory.with(|bytes| access(bytes.get(start..).unwrap_or_default()))
    }

    /// Releases one chunk, of those that were added.
    pub(super) fn release(&self) {
        debug_assert!(self.chunks.get() > 0, "every chunk is released once");
        let chunks = self.chunks.get().saturating_sub(1);
        self.chunks.set(chunks);
        if chunks == 0 {
            self.used.set(0);
        }
    }
}
