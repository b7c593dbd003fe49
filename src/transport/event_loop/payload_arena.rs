//! Bookkeeping of the payload arena, the host's memory that sockets with large messages are read into. Messages are parsed in
//! place and copied out by the consumer; then the memory is reused. Reads no socket and parses no frame.

use std::cell::Cell;

use super::Host;

/// Bytes of the arena: about as many as the sockets of one batch bring.
pub const ARENA_SIZE: usize = 256 * 1024;

/// Least room for a read.
const LEAST_READ: usize = 32 * 1024;

const _: () = assert!(LEAST_READ <= ARENA_SIZE);

/// Chunks lie one behind the other until all of them are released.
#[derive(Debug, Default)]
pub(super) struct PayloadArena {
    used: Cell<usize>,
    /// Chunks that messages may lie in.
    chunks: Cell<usize>,
}

impl PayloadArena {
    /// True if there is room for a read.
    pub(super) fn has_room(&self) -> bool {
        ARENA_SIZE - self.used.get() >= LEAST_READ
    }

    /// Adds a chunk of at most `most` bytes: `read` fills its front, and returns how much of it. Returns the offset of the chunk,
    /// which stays as it is until [`PayloadArena::release_with`].
    pub(super) fn add_chunk<R>(
        &self,
        host: &impl Host,
        most: usize,
        read: impl FnOnce(&mut [u8]) -> (R, usize),
    ) -> (R, usize) {
        let start = self.used.get();
        let (result, length) = host.with_arena(|bytes| {
            debug_assert_eq!(bytes.len(), ARENA_SIZE);
            let room = bytes.get_mut(start..).unwrap_or_default();
            let most = most.min(room.len());
            read(&mut room[..most])
        });
        debug_assert!(start + length <= ARENA_SIZE, "a chunk ends within the arena");
        self.used.set((start + length).min(ARENA_SIZE));
        self.chunks.set(self.chunks.get() + 1);
        (result, start)
    }

    /// Runs `access` on the bytes from `start` on, and releases the chunk that they begin: the memory is used again when all chunks are
    /// released.
    pub(super) fn release_with(&self, host: &impl Host, start: usize, access: impl FnOnce(&[u8])) {
        debug_assert!(start <= self.used.get(), "the chunk is in use");
        host.with_arena(|bytes| access(bytes.get(start..).unwrap_or_default()));
        debug_assert!(self.chunks.get() > 0, "a chunk is released once");
        let chunks = self.chunks.get().saturating_sub(1);
        self.chunks.set(chunks);
        if chunks == 0 {
            self.used.set(0);
        }
    }
}
