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

pub(super) use async_work::run_elsewhere;
pub(super) use bytes::{bytes_of, create_array_buffer, data_bytes, is_string, string_bytes, with_memory};
pub(super) use callback::call_back;
pub(super) use function::{Arguments, Body, create_call, is_undefined, unsigned};
pub(super) use malloc_trim::give_back_free_memory;
pub(super) use realm::{Realm, evaluate};
pub(super) use reference::{Reference, unknown};
pub(super) use shared_array::SharedMemory;
pub(super) use status::check;
pub(super) use values::property;

/// For `sockets`.
#[cfg(unix)]
pub(super) use {
    callback::{
        AsyncContext, Called, call_in_context, call_plain, call_with, can_call, in_handle_scope,
        report_uncaught,
    },
    cleanup_hook::on_cleanup,
    descriptor::{borrow, duplicate},
    thread_cpu_time::thread_running,
    uv::{Poll, Turn, Wakeup, can_poll, when_closing},
    values::{buffer, latin1, uint32, undefined},
};

/// Whether there is libuv's event loop to be polled on.
#[cfg(not(unix))]
fn can_poll() -> bool {
    false
}
