//! A wake-up of an environment's event loop from any thread: libuv's async handle. The functions are looked up at
//! run time, so that test executables link and hosts without libuv can still load the addon.
//!
//! Why not a `ThreadsafeFunction`: it opens one callback scope around a whole wake-up, and then microtasks would not run
//! between two connections.

use std::ffi::{CStr, c_int, c_void};
use std::fmt;
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use napi::{Env, Error, Result, sys};

use super::check;
use crate::transport::io_threads::Wake;

type Handle = *mut c_void;
type Callback = unsafe extern "C" fn(Handle);

/// `UV_ASYNC` of libuv's `uv_handle_type`; part of its stable ABI.
const UV_ASYNC: c_int = 1;

struct Libuv {
    handle_size: unsafe extern "C" fn(c_int) -> usize,
    async_init: unsafe extern "C" fn(*mut c_void, Handle, Callback) -> c_int,
    async_send: unsafe extern "C" fn(Handle) -> c_int,
    close: unsafe extern "C" fn(Handle, Callback),
    keep: unsafe extern "C" fn(Handle),
    unkeep: unsafe extern "C" fn(Handle),
}

fn libuv() -> Option<&'static Libuv> {
    static LIBUV: OnceLock<Option<Libuv>> = OnceLock::new();
    LIBUV.get_or_init(load).as_ref()
}

fn load() -> Option<Libuv> {
    // SAFETY: the signature is that of `uv_handle_size` in uv.h.
    let handle_size = unsafe { symbol(c"uv_handle_size") }?;
    // SAFETY: as above, `uv_async_init`.
    let async_init = unsafe { symbol(c"uv_async_init") }?;
    // SAFETY: as above, `uv_async_send`.
    let async_send = unsafe { symbol(c"uv_async_send") }?;
    // SAFETY: as above, `uv_close`.
    let close = unsafe { symbol(c"uv_close") }?;
    // SAFETY: as above, `uv_ref`.
    let keep = unsafe { symbol(c"uv_ref") }?;
    // SAFETY: as above, `uv_unref`.
    let unkeep = unsafe { symbol(c"uv_unref") }?;
    Some(Libuv { handle_size, async_init, async_send, close, keep, unkeep })
}

/// Looks a function up among the symbols of the process.
///
/// # Safety
/// `F` must be the function pointer type of the symbol.
unsafe fn symbol<F: Copy>(name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: `name` ends with a NUL.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if address.is_null() {
        return None;
    }
    // SAFETY: the sizes are equal (checked above), and the caller vouches for the type.
    Some(unsafe { mem::transmute_copy(&address) })
}

/// What the handle's memory is, in front: libuv's `uv_handle_t` begins with the user's `data` pointer.
#[repr(C)]
struct HandleHead {
    data: *mut c_void,
}

/// Called on the environment's thread after one or more wake-ups.
type OnWake = Box<dyn Fn()>;

/// The part of the wake-up that any thread may hold.
pub(in crate::addon) struct WakeupHandle {
    /// `None` once closed.
    handle: Mutex<Option<NonNull<c_void>>>,
}

// SAFETY: the pointer is only passed to `uv_async_send`, which may be called from any thread, and only under the lock that
// `Wakeup::close` takes before it closes the handle.
unsafe impl Send for WakeupHandle {}
// SAFETY: as above.
unsafe impl Sync for WakeupHandle {}

impl Wake for Arc<WakeupHandle> {
    fn wake(&self) {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(handle), Some(libuv)) = (*handle, libuv()) {
            // SAFETY: the handle is initialized and not closed: closing takes it out under the same lock.
            unsafe { (libuv.async_send)(handle.as_ptr()) };
        }
    }
}

/// An async handle on an environment's loop. It does not keep the loop alive until asked to.
pub(in crate::addon) struct Wakeup {
    shared: Arc<WakeupHandle>,
    libuv: &'static Libuv,
}

