//! The realm of an environment, identified by its global object. Used by `context`. Holds no state of an environment.

use std::ffi::c_void;
use std::ptr;

use napi::{Env, Result, sys};

use super::{Reference, check};

/// Identifies a realm among those of one thread. Must be dropped before its environment ends.
pub(in crate::addon) struct Realm {
    /// Environments with the same event loop share an isolate. Null without libuv.
    event_loop: *mut c_void,
    global: Reference,
}

impl Realm {
    /// The realm of `env`.
    pub(in crate::addon) fn of(env: Env) -> Result<Self> {
        Ok(Self { event_loop: event_loop_of(env), global: Reference::new(env, global_of(env)?)? })
    }

    /// True if this is the realm of `env`.
    pub(in crate::addon) fn is_of(&self, env: Env) -> bool {
        if self.event_loop != event_loop_of(env) {
            return false;
        }
        let (Ok(own), Ok(other)) = (self.global.value(), global_of(env)) else { return false };
        let mut is_same = false;
        // SAFETY: both values belong to the current handle scope. Their environments share an isolate, having
        // the same event loop.
        let status = unsafe { sys::napi_strict_equals(env.raw(), own, other, &raw mut is_same) };
        status == sys::Status::napi_ok && is_same
    }
}

fn global_of(env: Env) -> Result<sys::napi_value> {
    let mut global = ptr::null_mut();
    // SAFETY: plain out-parameter.
    check(unsafe { sys::napi_get_global(env.raw(), &raw mut global) })?;
    Ok(global)
}

fn event_loop_of(env: Env) -> *mut c_void {
    // Hosts without libuv may lack the function.
    let found = super::can_poll().then(|| env.get_uv_event_loop().ok());
    found.flatten().map_or(ptr::null_mut(), <*mut _>::cast)
}
