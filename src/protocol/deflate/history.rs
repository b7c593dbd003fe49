//! The end of what one side has sent, as it was before compression: what its next payload may refer to.

use std::sync::Arc;

/// Bytes that are filled in at the end and forgotten at the front. Takes no more memory than what was put in, and up to twice
/// what is to be kept.
#[derive(Debug, Default)]
pub struct History {
    bytes: Vec<u8>,
}

impl History {
    /// What both ends know before the first payload.
    pub fn new(dictionary: Option<&Arc<[u8]>>) -> Self {
        Self { bytes: dictionary.map(|dictionary| dictionary.to_vec()).unwrap_or_default() }
    }

    /// Appends bytes, and keeps at least the last `size`.
    pub fn push(&mut self, bytes: &[u8], size: usize) {
        let bytes = &bytes[bytes.len().saturating_sub(size)..];
        if self.bytes.len() + bytes.len() > 2 * size {
            // Most of the time that much has come in since the last cut.
            self.cut(size - bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The last `size` bytes, or what there is.
    pub fn last(&self, size: usize) -> &[u8] {
        &self.bytes[self.bytes.len().saturating_sub(size)..]
    }

    /// Whether there is nothing to refer to.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Gives the memory back that the last `size` bytes do not need. Returns how much that was.
    pub fn compact(&mut self, size: usize) -> usize {
        let before = self.bytes.capacity();
        self.cut(size);
        self.bytes.shrink_to_fit();
        before - self.bytes.capacity()
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
    fn what_is_kept_is_the_end_of_all_that_came() {
        let mut history = History::default();
        let mut all = Vec::new();
        for round in 0_u32..200 {
            let bytes: Vec<u8> = (0..round * 7 % 300).map(|byte| (byte ^ round) as u8).collect();
            history.push(&bytes, 256);
            all.extend_from_slice(&bytes);
            assert_eq!(history.last(256), &all[all.len().saturating_sub(256)..]);
            assert!(history.bytes.len() <= 512);
            if round % 50 == 0 {
                history.compact(256);
                assert!(history.bytes.capacity() <= 256);
            }
        }
    }

    #[test]
    fn a_dictionary_counts_as_sent() {
        let dictionary: Arc<[u8]> = Arc::from(vec![7; 300]);
        assert_eq!(History::new(Some(&dictionary)).last(256), &[7; 256]);
    }
}
