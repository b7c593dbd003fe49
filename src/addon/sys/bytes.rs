//! Bytes across Node-API: the arguments of a call, and memory that JavaScript owns. Called by `payload`, `codec` and `sockets`.
//! No slice outlives a call, because JavaScript may then detach or resize the memory.

use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicU8, Ordering};

use napi::bindgen_prelude::Uint8Array;
use napi::{Env, Result, sys};

use super::{Reference, check, failed, out};

/// UTF-16 units above which a string is measured before memory is reserved for its UTF-8 form.
const MEASURED_FROM: usize = 64 * 1024;

/// Pages of a `WebAssembly.Memory`, and the smallest ones of the system.
const WEBASSEMBLY_PAGE: usize = 64 * 1024;
const SYSTEM_PAGE: usize = 4 * 1024;

/// Runs `read` on the bytes of a `Uint8Array`. Memory that other threads share is copied to `scratch` first.
///
/// # Errors
/// If `value` is no typed array.
pub(in crate::addon) fn data_bytes<R>(
    env: Env,
    value: sys::napi_value,
    scratch: &mut Vec<u8>,
    read: impl FnOnce(&[u8]) -> R,
) -> Result<R> {
    placed_bytes(env, value, scratch, |bytes, _| read(bytes))
}

/// As [`data_bytes`]. `read` is also told where the bytes lie, unless other threads share them.
pub(in crate::addon) fn placed_bytes<R>(
    env: Env,
    value: sys::napi_value,
    scratch: &mut Vec<u8>,
    read: impl FnOnce(&[u8], Option<Place>) -> R,
) -> Result<R> {
    let View { data, memory, offset, length, is_shared } = view(env, value)?;
    if length == 0 {
        return Ok(read(&[], None));
    }
    if is_shared {
        shared_bytes(data, length, scratch)?;
        let result = read(scratch, None);
        // Rare, and possibly huge: the memory is not kept.
        *scratch = Vec::new();
        return Ok(result);
    }
    // SAFETY: Node-API returned `length` bytes at `data`, valid while `value` is in scope. They do not change
    // during `read`: it runs no JavaScript on this thread, and the memory is not shared with another.
    let bytes = unsafe { slice::from_raw_parts(data, length) };
    Ok(read(bytes, Some(Place { env, memory, offset, length })))
}

/// The place of a `Uint8Array` in its `ArrayBuffer`, during the call that the array is an argument of.
#[derive(Clone, Copy)]
pub(in crate::addon) struct Place {
    env: Env,
    memory: sys::napi_value,
    offset: usize,
    length: usize,
}

impl Place {
    /// Keeps the `ArrayBuffer`. Returns it and the offset at which the bytes end in it. `None` if its memory may be that
    /// of a `WebAssembly.Memory`, whose `grow()` detaches the `ArrayBuffer` although the bytes stay, or if the environment
    /// is ending.
    pub(in crate::addon) fn keep(self) -> Option<(Reference, usize)> {
        let (data, size) = array_buffer(self.env, self.memory).ok()?;
        // No function tells. Memory of WebAssembly consists of such pages and begins at one of the system's. Other memory of
        // this kind is rare where the C library has the size of a block in front of it.
        if size % WEBASSEMBLY_PAGE == 0 && data.addr() % SYSTEM_PAGE == 0 {
            return None;
        }
        Reference::new(self.env, self.memory).ok().map(|memory| (memory, self.offset + self.length))
    }
}

/// Address and length of an `ArrayBuffer`.
fn array_buffer(env: Env, value: sys::napi_value) -> Result<(*mut u8, usize)> {
    let (mut data, mut length) = (ptr::null_mut(), 0);
    // SAFETY: plain out-parameters; the value belongs to the current handle scope.
    check(unsafe { sys::napi_get_arraybuffer_info(env.raw(), value, &raw mut data, &raw mut length) })?;
    Ok((data.cast(), length))
}

/// The memory of a `Uint8Array`.
struct View {
    data: *const u8,
    /// An `ArrayBuffer` or a `SharedArrayBuffer`.
    memory: sys::napi_value,
    offset: usize,
    length: usize,
    /// The memory of a `SharedArrayBuffer`, which other threads may write.
    is_shared: bool,
}

fn view(env: Env, value: sys::napi_value) -> Result<View> {
    let (mut data, mut memory) = (ptr::null_mut(), ptr::null_mut());
    let (mut offset, mut length) = (0, 0);
    // The element type is not queried, which saves time. For wider elements `length`, which counts elements,
    // is below the number of bytes.
    // SAFETY: `value` belongs to the current call; a value of another type gives an error status.
    check(unsafe {
        sys::napi_get_typedarray_info(
            env.raw(),
            value,
            ptr::null_mut(),
            &raw mut length,
            &raw mut data,
            &raw mut memory,
            &raw mut offset,
        )
    })?;
    // SAFETY: `memory` was returned above: an `ArrayBuffer` or a `SharedArrayBuffer`.
    let is_own = out(false, |is_own| unsafe { sys::napi_is_arraybuffer(env.raw(), memory, is_own) })?;
    Ok(View { data: data.cast(), memory, offset, length, is_shared: !is_own })
}

