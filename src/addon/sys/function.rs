//! Plain Node-API functions: created by name, called with up to five arguments. The code that napi-rs
//! generates for a method of a class (unwrapping, type tags, borrow tracking) costs more than framing a small
//! message. `addon/functions` has the bodies.

use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use napi::{Env, Error, Result, sys};

use super::{check, out};

/// The most arguments of a function.
const MAX_ARGUMENTS: usize = 5;

/// The arguments of a call. Missing ones are `undefined`.
pub(in crate::addon) type Arguments = [sys::napi_value; MAX_ARGUMENTS];

/// The implementation of a function on a state. It returns a number, or `None` for `undefined`.
pub(in crate::addon) type Body<T> = fn(&Rc<T>, Arguments) -> Result<Option<f64>>;

/// A state with work before each call of a function on it.
pub(in crate::addon) trait BeforeCall {
    fn before_call(&self);
}

/// The data of a function.
struct Data<T> {
    state: Rc<T>,
    body: Body<T>,
}

/// Creates a JavaScript function that calls `body` with `state`.
///
/// # Errors
/// If JavaScript has no memory, or the environment is ending.
pub(in crate::addon) fn create_function<T: BeforeCall + 'static>(
    env: Env,
    state: &Rc<T>,
    name: &CStr,
    body: Body<T>,
) -> Result<sys::napi_value> {
    let env = env.raw();
    let data = Box::into_raw(Box::new(Data { state: Rc::clone(state), body })).cast::<c_void>();
    let length = name.count_bytes().cast_signed();
    let (mut function, null) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the name is passed with its length. `data` lives until `finalize`, which runs when the function
    // is collected.
    let created = check(unsafe {
        sys::napi_create_function(env, name.as_ptr(), length, Some(call::<T>), data, &raw mut function)
    });
    let added = created.and_then(|()| {
        // SAFETY: `function` was created above; `finalize` takes the box, once.
        check(unsafe { sys::napi_add_finalizer(env, function, data, Some(finalize::<T>), null, null.cast()) })
    });
    if let Err(error) = added {
        // SAFETY: from `into_raw` above. There is no finalizer, and the function, if there is one, was not
        // handed out.
        drop(unsafe { Box::from_raw(data.cast::<Data<T>>()) });
        return Err(error);
    }
    Ok(function)
}

unsafe extern "C" fn finalize<T>(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: the box of `create_function`; Node calls a finalizer once, after the last call of the function.
    drop(unsafe { Box::from_raw(data.cast::<Data<T>>()) });
}

/// The entry point of all functions.
unsafe extern "C" fn call<T: BeforeCall>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // A panic must not unwind into Node.
    let outcome = catch_unwind(AssertUnwindSafe(|| run::<T>(env, info)))
        .unwrap_or_else(|_| Err(Error::from_reason("ferrows panicked")));
    match outcome {
        Ok(value) => value,
        Err(error) => {
            // Fails only while the environment is ending.
            let _ = Env::from_raw(env).throw_type_error(&error.reason, None);
            ptr::null_mut()
        }
    }
}

fn run<T: BeforeCall>(env: sys::napi_env, info: sys::napi_callback_info) -> Result<sys::napi_value> {
    let mut arguments = [ptr::null_mut(); MAX_ARGUMENTS];
    let mut count = arguments.len();
    let (this, mut data) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: plain out-parameters, of which `this` is not needed. `arguments` has room for `count` values; Node-API fills missing
    // ones with `undefined`.
    check(unsafe {
        sys::napi_get_cb_info(env, info, &raw mut count, arguments.as_mut_ptr(), this, &raw mut data)
    })?;
    // SAFETY: the box of `create_function::<T>`. It lives until `finalize`, which can't have run: the
    // function is being called.
    let data = unsafe { &*data.cast::<Data<T>>() };
    data.state.before_call();
    // A null value returns `undefined`.
    let Some(result) = (data.body)(&data.state, arguments)? else { return Ok(ptr::null_mut()) };
    // SAFETY: plain out-parameter.
    out(ptr::null_mut(), |value| unsafe { sys::napi_create_double(env, result, value) })
}

/// Reads an argument as an unsigned integer.
///
/// # Errors
/// If it is no number.
pub(in crate::addon) fn unsigned(env: Env, value: sys::napi_value) -> Result<u32> {
    // SAFETY: a value of the running call; another type gives an error status.
    out(0, |number| unsafe { sys::napi_get_value_uint32(env.raw(), value, number) })
}

/// True if an argument is missing or `undefined`.
pub(in crate::addon) fn is_undefined(env: Env, value: sys::napi_value) -> Result<bool> {
    // SAFETY: the value belongs to the current call.
    let kind = out(0, |kind| unsafe { sys::napi_typeof(env.raw(), value, kind) })?;
    Ok(kind == sys::ValueType::napi_undefined)
}
