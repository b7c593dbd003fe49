//! What all handles have in common: memory of libuv's size, a value that callbacks get, an end that takes a turn.

use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use napi::{Env, Error, Result, sys};

use super::super::check;
use super::symbols::{Libuv, RawHandle, libuv};

/// Of libuv's `uv_handle_type`; part of its stable ABI.
pub(super) const UV_IDLE: c_int = 6;

/// What every handle's memory begins with: libuv's `uv_handle_t` has the user's `data` pointer first.
#[repr(C)]
struct Head {
    data: *mut c_void,
}

/// Runs when the loop has let go of a handle.
pub(in crate::addon) type OnClosed = Box<dyn FnOnce()>;

/// What `data` points to.
struct Data<T> {
    value: T,
    closed: Option<OnClosed>,
}

/// An initialized handle with a value, on the thread of its loop (it is neither `Send` nor `Sync`). It closes when
/// dropped; the value goes when the loop has let go of it, so that a callback may drop its own handle.
pub(super) struct Handle<T> {
    raw: NonNull<c_void>,
    libuv: &'static Libuv,
    value: PhantomData<T>,
}

impl<T> Handle<T> {
    /// Makes a handle of libuv's type number `kind`, by `init`, which gets the environment's loop and memory of the right
    /// size. It does not keep the loop alive until asked to.
    ///
    /// # Errors
    /// Where there is no libuv, or it refuses.
    pub(super) fn new(
        env: Env,
        kind: c_int,
        value: T,
        init: impl FnOnce(&Libuv, *mut c_void, RawHandle) -> c_int,
    ) -> Result<Self> {
        let libuv = libuv().ok_or_else(|| Error::from_reason("libuv's functions are not in this process"))?;
        let mut event_loop = ptr::null_mut();
        // SAFETY: plain out-parameter.
        check(unsafe { sys::napi_get_uv_event_loop(env.raw(), &raw mut event_loop) })?;
        // SAFETY: any handle type may be asked for.
        let size = unsafe { (libuv.handle_size)(kind) };
        // Memory aligned for any C type, freed by `release`.
        // SAFETY: plain allocation; null is checked below.
        let memory = unsafe { libc::calloc(1, size) };
        let raw = NonNull::new(memory).ok_or_else(|| Error::from_reason("out of memory"))?;
        let status = init(libuv, event_loop.cast(), raw.as_ptr());
        if status != 0 {
            // SAFETY: allocated above, and libuv did not take it.
            unsafe { libc::free(raw.as_ptr()) };
            return Err(Error::from_reason(format!("libuv makes no handle: error {status}")));
        }
        let data = Box::into_raw(Box::new(Data { value, closed: None }));
        // SAFETY: every libuv handle begins with `data`, which is the user's.
        unsafe { (*raw.as_ptr().cast::<Head>()).data = data.cast() };
        let handle = Self { raw, libuv, value: PhantomData };
        handle.set_ref(false);
        Ok(handle)
    }

    /// The handle, for functions of libuv that take one on its thread.
    pub(super) fn raw(&self) -> RawHandle {
        self.raw.as_ptr()
    }

    /// The functions of libuv.
    pub(super) fn libuv(&self) -> &'static Libuv {
        self.libuv
    }

    /// Whether this keeps the loop alive.
    pub(super) fn set_ref(&self, keep: bool) {
        let change = if keep { self.libuv.keep } else { self.libuv.unkeep };
        // SAFETY: initialized and not closed, on the loop's thread.
        unsafe { change(self.raw()) };
    }

    /// Closes the handle; `closed` runs when the loop has let go of it.
    pub(super) fn close(self, closed: OnClosed) {
        let data = data_of::<T>(self.raw());
        // SAFETY: the box lives until `release`; nobody else looks at this field.
        unsafe { (*data).closed = Some(closed) };
        drop(self);
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        // SAFETY: initialized, closed only here, on the loop's thread; `release` is for values of this type.
        unsafe { (self.libuv.close)(self.raw(), release::<T>) };
    }
}

fn data_of<T>(raw: RawHandle) -> *mut Data<T> {
    // SAFETY: `Handle::new` put the box into every handle that callbacks and methods get.
    unsafe { (*raw.cast::<Head>()).data.cast() }
}

/// Runs a callback of libuv on the value of its handle. A panic must not unwind into libuv; there is nobody to tell.
///
/// # Safety
/// `raw` must be a live handle that was made with a value of this type.
pub(super) unsafe fn with_value<T>(raw: RawHandle, run: impl FnOnce(&T)) {
    // SAFETY: the box lives until `release`, which the loop calls from its own turn and never inside of a callback.
    let data = unsafe { &*data_of::<T>(raw) };
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&data.value)));
}

/// libuv's callback after `uv_close`.
unsafe extern "C" fn release<T>(raw: RawHandle) {
    let data = data_of::<T>(raw);
    // SAFETY: from `Box::into_raw` in `new`, taken once.
    let data = unsafe { Box::from_raw(data) };
    // SAFETY: allocated by `calloc` in `new`; libuv has let go of it.
    unsafe { libc::free(raw) };
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let Data { value, closed } = *data;
        drop(value);
        if let Some(closed) = closed {
            closed();
        }
    }));
}