/// Copies memory that other threads may be writing. Each byte is one that was there at some moment.
fn shared_bytes(data: *const u8, length: usize, scratch: &mut Vec<u8>) -> Result<()> {
    scratch.clear();
    scratch.try_reserve(length).map_err(failed)?;
    // SAFETY: Node-API returned `length` bytes at `data`, valid while the value is in scope. An `AtomicU8`
    // has the size and alignment of a byte and may be read while other threads write; nothing here writes.
    let bytes = unsafe { slice::from_raw_parts(data.cast::<AtomicU8>(), length) };
    scratch.extend(bytes.iter().map(|byte| byte.load(Ordering::Relaxed)));
    Ok(())
}

/// Writes a JavaScript string to `scratch` as UTF-8, with U+FFFD for lone surrogates. Reuses the capacity.
///
/// # Errors
/// If `value` is no string, or memory is exhausted.
pub(in crate::addon) fn string_bytes(env: Env, value: sys::napi_value, scratch: &mut Vec<u8>) -> Result<()> {
    let env = env.raw();
    // SAFETY: a null buffer queries the length in UTF-16 units and writes nothing.
    let query = |units| unsafe { sys::napi_get_value_string_utf16(env, value, ptr::null_mut(), 0, units) };
    let units = out(0, query)?;
    // At most three bytes per unit: measuring a short string costs more than reserving too much.
    let mut capacity = 3 * units;
    let utf8 = |buffer: *mut u8, size, length| {
        // SAFETY: Node-API writes at most `size` bytes, which `buffer` has; to a null buffer none, and queries the length.
        unsafe { sys::napi_get_value_string_utf8(env, value, buffer.cast(), size, length) }
    };
    if units > MEASURED_FROM {
        capacity = out(0, |length| utf8(ptr::null_mut(), 0, length))?;
    }
    // Node-API appends a NUL.
    capacity += 1;
    scratch.clear();
    scratch.try_reserve(capacity).map_err(failed)?;
    let length = out(0, |length| utf8(scratch.as_mut_ptr(), capacity, length))?;
    debug_assert!(length < capacity, "the length is without the NUL");
    // SAFETY: Node-API has written `length` bytes and a NUL within the capacity.
    unsafe { scratch.set_len(length) };
    Ok(())
}

/// A new `ArrayBuffer`, not zeroed, as in Node's own pools.
///
/// # Errors
/// If JavaScript has no memory for it.
pub(in crate::addon) fn create_array_buffer(env: Env, length: usize) -> Result<sys::napi_value> {
    let (mut data, mut buffer) = (ptr::null_mut(), ptr::null_mut());
    // Node zeroes an ArrayBuffer, but not a Buffer.
    // SAFETY: plain out-parameters.
    check(unsafe { sys::napi_create_buffer(env.raw(), length, &raw mut data, &raw mut buffer) })?;
    let (env, null) = (env.raw(), ptr::null_mut());
    let memory_of = |value| {
        let (length, data, offset) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: `buffer` was created above; out-parameters that are not needed may be null.
        unsafe { sys::napi_get_typedarray_info(env, buffer, null, length, data, value, offset) }
    };
    out(ptr::null_mut(), memory_of)
}

/// Runs `write` on the memory of a referenced `ArrayBuffer`. The pointer is queried each time: a buffer that
/// a user has detached is an empty slice, not memory with another owner.
pub(in crate::addon) fn with_memory<R>(
    env: Env,
    buffer: &Reference,
    write: impl FnOnce(&mut [u8]) -> R,
) -> Result<R> {
    let (data, length) = array_buffer(env, buffer.value()?)?;
    if data.is_null() || length == 0 {
        return Ok(write(&mut []));
    }
    // SAFETY: Node-API returned `length` bytes at `data`. The reference holds an `ArrayBuffer` and not a
    // shared one, so that no other thread has the memory; JavaScript does not run during `write`, and `write`
    // has no other way to the same memory.
    let memory = unsafe { slice::from_raw_parts_mut(data, length) };
    Ok(write(memory))
}

/// The bytes of a typed array that is an argument of the current call.
pub(in crate::addon) fn bytes_of(array: &mut Uint8Array) -> &mut [u8] {
    // SAFETY: the argument keeps the array alive for the call, and no JavaScript runs while the slice is
    // borrowed.
    unsafe { array.as_mut() }
}
