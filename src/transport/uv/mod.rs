//! libuv handles on the loop of a host that has one. The functions are looked up at run time, so that test
//! executables link without Node and hosts without libuv can load the library. No Node-API here.
//!
//! * `symbols`: the functions.
//! * `handle`: memory, value and end of every handle; callbacks in the close phase.
//! * `check`: the end of each turn of the loop. `poll`: a readable descriptor. `async_handle`: wake-ups from
//!   other threads. `loop_handles`: all handles of one event loop.
//!
//! The phases of a turn, in order: idle, poll (descriptors, wake-ups), check, close.

mod async_handle;
mod check;
mod handle;
mod loop_handles;
mod poll;
mod symbols;

pub use async_handle::AsyncHandle;
pub use check::Check;
pub use handle::{Loop, OnClosed, run_in_close_phase};
pub use loop_handles::{Callbacks, LoopHandles};
pub use poll::Poll;

/// True if the event loop can poll descriptors: the process has libuv's functions.
pub fn can_poll() -> bool {
    symbols::libuv().is_some()
}
