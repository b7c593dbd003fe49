//! A call on an environment's thread, asked for by any thread: Node-API's thread-safe function. For hosts without libuv.

use std::ffi::c_void;
use std::ptr;

use napi::{Env, Result, sys};

use super::check;

type OnCall = Box<dyn Fn()>;

/// The environment's end of it. Dropping it ends the calls; it must go before the environment does.
pub(in crate::addon) struct ThreadsafeFunction {
    env: sys::napi_env,
    raw: sys::napi_threadsafe_function,
}

/// The end that any thread may hold, as long as the other is there.
pub(in crate::addon) struct ThreadsafeSender(sys::napi_threadsafe_function);

// SAFETY: it is only passed to `napi_call_threadsafe_function`, which is made for any thread.
unsafe impl Send for ThreadsafeSender {}

impl ThreadsafeFunction {
    /// Has `on_call` called on this environment's thread, once or more after each time that the handle was called.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(in crate::addon) fn new(env: Env, on_call: OnCall) -> Result<Self> {
        let name = env.create_string("ferrows")?;
        let data = Box::into_raw(Box::new(on_call)).cast::<c_void>();
        let mut raw = ptr::null_mut();
        // SAFETY: the name belongs to the current handle scope; a function need not be given where a callback is; `finalize`
        // takes what `data` owns, `run` borrows it.
        let made = check(unsafe {
            sys::napi_create_threadsafe_function(
                env.raw(),
                ptr::null_mut(),
                ptr::null_mut(),
                napi::JsValue::raw(&name),
                0,
                1,
                data,
                Some(finalize),
                data,
                Some(run),
                &raw mut raw,
            )
        });
        if let Err(error) = made {
            // SAFETY: from `into_raw` above, and Node did not take it.
            drop(unsafe { Box::from_raw(data.cast::<OnCall>()) });
            return Err(error);
        }
        let call = Self { env: env.raw(), raw };
        call.set_ref(false);
        Ok(call)
    }

    /// What other threads call it by. It must not be called any more when this is dropped.
    pub(in crate::addon) fn handle(&self) -> ThreadsafeSender {
        ThreadsafeSender(self.raw)
    }

    /// Whether this keeps the environment's loop alive.
    pub(in crate::addon) fn set_ref(&self, keep: bool) {
        let change =
            if keep { sys::napi_ref_threadsafe_function } else { sys::napi_unref_threadsafe_function };
        // SAFETY: made in `env`, not released, on its thread: the type is not `Send`.
        unsafe { change(self.env, self.raw) };
    }
}

impl Drop for ThreadsafeFunction {
    fn drop(&mut self) {
        // SAFETY: released once, by the one thread that it was made for.
        unsafe { sys::napi_release_threadsafe_function(self.raw, sys::ThreadsafeFunctionReleaseMode::abort) };
    }
}

impl ThreadsafeSender {
    /// Asks for a call.
    pub(super) fn call(&self) {
        // SAFETY: not released yet: `AsyncHandle::close` takes the handle away first. The queue has no bound, so this never waits.
        unsafe {
            sys::napi_call_threadsafe_function(
                self.0,
                ptr::null_mut(),
                sys::ThreadsafeFunctionCallMode::nonblocking,
            )
        };
    }
}

unsafe extern "C" fn run(env: sys::napi_env, _: sys::napi_value, context: *mut c_void, _: *mut c_void) {
    // Node calls without an environment for what is still queued when it ends.
    if env.is_null() {
        return;
    }
    // SAFETY: the box of `new`, which lives until `finalize`.
    let on_call = unsafe { &*context.cast::<OnCall>() };
    // A panic must not unwind into Node. There is nobody to tell.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(on_call));
}

unsafe extern "C" fn finalize(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: the box of `new`; Node calls this once, after the last `run`.
    drop(unsafe { Box::from_raw(data.cast::<OnCall>()) });
}
