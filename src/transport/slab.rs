//! A slab: values under small integer keys that are reused, so that a lookup costs an index.
//!
//! Holds the connections and configurations of an environment and the sockets of a listener. A key must be
//! forgotten when its value is removed: the next `insert` may return it.

/// Values by key.
#[derive(Debug)]
pub struct Slab<T> {
    values: Vec<Option<T>>,
    vacant: Vec<usize>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { values: Vec::new(), vacant: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// The key that the next `insert` returns.
    pub fn vacant_key(&self) -> usize {
        self.vacant.last().copied().unwrap_or(self.values.len())
    }

    /// A key above those of all values.
    pub fn end_key(&self) -> usize {
        self.values.len()
    }

    /// All values, by ascending key.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter().flatten()
    }

    /// All values with their keys, by ascending key.
    pub fn iter_with_keys(&self) -> impl Iterator<Item = (usize, &T)> {
        self.values.iter().enumerate().filter_map(|(key, value)| Some((key, value.as_ref()?)))
    }

    /// Stores a value and returns its key.
    pub fn insert(&mut self, value: T) -> usize {
        if let Some(key) = self.vacant.pop() {
            debug_assert!(self.values[key].is_none(), "a vacant key has no value");
            self.values[key] = Some(value);
            return key;
        }
        self.values.push(Some(value));
        self.values.len() - 1
    }

    /// Removes and returns a value. Its key is vacant from now on.
    pub fn remove(&mut self, key: usize) -> Option<T> {
        let value = self.values.get_mut(key)?.take()?;
        self.vacant.push(key);
        Some(value)
    }

    /// The value of a key.
    pub fn get(&self, key: usize) -> Option<&T> {
        self.values.get(key)?.as_ref()
    }

    /// The value of a key, mutably.
    pub fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        self.values.get_mut(key)?.as_mut()
    }
}
