//! End of the uncompressed payloads sent by one side, to which its next payload may refer.

use std::sync::Arc;

/// Bytes appended at the end and dropped at the front. Uses no more memory than the bytes appended,
/// and at most twice the size to keep.
#[derive(Debug, Default)]
pub struct History {
    bytes: Vec<u8>,
}

impl History {
    /// Starts with the dictionary, which both ends know.
    pub fn new(dictionary: Option<&Arc<[u8]>>) -> Self {
        Self { bytes: dictionary.map(|dictionary| dictionary.to_vec()).unwrap_or_default() }
    }

    /// Appends bytes and keeps at least the last `size`. Returns the memory before, if there is more now.
    pub fn push(&mut self, bytes: &[u8], size: usize) -> Option<Vec<u8>> {
        let bytes = &bytes[bytes.len().saturating_sub(size)..];
        if self.bytes.len() + bytes.len() > 2 * size {
            // Cutting to `size` leaves room for as many bytes again, so cuts are rare.
            self.cut(size - bytes.len());
        }
        let length = self.bytes.len() + bytes.len();
        debug_assert!(length <= 2 * size);
        let before = (length > self.bytes.capacity()).then(|| {
            let capacity = length.max(2 * self.bytes.capacity()).min(2 * size);
            let mut larger = Vec::with_capacity(capacity);
            larger.extend_from_slice(&self.bytes);
            std::mem::replace(&mut self.bytes, larger)
        });
        self.bytes.extend_from_slice(bytes);
        before
    }

    /// The last `size` bytes, or all if there are fewer.
    pub fn last(&self, size: usize) -> &[u8] {
        &self.bytes[self.bytes.len().saturating_sub(size)..]
    }

    /// True if there is nothing to refer to.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Keeps the last `size` bytes, in memory of that size. Returns the memory before, if that had more.
    pub fn compact(&mut self, size: usize) -> Option<Vec<u8>> {
        let last = self.last(size);
        if last.len() == self.bytes.capacity() {
            return None;
        }
        let last = last.to_vec();
        Some(std::mem::replace(&mut self.bytes, last))
    }

    /// Keeps the last `length` bytes.
    fn cut(&mut self, length: usize) {
        let excess = self.bytes.len().saturating_sub(length);
        self.bytes.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_is_the_end_of_the_bytes_pushed() {
        let mut history = History::default();
        let mut all = Vec::new();
        for round in 0_u32..200 {
            let bytes: Vec<u8> = (0..round * 7 % 300).map(|byte| (byte ^ round) as u8).collect();
            history.push(&bytes, 256);
            all.extend_from_slice(&bytes);
            assert_eq!(history.last(256), &all[all.len().saturating_sub(256)..]);
            assert!(history.bytes.len() <= 512);
            if round % 50 == 0 {
                let before = history.compact(256);
                assert!(before.is_none_or(|before| before.capacity() > history.bytes.capacity()));
                assert!(history.bytes.capacity() <= 256);
            }
        }
    }

    #[test]
    fn a_dictionary_is_part_of_the_history() {
        let dictionary: Arc<[u8]> = Arc::from(vec![7; 300]);
        assert_eq!(History::new(Some(&dictionary)).last(256), &[7; 256]);
    }
}
