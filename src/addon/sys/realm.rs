//! The realm of an environment: its global object, and scripts that run in it.

use std::ffi::c_void;
use std::ptr;

use napi::{Env, Result, sys};

use super::{Reference, check};

/// Runs a script in the realm of the environment and returns its value.
///
/// # Errors
/// What the script throws, or when the environment is ending.
pub(in crate::addon) fn evaluate(env: Env, script: &str) -> Result<sys::napi_value> {
    let script = env.create_string(script)?;
    let mut value = ptr::null_mut();
    // SAFETY: the string belongs to the current handle scope, `value` is a plain out-parameter.
    check(unsafe { sys::napi_run_script(env.raw(), napi::JsValue::raw(&script), &raw mut value) })?;
    Ok(value)
}

/// Tells the realms of one thread apart. Must be dropped before its environment ends.
pub(in crate::addon) struct Realm {
    /// The event loop: the same only for environments that share an isolate. Null where there is no libuv.
    event_loop: *mut c_void,
    global: Reference,
}

impl Realm {
    /// The realm of `env`.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(in crate::addon) fn of(env: Env) -> Result<Self> {
        Ok(Self { event_loop: event_loop_of(env), global: Reference::new(env, global_of(env)?)? })
    }

    /// Whether this is the realm of `env`.
    pub(in crate::addon) fn is_of(&self, env: Env) -> bool {
        if self.event_loop != event_loop_of(env) {
            return false;
        }
        let (Ok(own), Ok(other)) = (self.global.value(), global_of(env)) else { return false };
        let mut is_same = false;
        // SAFETY: both values belong to the current handle scope; the environments share an isolate, as their loop is one.
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
    // Hosts that are told to have no libuv may lack the function, too.
    if !super::can_poll() {
        return ptr::null_mut();
    }
    let mut event_loop = ptr::null_mut();
    // SAFETY: plain out-parameter. A host without libuv returns an error and leaves it null.
    unsafe { sys::napi_get_uv_event_loop(env.raw(), &raw mut event_loop) };
    event_loop.cast()
}
