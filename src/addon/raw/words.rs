//! Words that the addon writes and the shim reads, at one place for the life of an environment.

use std::cell::Cell;
use std::fmt;
use std::ptr::NonNull;
use std::slice;

use napi::{Env, Result, sys};

use super::{Reference, create_array_buffer, with_memory};

/// An `ArrayBuffer` that nobody but the shim holds.
pub(in crate::addon) struct SharedWords {
    reference: Reference,
    data: NonNull<[u8; 4]>,
    length: usize,
    is_lent: Cell<bool>,
}

impl SharedWords {
    /// One of `length` words of 32 bits.
    ///
    /// # Errors
    /// When JavaScript has no memory for it.
    pub(in crate::addon) fn new(env: Env, length: usize) -> Result<Self> {
        let reference = Reference::new(env, create_array_buffer(env, 4 * length)?)?;
        let data = with_memory(env, &reference, |bytes| {
            bytes.fill(0);
            NonNull::from(bytes).cast()
        })?;
        Ok(Self { reference, data, length, is_lent: Cell::new(false) })
    }

    /// The `ArrayBuffer`.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(in crate::addon) fn value(&self) -> Result<sys::napi_value> {
        self.reference.value()
    }

    /// Runs `write`, which must not call itself here, on the words, each in the machine's byte order.
    pub(in crate::addon) fn with<R>(&self, write: impl FnOnce(&mut [[u8; 4]]) -> R) -> R {
        assert!(!self.is_lent.replace(true), "the words are being written");
        // SAFETY: the memory was just made with that many words, and initialized. It stays where it is: the reference keeps
        // the buffer, and the shim, which alone has it, neither detaches nor resizes it. Nobody else writes: JavaScript does
        // not run during `write`, and the flag refuses a second borrower.
        let words = unsafe { slice::from_raw_parts_mut(self.data.as_ptr(), self.length) };
        let result = write(words);
        self.is_lent.set(false);
        result
    }
}

impl fmt::Debug for SharedWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedWords").field("length", &self.length).finish_non_exhaustive()
    }
}
