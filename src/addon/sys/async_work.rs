//! Node-API's asynchronous work: a job on libuv's thread pool. Node waits for it when an environment ends.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use napi::{Env, Result, sys};

use super::check;

struct Work<T> {
    raw: sys::napi_async_work,
    job: Option<Box<dyn FnOnce() -> T + Send>>,
    /// `None` until the job has run, and if it panicked.
    result: Option<T>,
    done: Option<Box<dyn FnOnce(Option<T>)>>,
}

/// Runs `job` on the thread pool and then `done` on this thread, in a handle scope, unless the environment
/// has ended. `done` gets `None` if `job` panicked. Both are dropped before the environment is.
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
    // SAFETY: the name belongs to the current handle scope. `data` lives until `complete` takes it, or until
    // it is dropped below.
    let created = check(unsafe {
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
    let queued = created.and_then(|()| {
        // SAFETY: from `into_raw` above. The work is not queued yet, so that no other thread has the pointer.
        unsafe { (*data).raw = raw };
        // SAFETY: created above, and queued once.
        check(unsafe { sys::napi_queue_async_work(env.raw(), raw) })
    });
    if queued.is_err() {
        // SAFETY: from `into_raw` above; work that is not queued never calls `execute` or `complete`.
        drop(unsafe { Box::from_raw(data) });
    }
    queued
}

/// Runs on the thread pool.
unsafe extern "C" fn execute<T: Send>(_: sys::napi_env, data: *mut c_void) {
    // SAFETY: the box of `queue_async_work`. Node calls `complete` after this has returned, and nothing else
    // has the pointer. `done`, which belongs to the environment's thread, is not touched; `job` and `result`
    // are `Send`.
    let work = unsafe { &mut *data.cast::<Work<T>>() };
    if let Some(job) = work.job.take() {
        // A panic must not unwind into libuv.
        work.result = catch_unwind(AssertUnwindSafe(job)).ok();
    }
}

/// Runs on the environment's thread.
unsafe extern "C" fn complete<T>(env: sys::napi_env, status: sys::napi_status, data: *mut c_void) {
    // SAFETY: the box of `queue_async_work`. Node calls this once, after `execute`, or instead of it if the
    // work is cancelled.
    let mut work = unsafe { Box::from_raw(data.cast::<Work<T>>()) };
    // SAFETY: created in `env`; Node permits deletion from here on.
    unsafe { sys::napi_delete_async_work(env, work.raw) };
    if status == sys::Status::napi_ok
        && let Some(done) = work.done.take()
    {
        let result = work.result.take();
        // A panic must not unwind into Node, which has no caller to report it to.
        let _ = catch_unwind(AssertUnwindSafe(|| done(result)));
    }
}
