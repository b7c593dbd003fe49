//! The unsafe room: Node-API and libuv called by hand. Everything exported from here is safe to call on the
//! thread of the environment that it was made for; nothing outside this folder holds a raw pointer.

mod bytes;
mod callback;
mod calls;
mod cleanup;
#[cfg(unix)]
mod clock;
#[cfg(unix)]
mod descriptor;
mod realm;
mod reference;
mod status;
#[cfg(unix)]
mod threadsafe;
mod trim;
#[cfg(unix)]
mod uv;
mod values;
mod words;
mod work;

pub(super) use bytes::{bytes_of, create_array_buffer, data_bytes, is_string, string_bytes, with_memory};
pub(super) use callback::call_back;
pub(super) use calls::{Arguments, Body, create_call, is_undefined, unsigned};
pub(super) use realm::{Realm, evaluate};
pub(super) use reference::{Reference, unknown};
pub(super) use status::check;
pub(super) use trim::give_back_free_memory;
pub(super) use values::property;
pub(super) use words::SharedMemory;
pub(super) use work::run_elsewhere;

/// For `sockets`.
#[cfg(unix)]
pub(super) use {
    callback::{
        AsyncContext, Called, call_in_context, call_plain, call_with, can_call, in_handle_scope,
        report_uncaught,
    },
    cleanup::on_cleanup,
    clock::thread_running,
    descriptor::{borrow, duplicate},
    uv::{Poll, Turn, Wakeup, can_poll, when_closing},
    values::{buffer, latin1, uint32, undefined},
};

/// Whether there is libuv's event loop to be polled on.
#[cfg(not(unix))]
fn can_poll() -> bool {
    false
}
