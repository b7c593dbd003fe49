//! Values by small numbers that are used again: what a number costs to look up is an index.

/// A table of values.
#[derive(Debug)]
pub struct Slab<T> {
    values: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { values: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// The number that the next value will get.
    pub fn vacant_key(&self) -> usize {
        self.free.last().copied().unwrap_or(self.values.len())
    }

    /// All values.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter().flatten()
    }

    /// Puts a value in and returns its number.
    pub fn insert(&mut self, value: T) -> usize {
        if let Some(index) = self.free.pop() {
            self.values[index] = Some(value);
            return index;
        }
        self.values.push(Some(value));
        self.values.len() - 1
    }

    /// Takes the value out. Its number may be given to another one from now on.
    pub fn remove(&mut self, index: usize) -> Option<T> {
        let value = self.values.get_mut(index)?.take()?;
        self.free.push(index);
        Some(value)
    }

    /// All values with their numbers.
    pub fn iter_with_keys(&self) -> impl Iterator<Item = (usize, &T)> {
        self.values.iter().enumerate().filter_map(|(index, value)| Some((index, value.as_ref()?)))
    }

    /// The value of a number, to be changed.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.values.get_mut(index)?.as_mut()
    }

    /// The value of a number.
    pub fn get(&self, index: usize) -> Option<&T> {
        self.values.get(index)?.as_ref()
    }
}
