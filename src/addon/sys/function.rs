//! Plain Node-API functions. What napi generates for a method of a class (unwrapping, type tags, borrow tracking) costs more
//! than framing a small message does. What each function does is in `addon/functions`; here is how JavaScript comes to call it,
//! and how it reads its arguments.

use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use napi::{Env, Error, Result, sys};

use super::check;
use crate::addon::environment::Context;

/// Arguments at most.
const ARGUMENTS: usize = 5;

/// What a function gets; missing arguments are `undefined`.
pub(in crate::addon) type Arguments = [sys::napi_value; ARGUMENTS];

/// What a function does; its result is a number, or `undefined`.
pub(in crate::addon) type Body = fn(&Rc<Context>, Arguments) -> Result<Option<f64>>;

/// What a function keeps.
struct Call {
    context: Rc<Context>,
    body: Body,
}

/// Makes a function.
///
/// # Errors
/// When JavaScript has no memory, or the environment is ending.
pub(in crate::addon) fn create_function(
    context: &Rc<Context>,
    name: &CStr,
    body: Body,
) -> Result<sys::napi_value> {
    let env = context.env.raw();
    let data = Box::into_raw(Box::new(Call { context: Rc::clone(context), body })).cast::<c_void>();
    let length = name.count_bytes().cast_signed();
    let mut function = ptr::null_mut();
    // SAFETY: the name is given with its length; `data` lives until `release`.
    let created = check(unsafe {
        sys::napi_create_function(env, name.as_ptr(), length, Some(entry), data, &raw mut function)
    });
    let kept = created.and_then(|()| {
        // SAFETY: `function` was just made; `release` takes what `data` owns, once.
        check(unsafe {
            sys::napi_add_finalizer(env, function, data, Some(release), ptr::null_mut(), ptr::null_mut())
        })
    });
    if let Err(error) = kept {
        release_call(data);
        return Err(error);
    }
    Ok(function)
}

unsafe extern "C" fn release(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    release_call(data);
}

fn release_call(data: *mut c_void) {
    // SAFETY: `data` is from `Box::into_raw` in `create_function`, and given back once: by the finalizer, or where there is none.
    drop(unsafe { Box::from_raw(data.cast::<Call>()) });
}

/// What Node calls.
unsafe extern "C" fn entry(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // A panic must not unwind into Node.
    let outcome = catch_unwind(AssertUnwindSafe(|| run(env, info)))
        .unwrap_or_else(|_| Err(Error::from_reason("ferrows panicked")));
    match outcome {
        Ok(value) => value,
        Err(error) => {
            let reason = error.reason.clone();
            // SAFETY: the text is given with its length, and copied.
            unsafe { throw(env, &reason) };
            ptr::null_mut()
        }
    }
}

/// # Safety
/// `env` must be that of the running call.
unsafe fn throw(env: sys::napi_env, text: &str) {
    let mut message = ptr::null_mut();
    // SAFETY: the text is given with its length.
    let made = unsafe {
        sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len().cast_signed(), &raw mut message)
    };
    let mut error = ptr::null_mut();
    if made == sys::Status::napi_ok {
        // SAFETY: `message` is a string of this call.
        unsafe { sys::napi_create_type_error(env, ptr::null_mut(), message, &raw mut error) };
        // SAFETY: `error` is a value of this call.
        unsafe { sys::napi_throw(env, error) };
    }
}

fn run(env: sys::napi_env, info: sys::napi_callback_info) -> Result<sys::napi_value> {
    let mut arguments = [ptr::null_mut(); ARGUMENTS];
    let mut count = arguments.len();
    let mut data = ptr::null_mut();
    // SAFETY: out-parameters; `arguments` has room for `count` values, and missing ones are `undefined`.
    check(unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            arguments.as_mut_ptr(),
            ptr::null_mut(),
            &raw mut data,
        )
    })?;
    // SAFETY: `data` is what `create_function` gave; the finalizer has not run, since the function is being called.
    let call = unsafe { &*data.cast::<Call>() };
    // `undefined`
    let Some(result) = (call.body)(&call.context, arguments)? else { return Ok(ptr::null_mut()) };
    let mut value = ptr::null_mut();
    // SAFETY: plain out-parameter.
    check(unsafe { sys::napi_create_double(env, result, &raw mut value) })?;
    Ok(value)
}

/// Reads an argument that is a whole number.
///
/// # Errors
/// When it is no number.
pub(in crate::addon) fn unsigned(env: Env, value: sys::napi_value) -> Result<u32> {
    let mut number = 0;
    // SAFETY: a value of the running call; another type gives an error status.
    check(unsafe { sys::napi_get_value_uint32(env.raw(), value, &raw mut number) })?;
    Ok(number)
}

/// Whether an argument was left out.
///
/// # Errors
/// When the environment is ending.
pub(in crate::addon) fn is_undefined(env: Env, value: sys::napi_value) -> Result<bool> {
    let mut kind = 0;
    // SAFETY: the value belongs to the current call.
    check(unsafe { sys::napi_typeof(env.raw(), value, &raw mut kind) })?;
    Ok(kind == sys::ValueType::napi_undefined)
}
