//! A wake-up of an environment's event loop from any thread: libuv's async handle or, where there is no libuv, a
//! thread-safe function of Node-API.
//!
//! Why not always the latter: it opens one callback scope around a whole wake-up, and then microtasks would not run
//! between two connections.

use std::fmt;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use napi::{Env, Result};

use super::super::threadsafe_function::{ThreadsafeFunction, ThreadsafeSender};
use super::handle::{Handle, OnClosed, with_value};
use super::symbols::{RawHandle, libuv};
use crate::transport::socket::Wake;

/// `UV_ASYNC` of libuv's `uv_handle_type`; part of its stable ABI.
const UV_ASYNC: i32 = 1;

/// Outcome on the environment's thread after one or more wake-ups.
pub(in crate::addon) type OnWake = Box<dyn Fn()>;

/// The part of the wake-up that any thread may hold.
pub(in crate::addon) struct LoopWaker {
    /// `None` once closed.
    handle: Mutex<Option<Target>>,
}

enum Target {
    Libuv(NonNull<std::ffi::c_void>),
    Threadsafe(ThreadsafeSender),
}

// SAFETY: the pointer is only passed to `uv_async_send`, which may be called from any thread, and only under the lock that
// `AsyncHandle::close` takes before it closes the handle.
unsafe impl Send for Target {}

impl Wake for Arc<LoopWaker> {
    fn wake(&self) {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        match &*handle {
            Some(Target::Libuv(raw)) => {
                if let Some(libuv) = libuv() {
                    // SAFETY: the handle is initialized and not closed: closing takes it out under the same lock.
                    unsafe { (libuv.async_send)(raw.as_ptr()) };
                }
            }
            Some(Target::Threadsafe(handle)) => handle.call(),
            None => {}
        }
    }
}

enum Source {
    Libuv(Handle<OnWake>),
    Threadsafe(ThreadsafeFunction),
}

/// A wake-up of an environment's loop. It does not keep the loop alive until asked to.
pub(in crate::addon) struct AsyncHandle {
    shared: Arc<LoopWaker>,
    source: Source,
}

impl AsyncHandle {
    /// Calls `on_wake` on this environment's thread. It must be closed with [`AsyncHandle::close`] before the loop ends.
    ///
    /// # Errors
    /// When the environment is ending, or takes no handle.
    pub(in crate::addon) fn new(env: Env, on_wake: OnWake) -> Result<Self> {
        let (source, target) = if libuv().is_some() {
            let handle = Handle::new(env, UV_ASYNC, on_wake, |libuv, event_loop, raw| {
                // SAFETY: the loop is the environment's, the memory has the size that libuv wants.
                unsafe { (libuv.async_init)(event_loop, raw, woken) }
            })?;
            let raw = NonNull::new(handle.raw());
            (Source::Libuv(handle), raw.map(Target::Libuv))
        } else {
            let call = ThreadsafeFunction::new(env, on_wake)?;
            let handle = call.handle();
            (Source::Threadsafe(call), Some(Target::Threadsafe(handle)))
        };
        Ok(Self { shared: Arc::new(LoopWaker { handle: Mutex::new(target) }), source })
    }

    /// What other threads wake it by.
    pub(in crate::addon) fn handle(&self) -> Arc<LoopWaker> {
        Arc::clone(&self.shared)
    }

    /// Whether this keeps the environment's loop alive.
    pub(in crate::addon) fn set_ref(&self, keep: bool) {
        match &self.source {
            Source::Libuv(handle) => handle.set_ref(keep),
            Source::Threadsafe(call) => call.set_ref(keep),
        }
    }

    /// Ends it; `closed` runs when the loop has let go of it. Wake-ups that come later do nothing.
    pub(in crate::addon) fn close(self, closed: OnClosed) {
        *self.shared.handle.lock().unwrap_or_else(PoisonError::into_inner) = None;
        match self.source {
            Source::Libuv(handle) => handle.close(closed),
            Source::Threadsafe(call) => {
                drop(call);
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

/// libuv's callback for a wake-up.
unsafe extern "C" fn woken(raw: RawHandle) {
    // SAFETY: a handle of `AsyncHandle::new`.
    unsafe { with_value::<OnWake>(raw, |on_wake| on_wake()) };
}
