//! Calls from Rust into JavaScript. [`make_callback`] opens a callback scope, so that microtasks and
//! `process.nextTick` callbacks run after the call, and enters an async context; [`call_function`] and
//! [`call_predicate`] stay in the current ones.

use std::ptr;

use napi::{Env, JsValue, Result, Status, sys};

use super::{Reference, check, failed, out};

/// The async context (`async_hooks`, `AsyncLocalStorage`) that was current when this was created.
pub(in crate::addon) struct AsyncContext {
    env: sys::napi_env,
    raw: sys::napi_async_context,
    /// Kept here: Node does not keep it alive.
    resource: Option<Reference>,
}

impl AsyncContext {
    /// # Errors
    /// If `resource` is no object.
    pub(in crate::addon) fn new(env: Env, resource: sys::napi_value) -> Result<Self> {
        let mut context = Self::weak(env, resource)?;
        context.resource = Some(Reference::new(env, resource)?);
        Ok(context)
    }

    /// As [`AsyncContext::new`], of a resource that something else keeps alive.
    ///
    /// # Errors
    /// If `resource` is no object.
    pub(in crate::addon) fn weak(env: Env, resource: sys::napi_value) -> Result<Self> {
        let name = env.create_string("WEBSOCKET")?.raw();
        let env = env.raw();
        // SAFETY: both values belong to the current handle scope.
        let raw = out(ptr::null_mut(), |raw| unsafe { sys::napi_async_init(env, resource, name, raw) })?;
        Ok(Self { env, raw, resource: None })
    }

    /// The resource, if it is kept here.
    ///
    /// # Errors
    /// If it is not.
    pub(in crate::addon) fn resource(&self) -> Result<sys::napi_value> {
        self.resource.as_ref().ok_or_else(|| failed("the resource is not kept")).and_then(Reference::value)
    }
}

impl Drop for AsyncContext {
    fn drop(&mut self) {
        // SAFETY: created in `env` and destroyed once. No call is running in it: `make_callback` borrows it
        // for the call.
        unsafe { sys::napi_async_destroy(self.env, self.raw) };
    }
}

/// True if JavaScript can be called. `false` from the moment on at which an environment begins to end (a
/// worker is terminated, or the loop has come to its end), which is before Node closes the environment's
/// handles. Must not be called while an exception is pending; none is where the event loop calls.
pub(in crate::addon) fn can_call(env: Env) -> bool {
    let Ok(value) = undefined(env) else { return false };
    // The cheapest function of Node-API that checks first whether JavaScript may run. For `undefined` it runs
    // none.
    // SAFETY: a value of the current handle scope, and a plain out-parameter.
    out(ptr::null_mut(), |result| unsafe { sys::napi_coerce_to_bool(env.raw(), value, result) }).is_ok()
}

/// The outcome of a call into JavaScript.
pub(in crate::addon) enum Outcome {
    /// It returned. `true` if the value is `true`.
    Returned(bool),
    /// It threw this value.
    Threw(sys::napi_value),
    /// JavaScript can't be called any more.
    EnvironmentEnding,
}

impl Outcome {
    fn new(env: Env, status: sys::napi_status, result: sys::napi_value) -> Self {
        match Status::from(status) {
            Status::Ok => Self::Returned(is_true(env, result)),
            Status::PendingException => take_exception(env).map_or(Self::EnvironmentEnding, Self::Threw),
            _ => Self::EnvironmentEnding,
        }
    }

    /// Raises an exception as an `uncaughtException`. Returns true if the function returned `true`; `None` if JavaScript can't be
    /// called any more.
    pub(in crate::addon) fn report(self, env: Env) -> Option<bool> {
        match self {
            Self::Returned(is_true) => Some(is_true),
            Self::Threw(error) => {
                // Fails only while the environment is ending.
                let _ = report_uncaught(env, error);
                Some(false)
            }
            Self::EnvironmentEnding => None,
        }
    }
}

