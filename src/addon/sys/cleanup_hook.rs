//! Asynchronous cleanup hooks: Node calls them when an environment ends, and waits for their completion
//! before it closes the event loop.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use napi::{Env, Result, sys};

use super::check;

/// Completes the cleanup when dropped. Until then Node keeps the loop running.
pub(in crate::addon) struct CleanupDone(sys::napi_async_cleanup_hook_handle);

impl Drop for CleanupDone {
    fn drop(&mut self) {
        // SAFETY: the handle that Node passed to the hook, removed once.
        unsafe { sys::napi_remove_async_cleanup_hook(self.0) };
    }
}

type Hook = Box<dyn FnOnce(CleanupDone)>;

/// Calls `hook` on the environment's thread when the environment ends. JavaScript can't be called then.
pub(in crate::addon) fn add_cleanup_hook(env: Env, hook: Hook) -> Result<()> {
    let data = Box::into_raw(Box::new(hook));
    // SAFETY: `run` takes the box; the out-parameter for the handle may be null.
    let added = check(unsafe {
        sys::napi_add_async_cleanup_hook(env.raw(), Some(run), data.cast(), ptr::null_mut())
    });
    if added.is_err() {
        // SAFETY: from `into_raw` above; a hook that was not added is never called.
        drop(unsafe { Box::from_raw(data) });
    }
    added
}

unsafe extern "C" fn run(handle: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    // SAFETY: the box of `add_cleanup_hook`; Node calls a hook once.
    let hook = unsafe { Box::from_raw(data.cast::<Hook>()) };
    // A panic must not unwind into Node.
    let _ = catch_unwind(AssertUnwindSafe(|| hook(CleanupDone(handle))));
}
