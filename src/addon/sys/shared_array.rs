//! Memory that the addon writes and the shim reads, at one address for the life of an environment.

use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::slice;

use napi::{Env, Result, sys};

use super::{Reference, check};

/// An `ArrayBuffer` that only the shim holds. The shim copies out of it, and hands neither it nor a view of
/// it to a user. Handles of Node may write into it, in turns of the event loop on the same thread.
#[derive(Debug)]
pub(in crate::addon) struct SharedArray {
    reference: Reference,
    data: NonNull<u8>,
    length: usize,
    is_borrowed: Cell<bool>,
}

impl SharedArray {
    /// Allocates `length` bytes, all zero.
    ///
    /// # Errors
    /// If JavaScript has no memory for it.
    pub(in crate::addon) fn new(env: Env, length: usize) -> Result<Self> {
        let (mut data, mut value) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: plain out-parameters.
        check(unsafe { sys::napi_create_arraybuffer(env.raw(), length, &raw mut data, &raw mut value) })?;
        let reference = Reference::new(env, value)?;
        // An empty buffer has no address.
        let (data, length) =
            NonNull::new(data.cast()).map_or((NonNull::dangling(), 0), |data| (data, length));
        Ok(Self { reference, data, length, is_borrowed: Cell::new(false) })
    }

    /// The `ArrayBuffer`.
    pub(in crate::addon) fn value(&self) -> Result<sys::napi_value> {
        self.reference.value()
    }

    /// Runs `access` on the bytes. Panics if called within `access`.
    pub(in crate::addon) fn with<R>(&self, access: impl FnOnce(&mut [u8]) -> R) -> R {
        assert!(!self.is_borrowed.replace(true), "the shared memory is in use");
        // SAFETY: Node-API allocated and zeroed `length` bytes at `data`. They stay there: the reference
        // keeps the buffer, and the shim, its only holder, neither detaches nor resizes it. No other access
        // happens meanwhile: neither JavaScript nor the event loop, in which handles of Node write, runs during
        // `access`, and the flag refuses a second borrow.
        let bytes = unsafe { slice::from_raw_parts_mut(self.data.as_ptr(), self.length) };
        let result = access(bytes);
        self.is_borrowed.set(false);
        result
    }
}
