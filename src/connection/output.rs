//! The output of a connection in order: bytes, and between them external segments, whose bytes lie in memory of the
//! caller. Filled by `send` and `outbound`, consumed by `transport`. Only positions and lengths of external segments belong
//! here. The caller keeps their memory in the same order.

use std::collections::VecDeque;
use std::mem;

/// Capacity that an empty output keeps: the answers to a few small messages.
const KEPT_CAPACITY: usize = 2 * 1024;

/// Capacity that the allocator gives back to the system at once.
const LARGE_CAPACITY: usize = 1024 * 1024;

/// Queued output.
#[derive(Debug, Default)]
pub struct Output {
    bytes: Vec<u8>,
    /// Bytes at the start of `bytes` that are consumed.
    start: usize,
    #[allow(clippy::box_collection, reason = "rare: every output is smaller without")]
    externals: Option<Box<VecDeque<External>>>,
}

/// A segment that is not in `bytes`.
#[derive(Debug)]
struct External {
    /// Index in `bytes` of the byte behind the segment.
    position: usize,
    /// Bytes that are not consumed; not 0.
    length: usize,
}

/// The next bytes of an output, up to its second external segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// Bytes before the first external segment; all if there is none.
    pub before: &'a [u8],
    /// Bytes left of the first external segment; 0 if there is none.
    pub external: usize,
    /// Bytes behind it.
    pub behind: &'a [u8],
}

impl Output {
    /// True if nothing is left.
    pub fn is_empty(&self) -> bool {
        self.start == self.bytes.len() && self.first().is_none()
    }

    /// The bytes of an output without external segments.
    pub fn bytes(&self) -> &[u8] {
        debug_assert!(self.first().is_none(), "external segments are missing");
        &self.bytes[self.start..]
    }

    /// The buffer that bytes are appended to.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Appends an external segment.
    pub fn push_external(&mut self, length: usize) {
        if length > 0 {
            let external = External { position: self.bytes.len(), length };
            self.externals.get_or_insert_default().push_back(external);
        }
    }

    fn first(&self) -> Option<&External> {
        self.externals.as_ref()?.front()
    }

    /// The bytes to write next.
    pub fn head(&self) -> Head<'_> {
        let Some(externals) = self.externals.as_deref().filter(|externals| !externals.is_empty()) else {
            return Head { before: &self.bytes[self.start..], external: 0, behind: &[] };
        };
        let first = &externals[0];
        let end = externals.get(1).map_or(self.bytes.len(), |second| second.position);
        Head {
            before: &self.bytes[self.start..first.position],
            external: first.length,
            behind: &self.bytes[first.position..end],
        }
    }

    /// Removes `count` bytes of the [head](Self::head). Returns true if its external segment is used up.
    pub fn consume(&mut self, count: usize) -> bool {
        let Some(first) = self.externals.as_mut().and_then(|externals| externals.front_mut()) else {
            self.start += count;
            debug_assert!(self.start <= self.bytes.len(), "more consumed than queued");
            return false;
        };
        let before = first.position - self.start;
        if count < before {
            self.start += count;
            return false;
        }
        self.start = first.position;
        let count = count - before;
        if count < first.length {
            first.length -= count;
            return false;
        }
        self.start += count - first.length;
        self.externals.as_mut().and_then(|externals| externals.pop_front());
        debug_assert!(self.start <= self.bytes.len(), "more consumed than queued");
        true
    }

    /// Turns external segments into bytes. `copy` appends the `length` bytes that are left of the next one; if it
    /// returns false, that segment and all behind it are dropped. Returns false then.
    pub fn copy_externals(&mut self, mut copy: impl FnMut(usize, &mut Vec<u8>) -> bool) -> bool {
        let Some(externals) = self.externals.take() else { return true };
        let length =
            externals.iter().fold(self.bytes.len() - self.start, |sum, external| sum + external.length);
        let mut bytes = Vec::with_capacity(length);
        let mut from = self.start;
        let mut is_whole = true;
        for External { position, length } in *externals {
            bytes.extend_from_slice(&self.bytes[from..position]);
            from = position;
            let before = bytes.len();
            is_whole = copy(length, &mut bytes);
            if !is_whole {
                bytes.truncate(before);
                break;
            }
            debug_assert_eq!(bytes.len() - before, length);
        }
        if is_whole {
            bytes.extend_from_slice(&self.bytes[from..]);
        }
        (self.bytes, self.start) = (bytes, 0);
        is_whole
    }

    /// Puts bytes in front. There must be no external segments.
    pub(super) fn prepend(&mut self, bytes: &[u8]) {
        debug_assert!(self.first().is_none(), "positions would change");
        self.bytes.splice(..self.start, bytes.iter().copied());
        self.start = 0;
    }

    /// Swaps bytes with an empty buffer. There must be no external segments.
    pub(super) fn swap_bytes(&mut self, spare: &mut Vec<u8>) {
        debug_assert!(spare.is_empty() && self.start == 0 && self.first().is_none());
        mem::swap(spare, &mut self.bytes);
    }

    /// True if it has so much memory that freeing it takes long.
    pub fn is_large(&self) -> bool {
        self.bytes.capacity() >= LARGE_CAPACITY
    }

    /// Bytes of memory.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.externals.as_ref().map_or(0, |externals| externals.capacity())
    }

    /// Drops everything, and keeps the memory of the bytes.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.start = 0;
        self.externals = None;
    }

    /// Frees the memory of two empty outputs, but for one small buffer, which `self` keeps.
    pub(super) fn release(&mut self, spare: &mut Self) {
        debug_assert!(self.is_empty() && spare.is_empty());
        let is_kept = |bytes: &Vec<u8>| (1..=KEPT_CAPACITY).contains(&bytes.capacity());
        if !is_kept(&self.bytes) {
            self.bytes = Vec::new();
            if is_kept(&spare.bytes) {
                mem::swap(&mut self.bytes, &mut spare.bytes);
            }
        }
        if spare.bytes.capacity() > 0 {
            spare.bytes = Vec::new();
        }
        self.clear();
        spare.clear();
    }
}
