//! Work on the threads of Node's pool, as Node-API's asynchronous work: Node waits for it when an environment ends.

use std::ffi::c_void;
use std::ptr;

use napi::{Env, Result, sys};

use super::check;

/// What is done there, and what is then done here with what it gave.
struct Work<T> {
    raw: sys::napi_async_work,
    job: Option<Box<dyn FnOnce() -> T + Send>>,
    /// `None` until the job is done, and if it panicked.
    result: Option<T>,
    done: Option<Box<dyn FnOnce(Option<T>)>>,
}

/// Runs `job` on another thread, and then `done` on this one, in a handle scope, if the environment has not ended. It is given
/// `None` if `job` has panicked. Both are dropped before the environment goes.
///
/// # Errors
/// When the environment is ending.
pub(in crate::addon) fn queue_async_work<T: Send + 'static>(
    env: Env,
    job: impl FnOnce() -> T + Send + 'static,
    done: impl FnOnce(Option<T>) + 'static,
) -> Result<()> {
    let name = env.create_string("ferrows")?;
    let work = Box::new(Work {
        raw: ptr::null_mut(),
        job: Some(Box::new(job)),
        result: None,
        done: Some(Box::new(done)),
    });
    let data = Box::into_raw(work);
    let mut raw = ptr::null_mut();
    // SAFETY: the name belongs to the current handle scope; `data` lives until `complete`, or until below.
    let made = check(unsafe {
        sys::napi_create_async_work(
            env.raw(),
            ptr::null_mut(),
            napi::JsValue::raw(&name),
            Some(execute::<T>),
            Some(complete::<T>),
            data.cast(),
            &raw mut raw,
        )
    });
    let queued = made.and_then(|()| {
        // SAFETY: from `into_raw` above; nobody else has it before the work is queued.
        unsafe { (*data).raw = raw };
        // SAFETY: just made.
        check(unsafe { sys::napi_queue_async_work(env.raw(), raw) })
    });
    if queued.is_err() {
        // SAFETY: from `into_raw` above, and Node did not take it.
        drop(unsafe { Box::from_raw(data) });
    }
    queued
}

unsafe extern "C" fn execute<T: Send>(_: sys::napi_env, data: *mut c_void) {
    // SAFETY: the box of `queue_async_work`. Until `complete` nobody else has it; only the job and the result, which may be on
    // any thread, are touched.
    let work = unsafe { &mut *data.cast::<Work<T>>() };
    if let Some(job) = work.job.take() {
        // A panic must not unwind into Node.
        work.result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).ok();
    }
}

unsafe extern "C" fn complete<T>(env: sys::napi_env, status: sys::napi_status, data: *mut c_void) {
    // SAFETY: the box of `queue_async_work`; Node calls this once, after `execute`.
    let mut work = unsafe { Box::from_raw(data.cast::<Work<T>>()) };
    // SAFETY: made in `env`, and complete.
    unsafe { sys::napi_delete_async_work(env, work.raw) };
    if status == sys::Status::napi_ok
        && let Some(done) = work.done.take()
    {
        let result = work.result.take();
        // A panic must not unwind into Node. There is nobody to tell.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| done(result)));
    }
}
