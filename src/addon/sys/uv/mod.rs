//! libuv handles on an environment's event loop. The functions are looked up at run time, so that test
//! executables link without Node and hosts without libuv can load the addon.
//!
//! * `symbols`: the functions.
//! * `handle`: memory, value and end of every handle; callbacks in the close phase.
//! * `check`: the end of each turn of the loop. `poll`: a readable descriptor. `async_handle`: wake-ups from
//!   other threads.
//!
//! The phases of a turn, in order: idle, poll (descriptors, wake-ups), check, close.

mod async_handle;
mod check;
mod handle;
mod poll;
mod symbols;

pub(in crate::addon) use async_handle::AsyncHandle;
pub(in crate::addon) use check::Check;
pub(in crate::addon) use handle::run_in_close_phase;
pub(in crate::addon) use poll::Poll;

/// True if the event loop can poll descriptors: the process has libuv's functions.
pub(in crate::addon) fn can_poll() -> bool {
    symbols::libuv().is_some()
}

/// True if the streams of libuv report their end together with the bytes before it once both sides have ended: with epoll, until
/// 1.51. Since 1.52 they take the end from another read, which is in the next turn of the loop (libuv pull request 4997).
pub(in crate::addon) fn reports_end_with_bytes() -> bool {
    let is_before = |libuv: &symbols::Libuv| libuv.version() < (1, 52);
    cfg!(any(target_os = "linux", target_os = "android")) && symbols::libuv().is_some_and(is_before)
}
