//! libuv handles on the loop of a host that has one. The functions are looked up at run time, so that test
//! executables link without Node and hosts without libuv can load the library. No Node-API here.
//!
//! * `symbols`: the functions.
//! * `handle`: memory, value and end of every handle; callbacks in the close phase.
//! * `loop_handles`: the handles by which a loop calls one event loop.
//!
//! The phases of a turn, in order: idle, poll (descriptors, wake-ups), check, close.

mod handle;
mod loop_handles;
mod symbols;

pub use handle::{Loop, run_in_close_phase};
pub use loop_handles::{Callbacks, LoopHandles};

/// True if the event loop can poll descriptors: the process has libuv's functions.
pub fn can_poll() -> bool {
    symbols::libuv().is_some()
}

/// True if the streams of libuv report their end together with the bytes before it once both sides have ended: with epoll, until
/// 1.51. Since 1.52 they take the end from another read, which is in the next turn of the loop (libuv pull request 4997).
pub fn reports_end_with_bytes() -> bool {
    let is_before = |libuv: &symbols::Libuv| libuv.version() < (1, 52);
    cfg!(any(target_os = "linux", target_os = "android")) && symbols::libuv().is_some_and(is_before)
}
