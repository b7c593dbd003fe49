//! libuv's check handle, which calls back at the end of each turn of the loop, after the poll phase; together
//! with an idle handle, which keeps the poll phase from blocking and calls back before it.

use std::cell::Cell;
use std::io;

use super::handle::{Handle, Loop, OnClosed, UV_IDLE, with_value};
use super::symbols::RawHandle;

/// `UV_CHECK` of `uv_handle_type`, part of libuv's stable ABI.
const UV_CHECK: i32 = 2;

/// Called in a phase of a turn.
type OnPhase = Box<dyn Fn()>;

/// Calls back at the end of each turn. Does not keep the loop alive.
pub struct Check {
    handle: Handle<OnPhase>,
    idle: Handle<OnPhase>,
    is_idle_started: Cell<bool>,
}

impl Check {
    /// `before_poll` is called only in turns that [poll without blocking](Self::poll_without_blocking).
    ///
    /// # Errors
    /// Without libuv, or if the loop refuses a handle.
    pub fn new(event_loop: Loop, before_poll: OnPhase, after_poll: OnPhase) -> io::Result<Self> {
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
    pub fn poll_without_blocking(&self, without_blocking: bool) {
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
    pub fn close(self, closed: OnClosed) {
        let Self { handle: check, idle, .. } = self;
        check.close(Box::new(move || idle.close(closed)));
    }
}

unsafe extern "C" fn on_phase(raw: RawHandle) {
    // SAFETY: the check or the idle handle of `new`; their values have the same type.
    unsafe { with_value::<OnPhase>(raw, |on_phase| on_phase()) };
}
