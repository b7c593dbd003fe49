//! The end of each turn of an event loop, after everything that was ready has been looked at: libuv's check handle. And an
//! idle handle, which keeps the loop from waiting for anything before that, and is called before it looks.

use std::cell::Cell;

use napi::{Env, Error, Result};

use super::handle::{Handle, OnClosed, UV_IDLE, with_value};
use super::symbols::RawHandle;

/// Of libuv's `uv_handle_type`; part of its stable ABI.
const UV_CHECK: i32 = 2;

/// Outcome in a phase of a turn.
type OnPhase = Box<dyn Fn()>;

/// Calls back at the end of every turn, without keeping the loop alive.
pub(in crate::addon) struct Check {
    handle: Handle<OnPhase>,
    idle: Handle<OnPhase>,
    is_hurried: Cell<bool>,
}

impl Check {
    /// `on_begin` is called only in turns that are [in a hurry](Self::poll_without_blocking).
    ///
    /// # Errors
    /// Where there is no libuv, or the loop takes no handle.
    pub(in crate::addon) fn new(env: Env, on_begin: OnPhase, on_end: OnPhase) -> Result<Self> {
        let check = Handle::new(env, UV_CHECK, on_end, |libuv, event_loop, raw| {
            // SAFETY: the loop is the environment's, the memory has the size that libuv wants.
            unsafe { (libuv.check_init)(event_loop, raw) }
        })?;
        let idle = Handle::new(env, UV_IDLE, on_begin, |libuv, event_loop, raw| {
            // SAFETY: as above.
            unsafe { (libuv.idle_init)(event_loop, raw) }
        })?;
        // SAFETY: initialized above.
        let started = unsafe { (check.libuv().check_start)(check.raw(), called) };
        if started != 0 {
            return Err(Error::from_reason("uv_check_start failed"));
        }
        Ok(Self { handle: check, idle, is_hurried: Cell::new(false) })
    }

    /// Whether the next turn ends without waiting for anything.
    pub(in crate::addon) fn poll_without_blocking(&self, hurry: bool) {
        if self.is_hurried.replace(hurry) == hurry {
            return;
        }
        let libuv = self.idle.libuv();
        if hurry {
            // SAFETY: initialized and not closed, on the loop's thread. It fails only without a callback.
            unsafe { (libuv.idle_start)(self.idle.raw(), called) };
        } else {
            // SAFETY: as above.
            unsafe { (libuv.idle_stop)(self.idle.raw()) };
        }
    }

    /// Closes both handles; `closed` runs when the loop has let go of them.
    pub(in crate::addon) fn close(self, closed: OnClosed) {
        let Self { handle: check, idle, .. } = self;
        check.close(Box::new(move || idle.close(closed)));
    }
}

unsafe extern "C" fn called(raw: RawHandle) {
    // SAFETY: the check handle or the idle handle of `new`, which have values of one type.
    unsafe { with_value::<OnPhase>(raw, |on_phase| on_phase()) };
}