impl Wakeup {
    /// Makes a handle that calls `on_wake`. It must be closed with [`Wakeup::close`] before the loop ends.
    ///
    /// # Errors
    /// Where there is no libuv, or the loop takes no handle.
    pub(in crate::addon) fn new(env: Env, on_wake: OnWake) -> Result<Self> {
        let libuv = libuv().ok_or_else(|| Error::from_reason("libuv's functions are not in this process"))?;
        let mut event_loop = ptr::null_mut();
        // SAFETY: plain out-parameter.
        check(unsafe { sys::napi_get_uv_event_loop(env.raw(), &raw mut event_loop) })?;
        // SAFETY: any handle type may be asked for.
        let size = unsafe { (libuv.handle_size)(UV_ASYNC) };
        // Memory aligned for any C type, freed by `free_handle`.
        // SAFETY: plain allocation; null is checked below.
        let memory = unsafe { libc::calloc(1, size) };
        let handle = NonNull::new(memory).ok_or_else(|| Error::from_reason("out of memory"))?;
        // SAFETY: the loop is the environment's, the memory has the size that libuv wants.
        let status = unsafe { (libuv.async_init)(event_loop.cast(), handle.as_ptr(), woken) };
        if status != 0 {
            // SAFETY: allocated above, and libuv did not take it.
            unsafe { libc::free(handle.as_ptr()) };
            return Err(Error::from_reason("uv_async_init failed"));
        }
        let data = Box::into_raw(Box::new(on_wake));
        // SAFETY: every libuv handle begins with `data`, which is the user's.
        unsafe { (*handle.as_ptr().cast::<HandleHead>()).data = data.cast() };
        // SAFETY: initialized above.
        unsafe { (libuv.unkeep)(handle.as_ptr()) };
        Ok(Self { shared: Arc::new(WakeupHandle { handle: Mutex::new(Some(handle)) }), libuv })
    }

    /// What other threads wake it by.
    pub(in crate::addon) fn handle(&self) -> Arc<WakeupHandle> {
        Arc::clone(&self.shared)
    }

    /// Whether this keeps the environment's loop alive.
    pub(in crate::addon) fn keep_alive(&self, keep: bool) {
        let handle = self.shared.handle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = *handle {
            let change = if keep { self.libuv.keep } else { self.libuv.unkeep };
            // SAFETY: initialized and not closed; we are on the loop's thread (the type is not `Send`).
            unsafe { change(handle.as_ptr()) };
        }
    }

    /// Closes the handle; `closed` runs when the loop has let go of it. Wake-ups that come later do nothing.
    pub(in crate::addon) fn close(&self, closed: Box<dyn FnOnce()>) {
        let taken = self.shared.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(handle) = taken else {
            closed();
            return;
        };
        let head = handle.as_ptr().cast::<HandleHead>();
        // SAFETY: the handle is live, `data` is what `new` put there.
        let on_wake = unsafe { (*head).data };
        // SAFETY: from `Box::into_raw` in `new`; libuv calls `woken` no more once the handle closes.
        drop(unsafe { Box::from_raw(on_wake.cast::<OnWake>()) });
        let closed: Box<Box<dyn FnOnce()>> = Box::new(closed);
        // SAFETY: as above; `free_handle` takes this box.
        unsafe { (*head).data = Box::into_raw(closed).cast() };
        // SAFETY: initialized, closed only once (taken above), on the loop's thread.
        unsafe { (self.libuv.close)(handle.as_ptr(), free_handle) };
    }
}

impl fmt::Debug for Wakeup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakeup").finish_non_exhaustive()
    }
}

/// libuv's callback for a wake-up.
unsafe extern "C" fn woken(handle: Handle) {
    // SAFETY: libuv calls with the live handle, whose `data` is the box of `Wakeup::new`.
    let on_wake = unsafe { (*handle.cast::<HandleHead>()).data.cast::<OnWake>() };
    // SAFETY: the box lives until `close`, which the callback itself must not call.
    let on_wake = unsafe { &*on_wake };
    // A panic must not unwind into libuv. There is nobody to tell; the next wake-up finds the mailbox as it is.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(on_wake));
}

/// libuv's callback after `uv_close`.
unsafe extern "C" fn free_handle(handle: Handle) {
    // SAFETY: `close` put the box there.
    let data = unsafe { (*handle.cast::<HandleHead>()).data };
    // SAFETY: from `Box::into_raw` in `close`, taken once.
    let closed = unsafe { Box::from_raw(data.cast::<Box<dyn FnOnce()>>()) };
    // SAFETY: allocated by `calloc` in `new`; libuv has let go of it.
    unsafe { libc::free(handle) };
    closed();
}
