//! The handles by which a libuv loop calls one event loop: an async handle (wake-ups from other threads), a poll handle (the
//! descriptor of the poller), and a check with an idle handle (before and after the loop polls).

use std::any::Any;
use std::cell::Cell;
use std::ffi::c_int;
use std::io;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::sync::Arc;

use super::handle::{Handle, Loop, OnClosed, UV_IDLE, with_value};
use super::symbols::{RawHandle, libuv};
use crate::transport::event_loop::{ClosableWaker, LoopControl, Poller};
use crate::transport::socket::Wake;

/// `UV_POLL` of `uv_handle_type`, part of libuv's stable ABI.
const UV_POLL: c_int = 8;
/// `UV_READABLE` of `uv_poll_event`.
const UV_READABLE: c_int = 1;
/// `UV_CHECK` of `uv_handle_type`, part of libuv's stable ABI.
const UV_CHECK: i32 = 2;
/// `UV_ASYNC` of `uv_handle_type`, part of libuv's stable ABI.
const UV_ASYNC: i32 = 1;

/// Called on the thread of the loop.
type OnCall = Box<dyn Fn()>;

/// Functions that the loop calls.
pub struct Callbacks {
    /// Another thread has woken the loop.
    pub on_wake: Box<dyn Fn()>,
    /// The loop is about to poll without blocking.
    pub before_poll: Box<dyn Fn()>,
    /// The descriptor of the poller is readable.
    pub on_readable: Box<dyn Fn()>,
    /// The loop has polled.
    pub after_poll: Box<dyn Fn()>,
}

/// The handles of one event loop.
pub struct LoopHandles {
    async_handle: AsyncHandle,
    poller: Rc<Poller>,
    poll: Poll,
    check: Check,
}

impl LoopHandles {
    /// # Errors
    /// Without libuv, or if the loop refuses a handle.
    pub fn new(event_loop: Loop, poller: Rc<Poller>, callbacks: Callbacks) -> io::Result<Self> {
        let Callbacks { on_wake, before_poll, on_readable, after_poll } = callbacks;
        let poll = Poll::new(event_loop, poller.fd(), on_readable)?;
        let check = Check::new(event_loop, before_poll, after_poll)?;
        Ok(Self { async_handle: AsyncHandle::new(event_loop, on_wake)?, poller, poll, check })
    }
}

impl LoopControl for LoopHandles {
    fn waker(&self) -> Box<dyn Wake> {
        self.async_handle.waker()
    }

    fn set_ref(&self, on: bool) {
        self.async_handle.set_ref(on);
    }

    fn poll_without_blocking(&self, on: bool) {
        self.check.poll_without_blocking(on);
    }

    fn close(self: Box<Self>, closed: Box<dyn Any>) {
        let Self { async_handle, poller, poll, check } = *self;
        async_handle.close(Box::new(move || {
            // The poller's descriptor must not close before the loop has let go of it.
            poll.close(Box::new(move || check.close(Box::new(move || drop((poller, closed))))));
        }));
    }
}

/// The handle, for the waker that any thread may hold.
struct Target(RawHandle);

// SAFETY: the pointer is only passed to `uv_async_send`, which may be called from any thread, and only by the waker, which
// `AsyncHandle::close` closes before the handle.
unsafe impl Send for Target {}

fn send(target: &Target) {
    if let Some(libuv) = libuv() {
        // SAFETY: initialized and not closed: `AsyncHandle::close` closes the waker first.
        unsafe { (libuv.async_send)(target.0) };
    }
}

/// The part of the loop's thread. Does not keep the loop alive until [`AsyncHandle::set_ref`].
struct AsyncHandle {
    waker: Arc<ClosableWaker<Target>>,
    handle: Handle<OnCall>,
}

impl AsyncHandle {
    /// Calls `on_wake` on this thread. Must be closed with [`AsyncHandle::close`] before the loop ends.
    ///
    /// # Errors
    /// Without libuv, or if the loop refuses a handle.
    fn new(event_loop: Loop, on_wake: OnCall) -> io::Result<Self> {
        let handle = Handle::new(event_loop, UV_ASYNC, on_wake, |libuv, event_loop, raw| {
            // SAFETY: the host's loop, and memory of the size of the type.
            unsafe { (libuv.async_init)(event_loop, raw, woken) }
        })?;
        Ok(Self { waker: ClosableWaker::new(Target(handle.raw()), send), handle })
    }

