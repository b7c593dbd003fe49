//! The common part of all libuv handles: memory of libuv's size, a value for the callbacks, and an end that
//! takes until the close phase of a turn. Used by `loop_handles`, which has the callbacks of the event loop;
//! the host calls [`run_in_close_phase`].

use std::ffi::{c_int, c_void};
use std::io;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use super::symbols::{Libuv, RawHandle, libuv};

/// `UV_IDLE` of `uv_handle_type`, part of libuv's stable ABI.
pub(super) const UV_IDLE: c_int = 6;

/// A `uv_loop_t` of this thread.
#[derive(Clone, Copy, Debug)]
pub struct Loop(NonNull<c_void>);

impl Loop {
    /// # Safety
    /// `raw` must be a loop that this thread runs, and that ends only when all of its handles are closed. `None` if it is
    /// null.
    pub unsafe fn from_raw(raw: *mut c_void) -> Option<Self> {
        NonNull::new(raw).map(Self)
    }
}

/// The beginning of every `uv_handle_t`: the user's pointer.
#[repr(C)]
struct Head {
    data: *mut c_void,
}

/// Runs in the close phase, when the loop no longer uses a handle.
pub(super) type OnClosed = Box<dyn FnOnce()>;

/// The target of `Head::data`.
struct Data<T> {
    value: T,
    closed: Option<OnClosed>,
}

/// An initialized handle with a value, on the thread of its loop (neither `Send` nor `Sync`). Dropping it
/// closes it. The value is dropped in the close phase, so that a callback may drop its own handle.
pub(super) struct Handle<T> {
    raw: NonNull<c_void>,
    libuv: &'static Libuv,
    value: PhantomData<T>,
}

impl<T> Handle<T> {
    /// Creates a handle of libuv's type `kind` with `init`, which gets the loop and memory of
    /// the size of that type. It does not keep the loop alive until [`Handle::set_ref`].
    ///
    /// # Errors
    /// Without libuv, or if `init` fails.
    pub(super) fn new(
        event_loop: Loop,
        kind: c_int,
        value: T,
        init: impl FnOnce(&Libuv, *mut c_void, RawHandle) -> c_int,
    ) -> io::Result<Self> {
        let libuv = libuv().ok_or_else(|| io::Error::other("libuv's functions are not in this process"))?;
        // SAFETY: takes any number.
        let size = unsafe { (libuv.handle_size)(kind) };
        debug_assert!(size >= size_of::<Head>(), "every handle begins with its head");
        // Aligned for any C type; freed by `on_closed`.
        // SAFETY: plain allocation; null is handled below.
        let memory = unsafe { libc::calloc(1, size) };
        let raw = NonNull::new(memory).ok_or_else(|| io::Error::other("out of memory"))?;
        let status = init(libuv, event_loop.0.as_ptr(), raw.as_ptr());
        if status != 0 {
            // SAFETY: allocated above; libuv does not use a handle whose initialization failed.
            unsafe { libc::free(raw.as_ptr()) };
            return Err(io::Error::other(format!("libuv refuses a handle: error {status}")));
        }
        let data = Box::into_raw(Box::new(Data { value, closed: None }));
        // SAFETY: an initialized handle begins with the pointer `data`, which libuv leaves to the user.
        unsafe { (*raw.as_ptr().cast::<Head>()).data = data.cast() };
        let handle = Self { raw, libuv, value: PhantomData };
        handle.set_ref(false);
        Ok(handle)
    }

    /// The handle, for functions of libuv that are called on its thread.
    pub(super) fn raw(&self) -> RawHandle {
        self.raw.as_ptr()
    }

    /// The functions of libuv.
    pub(super) fn libuv(&self) -> &'static Libuv {
        self.libuv
    }

    /// Sets whether the handle keeps the loop alive.
    pub(super) fn set_ref(&self, is_referenced: bool) {
        let change = if is_referenced { self.libuv.reference } else { self.libuv.unreference };
        // SAFETY: initialized and not closed, on the loop's thread.
        unsafe { change(self.raw()) };
    }

    /// Closes the handle. `closed` runs when the loop no longer uses it.
    pub(super) fn close(self, closed: OnClosed) {
        let data = data_of::<T>(self.raw());
        // SAFETY: the box lives until `on_closed`. Callbacks borrow `value` alone, through `with_value`.
        unsafe { (*data).closed = Some(closed) };
        drop(self);
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        // SAFETY: initialized, and closed once, on the loop's thread. `on_closed` gets a handle with a value
        // of its type.
        unsafe { (self.libuv.close)(self.raw(), on_closed::<T>) };
    }
}

/// Runs `run` in the close phase of this turn, in which Node's sockets emit `close`; of the next one, if this
/// turn is in that phase. The loop stays alive until then.
///
/// # Errors
/// Without libuv, or if the loop refuses a handle.
pub fn run_in_close_phase(event_loop: Loop, run: Box<dyn FnOnce()>) -> io::Result<()> {
    let handle = Handle::new(event_loop, UV_IDLE, (), |libuv, event_loop, raw| {
        // SAFETY: the host's loop, and memory of the size of the type.
        unsafe { (libuv.idle_init)(event_loop, raw) }
    })?;
    handle.close(run);
    Ok(())
}

fn data_of<T>(raw: RawHandle) -> *mut Data<T> {
    // SAFETY: `raw` is the memory of a handle, whose `data` was set by `Handle::new` before libuv could call
    // back.
    unsafe { (*raw.cast::<Head>()).data.cast() }
}

/// Runs a callback of libuv with the value of its handle.
///
/// # Safety
/// `raw` must be a handle with a value of this type that is not closed, or not yet in its close phase.
pub(super) unsafe fn with_value<T>(raw: RawHandle, run: impl FnOnce(&T)) {
    // SAFETY: the box lives until `on_closed`, which the loop calls in its close phase and never within
    // another callback. Only the value is borrowed: `run` may close the handle, which writes `closed`.
    let value = unsafe { &(*data_of::<T>(raw)).value };
    // A panic must not unwind into libuv, which has no caller to report it to.
    let _ = catch_unwind(AssertUnwindSafe(|| run(value)));
}

/// libuv's callback after `uv_close`.
unsafe extern "C" fn on_closed<T>(raw: RawHandle) {
    let data = data_of::<T>(raw);
    // SAFETY: from `Box::into_raw` in `new`; libuv calls back once.
    let data = unsafe { Box::from_raw(data) };
    // SAFETY: allocated by `calloc` in `new`; libuv does not use it any more.
    unsafe { libc::free(raw) };
    // A panic must not unwind into libuv.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let Data { value, closed } = *data;
        drop(value);
        if let Some(closed) = closed {
            closed();
        }
    }));
}
