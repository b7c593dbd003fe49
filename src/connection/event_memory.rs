//! Spare memory of event batches. The batches of many connections take turns with it, so that a connection without
//! undelivered events holds none.

use std::mem;

use super::event::{Buffers, EventBatch};

/// Limits on the spare memory: the batches of as many connections as an event loop reads before it delivers.
const MAX_KEPT: usize = 64;
const MAX_BYTES: usize = 1024 * 1024;

/// A stack of spare memory: the last piece that was used is in the processor's caches and is used first.
#[derive(Debug, Default)]
pub struct EventMemory {
    #[allow(clippy::vec_box, reason = "a box moves to a batch and back")]
    spare: Vec<Box<Buffers>>,
    /// Bytes allocated by `spare`.
    bytes: usize,
    /// Least length of `spare` since the last [`EventMemory::trim`].
    least: usize,
    /// Bytes freed by [`EventMemory::reclaim`] since then.
    freed: usize,
}

impl EventMemory {
    /// Gives a batch memory, if it has none and some is spare.
    pub fn lend(&mut self, batch: &mut EventBatch) {
        if batch.buffers.is_none()
            && let Some(buffers) = self.spare.pop()
        {
            self.bytes -= buffers.counted;
            self.least = self.least.min(self.spare.len());
            batch.buffers = Some(buffers);
        }
    }

    /// Takes the memory of a batch, unless it has undelivered events. Frees it if enough is spare.
    pub fn reclaim(&mut self, batch: &mut EventBatch) {
        if let Some(mut buffers) = batch.buffers.take_if(|buffers| buffers.is_empty()) {
            let bytes = buffers.capacity();
            if self.spare.len() < MAX_KEPT && self.bytes + bytes <= MAX_BYTES {
                buffers.counted = bytes;
                self.bytes += bytes;
                self.spare.push(buffers);
            } else {
                self.freed += bytes;
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

    /// Frees memory that was not used since the last call; call it periodically. Returns the number of bytes freed since then, also
    /// those for which there was no room.
    pub fn trim(&mut self) -> usize {
        let unused = self.least.min(self.spare.len());
        let freed: usize = self.spare.drain(..unused).map(|buffers| buffers.counted).sum();
        self.bytes -= freed;
        self.least = self.spare.len();
        freed + mem::take(&mut self.freed)
    }

    /// Bytes allocated.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::{EventMemory, MAX_BYTES, MAX_KEPT};
    use crate::connection::{EventBatch, EventRef};

    const BATCHES: usize = 100;

    #[derive(Clone, Debug)]
    enum Step {
        Lend(usize),
        Push(usize, usize),
        Deliver(usize),
        Reclaim(usize),
        PassOn(usize),
        Trim,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let batch = 0..BATCHES;
        let step = prop_oneof![
            batch.clone().prop_map(Step::Lend),
            (batch.clone(), 0_usize..50_000).prop_map(|(batch, length)| Step::Push(batch, length)),
            batch.clone().prop_map(Step::Deliver),
            batch.clone().prop_map(Step::Reclaim),
            (0_usize..10).prop_map(Step::PassOn),
            Just(Step::Trim),
        ];
        prop::collection::vec(step, 1..600)
    }

    /// The bytes that the spare memory has in fact, and within its limits.
    fn check(memory: &EventMemory) {
        let bytes: usize = memory.spare.iter().map(|buffers| buffers.capacity()).sum();
        assert_eq!(memory.bytes(), bytes);
        assert!(bytes <= MAX_BYTES && memory.spare.len() <= MAX_KEPT);
        assert!(memory.spare.iter().all(|buffers| buffers.is_empty()));
    }

    proptest! {
        #[test]
        fn batches_have_their_own_events_whatever_memory_they_get(steps in steps()) {
            let (mut memory, mut other) = (EventMemory::default(), EventMemory::default());
            let mut batches: Vec<EventBatch> = (0..BATCHES).map(|_| EventBatch::new()).collect();
            let mut expected = vec![VecDeque::new(); BATCHES];
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Lend(batch) => memory.lend(&mut batches[batch]),
                    Step::Push(batch, length) => {
                        let data = vec![number as u8; length];
                        batches[batch].push_small(true, &data, &[]);
                        expected[batch].push_back(data);
                    }
                    Step::Deliver(batch) => {
                        let next = expected[batch].pop_front();
                        let message = next
                            .as_deref()
                            .map(|data| EventRef::Message { binary: true, data, fragments: &[] });
                        prop_assert_eq!(batches[batch].peek(), message);
                        batches[batch].advance();
                    }
                    Step::Reclaim(batch) => {
                        memory.reclaim(&mut batches[batch]);
                        // Without events there is no memory; with events there is.
                        prop_assert_eq!(batches[batch].has_memory(), !expected[batch].is_empty());
                    }
                    Step::PassOn(count) => memory.pass_on(&mut other, count),
                    Step::Trim => {
                        let (before, refused) = (memory.bytes(), memory.freed);
                        let freed = memory.trim();
                        prop_assert_eq!(memory.bytes(), before + refused - freed);
                    }
                }
                check(&memory);
                check(&other);
            }
        }
    }

    #[test]
    fn memory_that_is_not_used_is_freed_and_memory_in_use_is_not() {
        let mut memory = EventMemory::default();
        let mut batches: Vec<EventBatch> = (0..4).map(|_| EventBatch::new()).collect();
        for batch in &mut batches {
            batch.push_ping(b"data", false);
            batch.advance();
            memory.reclaim(batch);
        }
        memory.trim();
        for _ in 0..5 {
            memory.lend(&mut batches[0]);
            memory.reclaim(&mut batches[0]);
        }
        assert_eq!(memory.spare.len(), 4);
        assert!(memory.trim() > 0);
        assert_eq!(memory.spare.len(), 1);
        let last = memory.bytes();
        assert_eq!((memory.trim(), memory.bytes()), (last, 0));
    }
}
