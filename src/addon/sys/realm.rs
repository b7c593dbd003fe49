//! The realm of an environment, identified by its global object. Used by `context`. Holds no state of an environment.

use std::ffi::c_void;
use std::ptr;

use napi::{Env, JsValue, Result};

use super::{Reference, unknown};

/// Identifies a realm among those of one thread. Must be dropped before its environment ends.
pub(in crate::addon) struct Realm {
    /// Environments with the same event loop share an isolate. Null without libuv.
    event_loop: *mut c_void,
    global: Reference,
}

impl Realm {
    /// The realm of `env`.
    pub(in crate::addon) fn of(env: Env) -> Result<Self> {
        let global = Reference::new(env, env.get_global()?.raw())?;
        Ok(Self { event_loop: event_loop_of(env), global })
    }

    /// True if this is the realm of `env`.
    pub(in crate::addon) fn is_of(&self, env: Env) -> bool {
        // Values of environments with the same event loop, which share an isolate, can be compared.
        let is_same = || env.strict_equals(unknown(env, self.global.value()?)?, env.get_global()?);
        self.event_loop == event_loop_of(env) && is_same().unwrap_or(false)
    }
}

fn event_loop_of(env: Env) -> *mut c_void {
    // Hosts without libuv may lack the function.
    let found = super::can_poll().then(|| env.get_uv_event_loop().ok());
    found.flatten().map_or(ptr::null_mut(), <*mut _>::cast)
}
