//! Wakes an environment's event loop from any thread: libuv's async handle or, in hosts without libuv, a
//! thread-safe function of Node-API. The latter is not used everywhere because it opens one callback scope
//! around a whole wake-up, and microtasks would not run between two connections.

use std::fmt;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use napi::{Env, Result};

use super::super::threadsafe_function::{ThreadsafeFunction, ThreadsafeSender};
use super::handle::{Handle, OnClosed, with_value};
use super::symbols::{RawHandle, libuv};
use crate::transport::socket::Wake;

/// `UV_ASYNC` of `uv_handle_type`, part of libuv's stable ABI.
const UV_ASYNC: i32 = 1;

/// Called on the environment's thread after one or more wake-ups.
pub(in crate::addon) type OnWake = Box<dyn Fn()>;

/// The part that any thread may hold.
pub(in crate::addon) struct LoopWaker {
    /// `None` once closed.
    target: Mutex<Option<Target>>,
}

enum Target {
    Libuv(NonNull<std::ffi::c_void>),
    Threadsafe(ThreadsafeSender),
}

// SAFETY: the pointer is only passed to `uv_async_send`, which may be called from any thread, and only under
// the lock under which `AsyncHandle::close` removes it before it closes the handle.
unsafe impl Send for Target {}

impl Wake for Arc<LoopWaker> {
    fn wake(&self) {
        let target = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        match &*target {
            Some(Target::Libuv(raw)) => {
                if let Some(libuv) = libuv() {
                    // SAFETY: initialized and not closed: `AsyncHandle::close` removes it under this lock
                    // first.
                    unsafe { (libuv.async_send)(raw.as_ptr()) };
                }
            }
            Some(Target::Threadsafe(sender)) => sender.send(),
            None => {}
        }
    }
}

enum Source {
    Libuv(Handle<OnWake>),
    Threadsafe(ThreadsafeFunction),
}

/// The part of the environment's thread. Does not keep the loop alive until [`AsyncHandle::set_ref`].
pub(in crate::addon) struct AsyncHandle {
    waker: Arc<LoopWaker>,
    source: Source,
}

impl AsyncHandle {
    /// Calls `on_wake` on this environment's thread. Must be closed with [`AsyncHandle::close`] before the
    /// loop ends.
    ///
    /// # Errors
    /// If the environment is ending, or refuses a handle.
    pub(in crate::addon) fn new(env: Env, on_wake: OnWake) -> Result<Self> {
        let (source, target) = if libuv().is_some() {
            let handle = Handle::new(env, UV_ASYNC, on_wake, |libuv, event_loop, raw| {
                // SAFETY: the environment's loop, and memory of the size of the type.
                unsafe { (libuv.async_init)(event_loop, raw, woken) }
            })?;
            let raw = NonNull::new(handle.raw());
            (Source::Libuv(handle), raw.map(Target::Libuv))
        } else {
            let function = ThreadsafeFunction::new(env, on_wake)?;
            let sender = function.sender();
            (Source::Threadsafe(function), Some(Target::Threadsafe(sender)))
        };
        Ok(Self { waker: Arc::new(LoopWaker { target: Mutex::new(target) }), source })
    }

    /// The waker for other threads.
    pub(in crate::addon) fn waker(&self) -> Arc<LoopWaker> {
        Arc::clone(&self.waker)
    }

    /// Sets whether this keeps the environment's event loop alive.
    pub(in crate::addon) fn set_ref(&self, is_referenced: bool) {
        match &self.source {
            Source::Libuv(handle) => handle.set_ref(is_referenced),
            Source::Threadsafe(function) => function.set_ref(is_referenced),
        }
    }

    /// Closes the handle. `closed` runs when the loop no longer uses it. Later wake-ups do nothing.
    pub(in crate::addon) fn close(self, closed: OnClosed) {
        *self.waker.target.lock().unwrap_or_else(PoisonError::into_inner) = None;
        match self.source {
            Source::Libuv(handle) => handle.close(closed),
            Source::Threadsafe(function) => {
                drop(function);
                closed();
            }
        }
    }
}

impl fmt::Debug for AsyncHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncHandle").finish_non_exhaustive()
    }
}

unsafe extern "C" fn woken(raw: RawHandle) {
    // SAFETY: a handle of `AsyncHandle::new`.
    unsafe { with_value::<OnWake>(raw, |on_wake| on_wake()) };
}
