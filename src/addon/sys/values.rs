//! JavaScript values from Rust values, for arguments of calls into JavaScript.

use std::ffi::CStr;
use std::ptr;

use napi::{Env, Result, sys};

use super::check;

/// `undefined`.
///
/// # Errors
/// If the environment is ending.
pub(in crate::addon) fn undefined(env: Env) -> Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: plain out-parameter.
    check(unsafe { sys::napi_get_undefined(env.raw(), &raw mut value) })?;
    Ok(value)
}

/// A number.
///
/// # Errors
/// As [`undefined`].
pub(in crate::addon) fn uint32(env: Env, number: u32) -> Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: plain out-parameter.
    check(unsafe { sys::napi_create_uint32(env.raw(), number, &raw mut value) })?;
    Ok(value)
}

/// A string with one character per byte, as Node decodes the head of an HTTP message.
///
/// # Errors
/// As [`undefined`], or if JavaScript has no memory.
pub(in crate::addon) fn latin1(env: Env, bytes: &[u8]) -> Result<sys::napi_value> {
    let length = bytes.len().cast_signed();
    let mut value = ptr::null_mut();
    // SAFETY: the bytes are passed with their length, and copied.
    check(unsafe {
        sys::napi_create_string_latin1(env.raw(), bytes.as_ptr().cast(), length, &raw mut value)
    })?;
    Ok(value)
}

/// A `Buffer` with a copy of the bytes.
///
/// # Errors
/// As [`latin1`].
pub(in crate::addon) fn buffer(env: Env, bytes: &[u8]) -> Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: the bytes are passed with their length, and copied; the out-parameter for the copy's address
    // may be null.
    check(unsafe {
        sys::napi_create_buffer_copy(
            env.raw(),
            bytes.len(),
            bytes.as_ptr().cast(),
            ptr::null_mut(),
            &raw mut value,
        )
    })?;
    Ok(value)
}

/// The property of an object with this name.
///
/// # Errors
/// If `object` is no object, or the environment is ending.
pub(in crate::addon) fn property(env: Env, object: sys::napi_value, name: &CStr) -> Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: the object belongs to the current handle scope, and `name` ends with a NUL.
    check(unsafe { sys::napi_get_named_property(env.raw(), object, name.as_ptr(), &raw mut value) })?;
    Ok(value)
}