    /// The waker for other threads.
    fn waker(&self) -> Box<dyn Wake> {
        Box::new(Arc::clone(&self.waker))
    }

    /// Sets whether this keeps the loop alive.
    fn set_ref(&self, is_referenced: bool) {
        self.handle.set_ref(is_referenced);
    }

    /// Closes the handle. `closed` runs when the loop no longer uses it. Later wake-ups do nothing.
    fn close(self, closed: OnClosed) {
        self.waker.close();
        self.handle.close(closed);
    }
}

unsafe extern "C" fn woken(raw: RawHandle) {
    // SAFETY: a handle of `AsyncHandle::new`.
    unsafe { with_value::<OnCall>(raw, |on_wake| on_wake()) };
}

/// Calls back in each turn of the loop in which a descriptor is readable. Does not keep the loop alive.
struct Poll(Handle<OnCall>);

impl Poll {
    /// `fd` must stay open until the handle is closed: libuv aborts the process over a polled descriptor that
    /// is not.
    ///
    /// # Errors
    /// Without libuv, or if `fd` can't be polled.
    fn new(event_loop: Loop, fd: RawFd, on_ready: OnCall) -> io::Result<Self> {
        let handle = Handle::new(event_loop, UV_POLL, on_ready, |libuv, event_loop, raw| {
            // SAFETY: the host's loop, and memory of the size of the type. An `fd` that is not open
            // gives an error.
            unsafe { (libuv.poll_init)(event_loop, raw, fd) }
        })?;
        // SAFETY: initialized above.
        let started = unsafe { (handle.libuv().poll_start)(handle.raw(), UV_READABLE, on_event) };
        if started == 0 { Ok(Self(handle)) } else { Err(io::Error::other("uv_poll_start failed")) }
    }

    /// Closes the handle. `closed` runs when the loop no longer uses it.
    fn close(self, closed: OnClosed) {
        self.0.close(closed);
    }
}

unsafe extern "C" fn on_event(raw: RawHandle, _: c_int, _: c_int) {
    // SAFETY: a handle of `Poll::new`.
    unsafe { with_value::<OnCall>(raw, |on_ready| on_ready()) };
}

/// Calls back at the end of each turn. Does not keep the loop alive.
struct Check {
    handle: Handle<OnCall>,
    idle: Handle<OnCall>,
    is_idle_started: Cell<bool>,
}

impl Check {
    /// `before_poll` is called only in turns that [poll without blocking](Self::poll_without_blocking).
    ///
    /// # Errors
    /// Without libuv, or if the loop refuses a handle.
    fn new(event_loop: Loop, before_poll: OnCall, after_poll: OnCall) -> io::Result<Self> {
        let check = Handle::new(event_loop, UV_CHECK, after_poll, |libuv, event_loop, raw| {
            // SAFETY: the host's loop, and memory of the size of the type.
            unsafe { (libuv.check_init)(event_loop, raw) }
        })?;
        let idle = Handle::new(event_loop, UV_IDLE, before_poll, |libuv, event_loop, raw| {
            // SAFETY: as above.
            unsafe { (libuv.idle_init)(event_loop, raw) }
        })?;
        // SAFETY: initialized above.
        let started = unsafe { (check.libuv().check_start)(check.raw(), on_phase) };
        if started != 0 {
            return Err(io::Error::other("uv_check_start failed"));
        }
        Ok(Self { handle: check, idle, is_idle_started: Cell::new(false) })
    }

    /// Sets whether the poll phase returns at once instead of waiting for an event.
    fn poll_without_blocking(&self, without_blocking: bool) {
        if self.is_idle_started.replace(without_blocking) == without_blocking {
            return;
        }
        let libuv = self.idle.libuv();
        if without_blocking {
            // SAFETY: initialized and not closed, on the loop's thread. Fails only without a callback.
            unsafe { (libuv.idle_start)(self.idle.raw(), on_phase) };
        } else {
            // SAFETY: as above. Never fails.
            unsafe { (libuv.idle_stop)(self.idle.raw()) };
        }
    }

    /// Closes both handles. `closed` runs when the loop no longer uses them.
    fn close(self, closed: OnClosed) {
        let Self { handle: check, idle, .. } = self;
        check.close(Box::new(move || idle.close(closed)));
    }
}

unsafe extern "C" fn on_phase(raw: RawHandle) {
    // SAFETY: the check or the idle handle of `new`; their values have the same type.
    unsafe { with_value::<OnCall>(raw, |on_phase| on_phase()) };
}