/// Calls `function(id, count)` as [`make_callback`] does, in an async context.
pub(in crate::addon) fn make_callback_in_context(
    env: Env,
    context: &AsyncContext,
    function: sys::napi_value,
    id: u32,
    count: u32,
) -> Outcome {
    let (Ok(id), Ok(count)) = (env.create_uint32(id), env.create_uint32(count)) else {
        return Outcome::EnvironmentEnding;
    };
    make_callback(env, Some(context), function, function, &[id.raw(), count.raw()])
}

/// Calls `function(...arguments)` on the object `this`, in a callback scope of its own and in an async
/// context. Without a context no `AsyncLocalStorage` has a store. All values must belong to the current
/// handle scope.
pub(in crate::addon) fn make_callback(
    env: Env,
    context: Option<&AsyncContext>,
    function: sys::napi_value,
    this: sys::napi_value,
    arguments: &[sys::napi_value],
) -> Outcome {
    let mut result = ptr::null_mut();
    // SAFETY: all values belong to the current handle scope, `arguments` outlives the call, and the context,
    // if any, is alive.
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
    Outcome::new(env, status, result)
}

/// Calls `function(count)` in the current callback scope and async context. An exception becomes an
/// `uncaughtException`.
pub(in crate::addon) fn call_function(env: Env, function: &Reference, count: u32) {
    if let (Ok(function), Ok(count)) = (function.value(), env.create_uint32(count)) {
        call(env, function, count.raw());
    }
}

/// Calls `function(argument)` in the current callback scope and async context. Returns `true` if that returns
/// `true`. An exception becomes an `uncaughtException`.
pub(in crate::addon) fn call_predicate(env: Env, function: &Reference, argument: &Reference) -> bool {
    let called = in_handle_scope(env, || call(env, function.value().ok()?, argument.value().ok()?));
    // Fails only while the environment is ending.
    called.ok().flatten() == Some(true)
}

/// Calls a function with one argument, and reports an exception. Returns as [`Outcome::report`].
fn call(env: Env, function: sys::napi_value, argument: sys::napi_value) -> Option<bool> {
    let (this, mut result) = (undefined(env).ok()?, ptr::null_mut());
    // SAFETY: all values belong to the current handle scope, and the one argument outlives the call.
    let status = unsafe {
        sys::napi_call_function(env.raw(), this, function, 1, &raw const argument, &raw mut result)
    };
    Outcome::new(env, status, result).report(env)
}

/// True if a value is `true`, not merely truthy.
fn is_true(env: Env, value: sys::napi_value) -> bool {
    // SAFETY: `value` belongs to the current handle scope; another type gives an error status.
    out(false, |bool| unsafe { sys::napi_get_value_bool(env.raw(), value, bool) }).unwrap_or(false)
}

fn take_exception(env: Env) -> Option<sys::napi_value> {
    // SAFETY: plain out-parameter.
    out(ptr::null_mut(), |error| unsafe { sys::napi_get_and_clear_last_exception(env.raw(), error) }).ok()
}

/// Raises `error` as an `uncaughtException`. Returns if a listener handles it; otherwise Node ends the
/// process.
///
/// # Errors
/// If JavaScript can't be called any more: `error` is then Node's way of reporting that.
pub(in crate::addon) fn report_uncaught(env: Env, error: sys::napi_value) -> Result<()> {
    // SAFETY: `error` belongs to the current handle scope.
    check(unsafe { sys::napi_fatal_exception(env.raw(), error) })
}

/// Runs `inside` in a handle scope, for code that the event loop calls and not JavaScript.
pub(in crate::addon) fn in_handle_scope<R>(env: Env, inside: impl FnOnce() -> R) -> Result<R> {
    // SAFETY: plain out-parameter, on the environment's thread.
    let scope = out(ptr::null_mut(), |scope| unsafe { sys::napi_open_handle_scope(env.raw(), scope) })?;
    let result = inside();
    // SAFETY: opened above and closed once. `inside` has closed the scopes that it opened, so that this is
    // the innermost.
    check(unsafe { sys::napi_close_handle_scope(env.raw(), scope) })?;
    Ok(result)
}

/// `undefined`.
pub(in crate::addon) fn undefined(env: Env) -> Result<sys::napi_value> {
    // SAFETY: plain out-parameter.
    out(ptr::null_mut(), |value| unsafe { sys::napi_get_undefined(env.raw(), value) })
}
