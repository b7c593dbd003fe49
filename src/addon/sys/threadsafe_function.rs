//! Node-API's thread-safe function: wakes an environment's loop from any thread, in hosts without libuv. Not used
//! everywhere because it opens one callback scope around a whole wake-up, and microtasks would not run between two
//! connections.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use napi::{Env, Result, sys};

use super::check;
use crate::transport::event_loop::{ClosableWaker, LoopControl};
use crate::transport::socket::Wake;

type OnCall = Box<dyn Fn()>;

/// The environment's end. Dropping it ends the calls; it must be dropped before the environment ends.
pub(in crate::addon) struct ThreadsafeFunction {
    env: sys::napi_env,
    raw: sys::napi_threadsafe_function,
    waker: Arc<ClosableWaker<Target>>,
}

/// The function, for the waker that any thread may hold.
struct Target(sys::napi_threadsafe_function);

// SAFETY: the pointer is only passed to `napi_call_threadsafe_function`, which may be called from any thread, and only by the waker,
// which `ThreadsafeFunction::drop` closes before it releases the function.
unsafe impl Send for Target {}

impl ThreadsafeFunction {
    /// Calls `on_call` on this environment's thread, at least once after each request.
    pub(in crate::addon) fn new(env: Env, on_call: OnCall) -> Result<Self> {
        let name = env.create_string("ferrows")?;
        let data = Box::into_raw(Box::new(on_call)).cast::<c_void>();
        let mut raw = ptr::null_mut();
        // SAFETY: the name belongs to the current handle scope. With `run` no JavaScript function is needed.
        // `finalize` takes the box; `run` borrows it.
        let created = check(unsafe {
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
        if let Err(error) = created {
            // SAFETY: from `into_raw` above; a function that was not created is never finalized.
            drop(unsafe { Box::from_raw(data.cast::<OnCall>()) });
            return Err(error);
        }
        let function = Self { env: env.raw(), raw, waker: ClosableWaker::new(Target(raw), send) };
        function.set_ref(false);
        Ok(function)
    }
}

impl LoopControl for ThreadsafeFunction {
    fn waker(&self) -> Box<dyn Wake> {
        Box::new(Arc::clone(&self.waker))
    }

    fn set_ref(&self, is_referenced: bool) {
        let change = if is_referenced {
            sys::napi_ref_threadsafe_function
        } else {
            sys::napi_unref_threadsafe_function
        };
        // SAFETY: created in `env`, not released, and on its thread: the type is not `Send`.
        unsafe { change(self.env, self.raw) };
    }

    fn close(self: Box<Self>, closed: Box<dyn Any>) {
        drop((self, closed));
    }
}

impl Drop for ThreadsafeFunction {
    fn drop(&mut self) {
        self.waker.close();
        // SAFETY: acquired by one thread, when created, and released once.
        unsafe { sys::napi_release_threadsafe_function(self.raw, sys::ThreadsafeFunctionReleaseMode::abort) };
    }
}

fn send(Target(raw): &Target) {
    let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
    // SAFETY: not released: `ThreadsafeFunction::drop` closes the waker first. The queue is unbounded, so that this never blocks.
    unsafe { sys::napi_call_threadsafe_function(*raw, ptr::null_mut(), mode) };
}

unsafe extern "C" fn run(env: sys::napi_env, _: sys::napi_value, context: *mut c_void, _: *mut c_void) {
    // Requests that are still queued when the environment ends come without one.
    if env.is_null() {
        return;
    }
    // SAFETY: the box of `new`, which lives until `finalize`.
    let on_call = unsafe { &*context.cast::<OnCall>() };
    // A panic must not unwind into Node, which has no caller to report it to.
    let _ = catch_unwind(AssertUnwindSafe(on_call));
}

unsafe extern "C" fn finalize(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: the box of `new`; Node calls this once, after the last `run`.
    drop(unsafe { Box::from_raw(data.cast::<OnCall>()) });
}
