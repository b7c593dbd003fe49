//! Bytes across the boundary: what JavaScript passes in, and memory that JavaScript owns.

use std::ptr;
use std::slice;

use napi::bindgen_prelude::Uint8Array;
use napi::{Env, Error, Result, sys};

use super::{Reference, check};

/// Strings longer than this, in UTF-16 units, are measured before memory is reserved for them.
const MEASURED_FROM: usize = 64 * 1024;

/// Runs `read` on the bytes of a string (as UTF-8, lone surrogates replaced by U+FFFD) or of a `Uint8Array`.
/// Strings are written to `scratch`, whose capacity is reused.
///
/// # Errors
/// When `value` is neither.
pub(in crate::addon) fn data_bytes<R>(
    env: Env,
    value: sys::napi_value,
    scratch: &mut Vec<u8>,
    read: impl FnOnce(&[u8]) -> R,
) -> Result<R> {
    let mut kind = 0;
    // SAFETY: both belong to the current call.
    check(unsafe { sys::napi_typeof(env.raw(), value, &raw mut kind) })?;
    if kind == sys::ValueType::napi_string {
        string_bytes(env, value, scratch)?;
        return Ok(read(scratch));
    }
    let mut data = ptr::null_mut();
    let mut length = 0;
    // SAFETY: both belong to the current call; a value that is no view gives an error status.
    check(unsafe { sys::napi_get_buffer_info(env.raw(), value, &raw mut data, &raw mut length) })?;
    if length == 0 {
        return Ok(read(&[]));
    }
    // SAFETY: Node-API gave `length` bytes at `data`, alive while `value` is in scope. No JavaScript runs during
    // `read`, so nobody on this thread writes them; memory shared with other threads is copied by the shim first.
    let bytes = unsafe { slice::from_raw_parts(data.cast::<u8>(), length) };
    Ok(read(bytes))
}

/// Writes a JavaScript string into `scratch` as UTF-8.
fn string_bytes(env: Env, value: sys::napi_value, scratch: &mut Vec<u8>) -> Result<()> {
    let mut units = 0;
    // SAFETY: a null buffer asks for the length in UTF-16 units only.
    check(unsafe { sys::napi_get_value_string_utf16(env.raw(), value, ptr::null_mut(), 0, &raw mut units) })?;
    // At most three bytes a UTF-16 unit: measuring a short string costs more than reserving too much for it.
    let mut capacity = 3 * units;
    if units > MEASURED_FROM {
        // SAFETY: a null buffer asks for the length in UTF-8 bytes only.
        check(unsafe {
            sys::napi_get_value_string_utf8(env.raw(), value, ptr::null_mut(), 0, &raw mut capacity)
        })?;
    }
    // Node-API ends the string with a NUL.
    capacity += 1;
    scratch.clear();
    scratch.try_reserve(capacity).map_err(|error| Error::from_reason(error.to_string()))?;
    let mut length = 0;
    // SAFETY: `scratch` has the capacity named, and Node-API writes no more than that.
    check(unsafe {
        sys::napi_get_value_string_utf8(
            env.raw(),
            value,
            scratch.as_mut_ptr().cast(),
            capacity,
            &raw mut length,
        )
    })?;
    // SAFETY: Node-API has initialized the first `length` bytes, and `length` is below the capacity.
    unsafe { scratch.set_len(length) };
    Ok(())
}

/// A new zeroed `ArrayBuffer`.
///
/// # Errors
/// When JavaScript has no memory for it.
pub(in crate::addon) fn create_array_buffer(env: Env, length: usize) -> Result<sys::napi_value> {
    let mut data = ptr::null_mut();
    let mut value = ptr::null_mut();
    // SAFETY: plain out-parameters.
    check(unsafe { sys::napi_create_arraybuffer(env.raw(), length, &raw mut data, &raw mut value) })?;
    Ok(value)
}

/// Runs `write` on the memory of a referenced `ArrayBuffer`. The pointer is asked for anew each time, so a buffer
/// that a user detached shows as an empty slice and never as memory that is somebody else's.
///
/// # Errors
/// When the environment is ending.
pub(in crate::addon) fn with_memory<R>(
    env: Env,
    buffer: &Reference,
    write: impl FnOnce(&mut [u8]) -> R,
) -> Result<R> {
    let value = buffer.value()?;
    let mut data = ptr::null_mut();
    let mut length = 0;
    // SAFETY: the reference holds an ArrayBuffer of this environment.
    check(unsafe { sys::napi_get_arraybuffer_info(env.raw(), value, &raw mut data, &raw mut length) })?;
    if data.is_null() || length == 0 {
        return Ok(write(&mut []));
    }
    // SAFETY: Node-API gave `length` bytes at `data`; the buffer is not a shared one, JavaScript does not run
    // during `write`, and `write` has no way to reach the same memory otherwise.
    let memory = unsafe { slice::from_raw_parts_mut(data.cast::<u8>(), length) };
    Ok(write(memory))
}

/// The bytes of a typed array that came in as an argument.
pub(in crate::addon) fn bytes_of(array: &mut Uint8Array) -> &mut [u8] {
    // SAFETY: the array is an argument of the running call, and no JavaScript runs while the slice is borrowed.
    unsafe { array.as_mut() }
}
