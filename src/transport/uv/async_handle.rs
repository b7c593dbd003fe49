//! libuv's async handle: wakes a loop from any thread.

use std::ffi::c_void;
use std::fmt;
use std::io;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use super::handle::{Handle, Loop, OnClosed, with_value};
use super::symbols::{RawHandle, libuv};
use crate::transport::socket::Wake;

/// `UV_ASYNC` of `uv_handle_type`, part of libuv's stable ABI.
const UV_ASYNC: i32 = 1;

/// Called on the loop's thread after one or more wake-ups.
type OnWake = Box<dyn Fn()>;

/// The part that any thread may hold. `None` once closed.
struct AsyncWaker(Mutex<Option<Target>>);

struct Target(NonNull<c_void>);

// SAFETY: the pointer is only passed to `uv_async_send`, which may be called from any thread, and only under
// the lock under which `AsyncHandle::close` removes it before it closes the handle.
unsafe impl Send for Target {}

impl Wake for Arc<AsyncWaker> {
    fn wake(&self) {
        let target = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(Target(raw)), Some(libuv)) = (&*target, libuv()) {
            // SAFETY: initialized and not closed: `AsyncHandle::close` removes it under this lock first.
            unsafe { (libuv.async_send)(raw.as_ptr()) };
        }
    }
}

/// The part of the loop's thread. Does not keep the loop alive until [`AsyncHandle::set_ref`].
pub struct AsyncHandle {
    waker: Arc<AsyncWaker>,
    handle: Handle<OnWake>,
}

impl AsyncHandle {
    /// Calls `on_wake` on this thread. Must be closed with [`AsyncHandle::close`] before the loop ends.
    ///
    /// # Errors
    /// Without libuv, or if the loop refuses a handle.
    pub fn new(event_loop: Loop, on_wake: OnWake) -> io::Result<Self> {
        let handle = Handle::new(event_loop, UV_ASYNC, on_wake, |libuv, event_loop, raw| {
            // SAFETY: the host's loop, and memory of the size of the type.
            unsafe { (libuv.async_init)(event_loop, raw, woken) }
        })?;
        let target = NonNull::new(handle.raw()).map(Target);
        Ok(Self { waker: Arc::new(AsyncWaker(Mutex::new(target))), handle })
    }

    /// The waker for other threads.
    pub fn waker(&self) -> Box<dyn Wake> {
        Box::new(Arc::clone(&self.waker))
    }

    /// Sets whether this keeps the loop alive.
    pub fn set_ref(&self, is_referenced: bool) {
        self.handle.set_ref(is_referenced);
    }

    /// Closes the handle. `closed` runs when the loop no longer uses it. Later wake-ups do nothing.
    pub fn close(self, closed: OnClosed) {
        *self.waker.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.handle.close(closed);
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
