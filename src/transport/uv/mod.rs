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
