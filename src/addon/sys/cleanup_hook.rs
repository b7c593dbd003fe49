//! The end of an environment: a hook that Node calls, and waits for, before it takes the event loop down.

use std::ffi::c_void;
use std::ptr;

use napi::{Env, Result, sys};

use super::check;

/// To be dropped when the cleanup is complete; Node runs the loop until then.
pub(in crate::addon) struct CleanupDone(sys::napi_async_cleanup_hook_handle);

impl Drop for CleanupDone {
    fn drop(&mut self) {
        // SAFETY: the handle that Node passed to the hook, removed once.
        unsafe { sys::napi_remove_async_cleanup_hook(self.0) };
    }
}

type Hook = Box<dyn FnOnce(CleanupDone)>;

/// Has `hook` called, on the environment's thread, when the environment ends. JavaScript can't be called then.
///
/// # Errors
/// When the environment is ending already.
pub(in crate::addon) fn add_cleanup_hook(env: Env, hook: Hook) -> Result<()> {
    let data = Box::into_raw(Box::new(hook));
    // SAFETY: `run` takes the box; a null out-parameter is allowed.
    let added = check(unsafe {
        sys::napi_add_async_cleanup_hook(env.raw(), Some(run), data.cast(), ptr::null_mut())
    });
    if added.is_err() {
        // SAFETY: from `into_raw` above, and Node did not take it.
        drop(unsafe { Box::from_raw(data) });
    }
    added
}

unsafe extern "C" fn run(handle: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    // SAFETY: the box of `add_cleanup_hook`; Node calls a hook once.
    let hook = unsafe { Box::from_raw(data.cast::<Hook>()) };
    // A panic must not unwind into Node.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hook(CleanupDone(handle))));
}
