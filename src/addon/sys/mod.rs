//! The unsafe code of the addon: Node-API, libuv and libc called by hand, where napi-rs has no safe form or costs too much
//! on a hot path.
//!
//! Everything exported from here is safe to call on the thread of the environment that it was made for.
//! Nothing outside this folder holds a raw pointer other than a `napi_value`, which is valid in the current
//! handle scope. No policy belongs here: which function to call when is decided above.
//!
//! * Node-API: `async_work`, `bytes`, `callback`, `cleanup_hook`, `function`, `realm`, `reference`,
//!   `shared_array`, `threadsafe_function`, `values`. * libuv: `uv`. * libc: `descriptor`, `page_allocator`.

mod async_work;
mod bytes;
mod callback;
mod cleanup_hook;
#[cfg(unix)]
mod descriptor;
mod function;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod page_allocator;
mod realm;
mod reference;
mod shared_array;
#[cfg(unix)]
mod threadsafe_function;
#[cfg(unix)]
mod uv;
mod values;

use napi::{Error, Result, Status, sys};

pub(super) use async_work::queue_async_work;
pub(super) use bytes::{bytes_of, data_bytes, is_string, string_bytes};
pub(super) use callback::call_function;
pub(super) use function::{Arguments, Body, create_function, is_undefined, unsigned};
pub(super) use realm::{Realm, evaluate};
pub(super) use reference::{Reference, unknown};
pub(super) use shared_array::SharedArray;
pub(super) use values::property;

/// For `sockets`.
#[cfg(unix)]
pub(super) use {
    bytes::{create_array_buffer, with_memory},
    callback::{
        AsyncContext, Outcome, call_predicate, can_call, in_handle_scope, make_callback,
        make_callback_in_context, report_uncaught,
    },
    cleanup_hook::add_cleanup_hook,
    descriptor::{borrow_fd, duplicate_fd},
    uv::{AsyncHandle, Check, Poll, can_poll, run_in_close_phase},
    values::{buffer, latin1, uint32, undefined},
};

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub(super) use page_allocator::release_pages;

/// The system's allocator decides when it returns pages.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub(super) fn release_pages(_: &mut usize) -> bool {
    false
}

/// True if libuv's event loop can poll descriptors. Not on this system.
#[cfg(not(unix))]
fn can_poll() -> bool {
    false
}

/// Turns a Node-API status into a result. A pending JavaScript exception stays pending, and is thrown when
/// the current call returns.
///
/// # Errors
/// For every status but `napi_ok`.
fn check(status: sys::napi_status) -> Result<()> {
    match Status::from(status) {
        Status::Ok => Ok(()),
        failed => Err(Error::new(failed, "Node-API call failed")),
    }
}
