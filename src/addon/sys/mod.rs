//! The unsafe room: Node-API and libuv called by hand. Everything exported from here is safe to call on the
//! thread of the environment that it was made for; nothing outside this folder holds a raw pointer.

mod async_work;
mod bytes;
mod callback;
mod cleanup_hook;
#[cfg(unix)]
mod descriptor;
mod function;
mod malloc_trim;
mod realm;
mod reference;
mod shared_array;
mod status;
#[cfg(unix)]
mod thread_cpu_time;
#[cfg(unix)]
mod threadsafe_function;
#[cfg(unix)]
mod uv;
mod values;

pub(super) use async_work::queue_async_work;
pub(super) use bytes::{bytes_of, data_bytes, is_string, string_bytes};
pub(super) use callback::call_function;
pub(super) use function::{Arguments, Body, create_function, is_undefined, unsigned};
pub(super) use malloc_trim::malloc_trim;
pub(super) use realm::{Realm, evaluate};
pub(super) use reference::{Reference, unknown};
pub(super) use shared_array::SharedArray;
pub(super) use status::check;
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
    thread_cpu_time::thread_cpu_time,
    uv::{AsyncHandle, Check, Poll, can_poll, run_in_close_phase},
    values::{buffer, latin1, uint32, undefined},
};

/// Whether there is libuv's event loop to be polled on.
#[cfg(not(unix))]
fn can_poll() -> bool {
    false
}
