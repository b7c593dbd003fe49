//! The memory that sockets with large messages are read into: parsed in place there, copied out by the shim, and used again.

use std::cell::Cell;

use napi::{Env, Result, sys};

use super::sys::SharedArray;

/// Bytes of it: what the sockets of one stage bring.
const SIZE: usize = 256 * 1024;

/// Room that must be left for a read into it.
const LEAST_READ: usize = 32 * 1024;

/// Chunks lie one behind the other until all of them are done with.
#[derive(Debug)]
pub(super) struct PayloadArena {
    memory: SharedArray,
    used: Cell<usize>,
    /// Chunks that messages may still lie in.
    chunks: Cell<usize>,
}

impl PayloadArena {
    /// # Errors
    /// When JavaScript has no memory for it.
    pub(super) fn new(env: Env) -> Result<Self> {
        Ok(Self { memory: SharedArray::new(env, SIZE)?, used: Cell::new(0), chunks: Cell::new(0) })
    }

    /// The `ArrayBuffer`.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(super) fn value(&self) -> Result<sys::napi_value> {
        self.memory.value()
    }

    /// Whether there is room for a read.
    pub(super) fn has_room(&self) -> bool {
        SIZE - self.used.get() >= LEAST_READ
    }

    /// Adds a chunk of `most` bytes or less: `read` fills its front and says how much of it. Returns where the chunk begins; it
    /// stays as it is until [`PayloadArena::release`].
    pub(super) fn add_chunk<R>(&self, most: usize, read: impl FnOnce(&mut [u8]) -> (R, usize)) -> (R, usize) {
        let start = self.used.get();
        let (result, length) = self.memory.with(|bytes| {
            let room = bytes.get_mut(start..).unwrap_or_default();
            let most = most.min(room.len());
            read(&mut room[..most])
        });
        self.used.set((start + length).min(SIZE));
        self.chunks.set(self.chunks.get() + 1);
        (result, start)
    }

    /// Runs `access` on the bytes from `start` on.
    pub(super) fn with_chunk<R>(&self, start: usize, access: impl FnOnce(&[u8]) -> R) -> R {
        self.memory.with(|bytes| access(bytes.get(start..).unwrap_or_default()))
    }

    /// A chunk is done with.
    pub(super) fn release(&self) {
        let chunks = self.chunks.get().saturating_sub(1);
        self.chunks.set(chunks);
        if chunks == 0 {
            self.used.set(0);
        }
    }
}
