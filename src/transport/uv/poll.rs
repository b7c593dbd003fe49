//! libuv's poll handle: calls back when a descriptor is readable.

use std::ffi::c_int;
use std::io;
use std::os::fd::RawFd;

use super::handle::{Handle, Loop, OnClosed, with_value};
use super::symbols::RawHandle;

/// `UV_POLL` of `uv_handle_type`, part of libuv's stable ABI.
const UV_POLL: c_int = 8;
/// `UV_READABLE` of `uv_poll_event`.
const UV_READABLE: c_int = 1;

type OnReady = Box<dyn Fn()>;

/// Calls back in each turn of the loop in which a descriptor is readable. Does not keep the loop alive.
pub struct Poll(Handle<OnReady>);

impl Poll {
    /// `fd` must stay open until the handle is closed: libuv aborts the process over a polled descriptor that
    /// is not.
    ///
    /// # Errors
    /// Without libuv, or if `fd` can't be polled.
    pub fn new(event_loop: Loop, fd: RawFd, on_ready: OnReady) -> io::Result<Self> {
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
    pub fn close(self, closed: OnClosed) {
        self.0.close(closed);
    }
}

unsafe extern "C" fn on_event(raw: RawHandle, _: c_int, _: c_int) {
    // SAFETY: a handle of `Poll::new`.
    unsafe { with_value::<OnReady>(raw, |on_ready| on_ready()) };
}
