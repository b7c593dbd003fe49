//! A descriptor on an event loop: libuv's poll handle, which says when it can be read.

use std::ffi::c_int;
use std::os::fd::RawFd;

use napi::{Env, Error, Result};

use super::handle::{Handle, OnClosed, with_value};
use super::symbols::RawHandle;

/// `UV_POLL` of libuv's `uv_handle_type`; part of its stable ABI.
const UV_POLL: c_int = 8;
/// Of libuv's `uv_poll_event`.
const READABLE: c_int = 1;

type OnReady = Box<dyn Fn()>;

/// Calls back in every turn of the loop in which a descriptor is readable, without keeping the loop alive.
pub(in crate::addon) struct Poll(Handle<OnReady>);

impl Poll {
    /// `fd` must stay open until this is closed: libuv aborts the process over one that is not.
    ///
    /// # Errors
    /// Where there is no libuv, or `fd` is nothing that can be polled.
    pub(in crate::addon) fn new(env: Env, fd: RawFd, on_ready: OnReady) -> Result<Self> {
        let handle = Handle::new(env, UV_POLL, on_ready, |libuv, event_loop, raw| {
            // SAFETY: the loop is the environment's, the memory has the size that libuv wants; a number that is no
            // descriptor gives an error.
            unsafe { (libuv.poll_init)(event_loop, raw, fd) }
        })?;
        // SAFETY: initialized above.
        let started = unsafe { (handle.libuv().poll_start)(handle.raw(), READABLE, ready) };
        if started == 0 { Ok(Self(handle)) } else { Err(Error::from_reason("uv_poll_start failed")) }
    }

    /// Closes the handle; `closed` runs when the loop has let go of it.
    pub(in crate::addon) fn close(self, closed: OnClosed) {
        self.0.close(closed);
    }
}

unsafe extern "C" fn ready(raw: RawHandle, _: c_int, _: c_int) {
    // SAFETY: a handle of `Poll::new`.
    unsafe { with_value::<OnReady>(raw, |on_ready| on_ready()) };
}
