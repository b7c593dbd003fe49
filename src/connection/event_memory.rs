//! Spare memory of event batches. The batches of many connections take turns with it, so that a connection without
//! undelivered events holds none.

use super::event::{Buffers, EventBatch};

/// Limits on the spare memory: the batches of as many connections as an event loop reads before it delivers.
const MAX_KEPT: usize = 64;
const MAX_BYTES: usize = 1024 * 1024;

/// A stack of spare memory: what was used last is used first, because it is in the processor's caches.
#[derive(Debug, Default)]
pub struct EventMemory {
    spare: Vec<Box<Buffers>>,
    /// Bytes allocated by `spare`.
    bytes: usize,
    /// Least length of `spare` since the last [`EventMemory::trim`].
    least: usize,
}

impl EventMemory {
    /// Gives a batch memory, if it has none and some is spare.
    pub fn lend(&mut self, batch: &mut EventBatch) {
        if batch.buffers.is_none()
            && let Some(buffers) = self.spare.pop()
        {
            self.bytes -= buffers.capacity();
            self.least = self.least.min(self.spare.len());
            batch.buffers = Some(buffers);
        }
    }

    /// Takes the memory of a batch, unless it has undelivered events. Frees it if enough is spare.
    pub fn reclaim(&mut self, batch: &mut EventBatch) {
        if let Some(buffers) = batch.buffers.take_if(|buffers| buffers.is_empty()) {
            let bytes = buffers.capacity();
            if self.spare.len() < MAX_KEPT && self.bytes + bytes <= MAX_BYTES {
                self.bytes += bytes;
                self.spare.push(buffers);
            }
        }
    }

    /// Moves up to `count` pieces to `other`, or frees them if that has enough.
    pub fn pass_on(&mut self, other: &mut Self, count: usize) {
        for _ in 0..count {
            let mut batch = EventBatch::default();
            self.lend(&mut batch);
            if batch.buffers.is_none() {
                return;
            }
            other.reclaim(&mut batch);
        }
    }

    /// Frees memory that was not used since the last call; call it periodically. Returns the number of bytes freed.
    pub fn trim(&mut self) -> usize {
        let unused = self.least.min(self.spare.len());
        let freed = self.spare.drain(..unused).map(|buffers| buffers.capacity()).sum();
        self.bytes -= freed;
        self.least = self.spare.len();
        freed
    }

    /// Bytes allocated.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
