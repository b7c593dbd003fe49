//! libuv by hand: handles on an environment's event loop. Its functions are looked up at run time, so that test executables
//! link and hosts without libuv can still load the addon.
//!
//! * `symbols`: the functions.
//! * `handle`: memory, value and end of any handle.
//! * `async_handle`: from other threads; `check`: the end of each turn of the loop; `close_phase`: its last phase; `poll`: a descriptor that is readable.

mod async_handle;
mod check;
mod close_phase;
mod handle;
mod poll;
mod symbols;

pub(in crate::addon) use async_handle::AsyncHandle;
pub(in crate::addon) use check::Check;
pub(in crate::addon) use close_phase::run_in_close_phase;
pub(in crate::addon) use poll::Poll;

/// Whether event loops can poll descriptors here.
pub(in crate::addon) fn can_poll() -> bool {
    symbols::libuv().is_some()
}
