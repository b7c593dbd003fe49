//! The unsafe code of the addon: Node-API called by hand, where napi-rs has no safe form or costs too much on a hot path.
//!
//! Everything exported from here is safe to call on the thread of the environment that it was made for.
//! Nothing outside this folder holds a raw pointer other than a `napi_value`, which is valid in the current
//! handle scope. No policy belongs here: which function to call when is decided above.
//!
//! * Calls from JavaScript: `function`, `bytes`. Calls into it: `callback`.
//! * Values that outlive a call: `reference`, `shared_array`.
//! * Work of other threads: `async_work`, `threadsafe_function`. The end of an environment: `cleanup_hook`.
//! * `descriptor`: descriptors and the loop of Node.

mod async_work;
mod bytes;
mod callback;
mod cleanup_hook;
#[cfg(unix)]
mod descriptor;
mod function;
mod reference;
mod shared_array;
#[cfg(unix)]
mod threadsafe_function;

use std::fmt::Display;

use napi::{Error, Result, Status, sys};

pub(super) use async_work::queue_async_work;
pub(super) use bytes::{Place, bytes_of, data_bytes, placed_bytes, string_bytes};
pub(super) use callback::call_function;
pub(super) use function::{Arguments, BeforeCall, Body, create_function, is_undefined, unsigned};
pub(super) use reference::{Reference, unknown};
pub(super) use shared_array::SharedArray;

#[cfg(unix)]
pub(super) use crate::transport::uv::can_poll;
/// For `sockets`.
#[cfg(unix)]
pub(super) use {
    bytes::{create_array_buffer, with_memory},
    callback::{
        AsyncContext, Outcome, call_predicate, can_call, in_handle_scope, make_callback,
        make_callback_in_context, report_uncaught, undefined,
    },
    cleanup_hook::add_cleanup_hook,
    descriptor::{borrow_fd, duplicate_fd, uv_loop},
    threadsafe_function::ThreadsafeFunction,
};

/// An error of the system as one of Node-API.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn failed(error: impl Display) -> Error {
    Error::from_reason(error.to_string())
}

/// Calls a function of Node-API with an out-parameter. Returns the value that it has written there, over `initial`.
///
/// # Errors
/// If the status is not `napi_ok`.
fn out<T>(initial: T, call: impl FnOnce(*mut T) -> sys::napi_status) -> Result<T> {
    let mut value = initial;
    check(call(&raw mut value)).map(|()| value)
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
