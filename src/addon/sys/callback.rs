//! Calls into JavaScript from outside of any JavaScript call: each in a callback scope of its own, so that
//! microtasks and `process.nextTick` callbacks run after it, and in an async context.

use std::fmt;
use std::ptr;

use napi::{Env, Result, Status, sys};

use super::values::{uint32, undefined};
use super::{Reference, check};

/// The async context (`async_hooks`, `AsyncLocalStorage`) that was current when this was made.
pub(in crate::addon) struct AsyncContext {
    env: sys::napi_env,
    raw: sys::napi_async_context,
    /// Node does not keep the resource alive by itself.
    _resource: Reference,
}

impl AsyncContext {
    /// # Errors
    /// When `resource` is no object.
    pub(in crate::addon) fn new(env: Env, resource: sys::napi_value) -> Result<Self> {
        let name = env.create_string("WEBSOCKET")?;
        let mut raw = ptr::null_mut();
        // SAFETY: both values belong to the current handle scope.
        check(unsafe { sys::napi_async_init(env.raw(), resource, napi::JsValue::raw(&name), &raw mut raw) })?;
        Ok(Self { env: env.raw(), raw, _resource: Reference::new(env, resource)? })
    }
}

impl Drop for AsyncContext {
    fn drop(&mut self) {
        // SAFETY: made in `env`, not destroyed before; no call is running in it, since `make_callback_in_context` borrows it.
        unsafe { sys::napi_async_destroy(self.env, self.raw) };
    }
}

impl fmt::Debug for AsyncContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncContext").finish_non_exhaustive()
    }
}

/// Whether JavaScript can be called. `false` from the moment on at which an environment begins to end: a worker that is
/// terminated, or any whose loop has come to its end, before Node closes the environment's handles. Must not be asked where
/// an exception of this environment may be pending, which is none where the event loop calls.
pub(in crate::addon) fn can_call(env: Env) -> bool {
    let Ok(value) = undefined(env) else { return false };
    let mut result = ptr::null_mut();
    // The cheapest function of Node-API that begins by asking whether JavaScript may run: what it does then runs none.
    // SAFETY: a value of the current handle scope, and a plain out-parameter.
    check(unsafe { sys::napi_coerce_to_bool(env.raw(), value, &raw mut result) }).is_ok()
}

/// How a call into JavaScript ended.
pub(in crate::addon) enum Outcome {
    /// It returned; `true` if it returned just that.
    Returned(bool),
    /// It threw this.
    Threw(sys::napi_value),
    /// JavaScript can't be called any more: the environment is ending.
    EnvironmentEnding,
}

/// Calls `function(id, count)` in `context`. `function` must be a value of the current handle scope.
pub(in crate::addon) fn make_callback_in_context(
    env: Env,
    context: &AsyncContext,
    function: sys::napi_value,
    id: u32,
    count: u32,
) -> Outcome {
    let (Ok(id), Ok(count)) = (uint32(env, id), uint32(env, count)) else {
        return Outcome::EnvironmentEnding;
    };
    make_callback(env, Some(context), function, function, &[id, count])
}

/// Calls `function(...arguments)` in `context`, on `this`, an object; without a context, in none: no `AsyncLocalStorage` has a store
/// there. All values must be of the current handle scope.
pub(in crate::addon) fn make_callback(
    env: Env,
    context: Option<&AsyncContext>,
    function: sys::napi_value,
    this: sys::napi_value,
    arguments: &[sys::napi_value],
) -> Outcome {
    let mut result = ptr::null_mut();
    // SAFETY: all values belong to the current handle scope, the argument array outlives the call.
    let status = unsafe {
        sys::napi_make_callback(
            env.raw(),
            context.map_or(ptr::null_mut(), |context| context.raw),
            this,
            function,
            arguments.len(),
            arguments.as_ptr(),
            &raw mut result,
        )
    };
    match Status::from(status) {
        Status::Ok => Outcome::Returned(is_true(env, result)),
        Status::PendingException => take_exception(env).map_or(Outcome::EnvironmentEnding, Outcome::Threw),
        _ => Outcome::EnvironmentEnding,
    }
}

/// Calls `function(count)` in the scope and the async context that there are. What it throws becomes an
/// `uncaughtException`.
pub(in crate::addon) fn call_function(env: Env, function: &Reference, count: u32) {
    if let (Ok(function), Ok(count)) = (function.value(), uint32(env, count)) {
        call(env, function, count);
    }
}

/// Calls `function(argument)` in the scope and the async context that there are, and says whether it returned `true`. What it
/// throws becomes an `uncaughtException`.
pub(in crate::addon) fn call_predicate(env: Env, function: &Reference, argument: &Reference) -> bool {
    let mut is_true = false;
    // An error says that the environment is ending.
    let _ = in_handle_scope(env, || {
        let (Ok(function), Ok(argument)) = (function.value(), argument.value()) else { return };
        is_true = call(env, function, argument).is_some_and(|value| self::is_true(env, value));
    });
    is_true
}

/// Calls a function with one argument. `None`: it threw, which was reported, or JavaScript can't be called any more.
fn call(env: Env, function: sys::napi_value, argument: sys::napi_value) -> Option<sys::napi_value> {
    let this = undefined(env).ok()?;
    let arguments = [argument];
    let mut result = ptr::null_mut();
    // SAFETY: all values belong to the current handle scope, the argument array outlives the call.
    let status = unsafe {
        sys::napi_call_function(
            env.raw(),
            this,
            function,
            arguments.len(),
            arguments.as_ptr(),
            &raw mut result,
        )
    };
    match Status::from(status) {
        Status::Ok => Some(result),
        Status::PendingException => {
            let error = take_exception(env)?;
            // An error says that the environment is ending.
            let _ = report_uncaught(env, error);
            None
        }
        _ => None,
    }
}

/// Whether a value is `true`, and not merely truthy.
fn is_true(env: Env, value: sys::napi_value) -> bool {
    let mut bool = false;
    // SAFETY: `value` belongs to the current handle scope; another type gives an error status and leaves `bool` alone.
    let status = unsafe { sys::napi_get_value_bool(env.raw(), value, &raw mut bool) };
    status == sys::Status::napi_ok && bool
}

fn take_exception(env: Env) -> Option<sys::napi_value> {
    let mut error = ptr::null_mut();
    // SAFETY: plain out-parameter.
    let status = unsafe { sys::napi_get_and_clear_last_exception(env.raw(), &raw mut error) };
    check(status).ok().map(|()| error)
}

/// Raises `error` as an `uncaughtException`. Returns if somebody handles it; else the process ends as Node ends it.
///
/// # Errors
/// When JavaScript can't be called any more: what was "thrown" then is only that.
pub(in crate::addon) fn report_uncaught(env: Env, error: sys::napi_value) -> Result<()> {
    // SAFETY: `error` belongs to the current handle scope.
    check(unsafe { sys::napi_fatal_exception(env.raw(), error) })
}

/// Runs `inside` in a handle scope: for code that is called by the event loop and not by JavaScript.
pub(in crate::addon) fn in_handle_scope<R>(env: Env, inside: impl FnOnce() -> R) -> Result<R> {
    let mut scope = ptr::null_mut();
    // SAFETY: plain out-parameter; we are on the environment's thread.
    check(unsafe { sys::napi_open_handle_scope(env.raw(), &raw mut scope) })?;
    let result = inside();
    // SAFETY: opened above, and scopes opened by `inside` are closed by it.
    check(unsafe { sys::napi_close_handle_scope(env.raw(), scope) })?;
    Ok(result)
}
