//! Bytes across the boundary: what JavaScript passes in, and memory that JavaScript owns.

use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicU8, Ordering};

use napi::bindgen_prelude::Uint8Array;
use napi::{Env, Error, Result, sys};

use super::{Reference, check};

/// Strings longer than this, in UTF-16 units, are measured before memory is reserved for them.
const MEASURED_FROM: usize = 64 * 1024;

/// Whether a value is a string.
///
/// # Errors
/// When the environment is ending.
pub(in crate::addon) fn is_string(env: Env, value: sys::napi_value) -> Result<bool> {
    let mut kind = 0;
    // SAFETY: the value belongs to the current call.
    check(unsafe { sys::napi_typeof(env.raw(), value, &raw mut kind) })?;
    Ok(kind == sys::ValueType::napi_string)
}

/// Runs `read` on the bytes of a `Uint8Array`. Those that other threads share are copied to `scratch` first.
///
/// # Errors
/// When `value` is no such array.
pub(in crate::addon) fn data_bytes<R>(
    env: Env,
    value: sys::napi_value,
    scratch: &mut Vec<u8>,
    read: impl FnOnce(&[u8]) -> R,
) -> Result<R> {
    let View { data, length, is_shared } = view(env, value)?;
    if length == 0 {
        return Ok(read(&[]));
    }
    if is_shared {
        shared_bytes(data, length, scratch)?;
        let result = read(scratch);
        // Rare, and perhaps huge.
        *scratch = Vec::new();
        return Ok(result);
    }
    // SAFETY: Node-API gave `length` bytes at `data`, alive while `value` is in scope. No JavaScript of this thread runs
    // during `read`, and no other thread has this memory.
    let bytes = unsafe { slice::from_raw_parts(data, length) };
    Ok(read(bytes))
}

/// The memory of a `Uint8Array`.
struct View {
    data: *const u8,
    length: usize,
    /// Whether other threads may write it: the memory of a `SharedArrayBuffer`.
    is_shared: bool,
}

fn view(env: Env, value: sys::napi_value) -> Result<View> {
    let (mut data, mut memory) = (ptr::null_mut(), ptr::null_mut());
    let mut length = 0;
    // The type is not asked for, which costs: a length counts elements, and no element is smaller than a byte.
    // SAFETY: `value` belongs to the current call; one that is no typed array gives an error status.
    check(unsafe {
        sys::napi_get_typedarray_info(
            env.raw(),
            value,
            ptr::null_mut(),
            &raw mut length,
            &raw mut data,
            &raw mut memory,
            ptr::null_mut(),
        )
    })?;
    let mut is_own = false;
    // SAFETY: `memory` was just given; it is an `ArrayBuffer` or a `SharedArrayBuffer`.
    check(unsafe { sys::napi_is_arraybuffer(env.raw(), memory, &raw mut is_own) })?;
    Ok(View { data: data.cast(), length, is_shared: !is_own })
}

/// Copies memory that other threads may be writing: each byte is one that was there at some moment.
fn shared_bytes(data: *const u8, length: usize, scratch: &mut Vec<u8>) -> Result<()> {
    scratch.clear();
    scratch.try_reserve(length).map_err(|error| Error::from_reason(error.to_string()))?;
    // SAFETY: Node-API gave `length` bytes at `data`, alive while the value is in scope. Atomics may be read while others
    // write, they have the size of a byte, and nothing here writes.
    let bytes = unsafe { slice::from_raw_parts(data.cast::<AtomicU8>(), length) };
    scratch.extend(bytes.iter().map(|byte| byte.load(Ordering::Relaxed)));
    Ok(())
}

/// Writes a JavaScript string into `scratch` as UTF-8, lone surrogates replaced by U+FFFD. Its capacity is reused.
///
/// # Errors
/// When `value` is no string, or there is no memory for it.
pub(in crate::addon) fn string_bytes(env: Env, value: sys::napi_value, scratch: &mut Vec<u8>) -> Result<()> {
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

/// A new `ArrayBuffer`. Its bytes are whatever was there before, as in Node's own pools.
///
/// # Errors
/// When JavaScript has no memory for it.
pub(in crate::addon) fn create_array_buffer(env: Env, length: usize) -> Result<sys::napi_value> {
    let (mut data, mut buffer) = (ptr::null_mut(), ptr::null_mut());
    // Node zeroes an ArrayBuffer, and not a Buffer.
    // SAFETY: plain out-parameters.
    check(unsafe { sys::napi_create_buffer(env.raw(), length, &raw mut data, &raw mut buffer) })?;
    let mut value = ptr::null_mut();
    // SAFETY: `buffer` was just made; what is not asked for may be null.
    check(unsafe {
        sys::napi_get_typedarray_info(
            env.raw(),
            buffer,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &raw mut value,
            ptr::null_mut(),
        )
    })?;
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
