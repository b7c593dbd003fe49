//! libuv by hand: handles on an environment's event loop. Its functions are looked up at run time, so that test executables
//! link and hosts without libuv can still load the addon.
//!
//! * `symbols`: the functions.
//! * `handle`: memory, value and end of any handle.
//! * `wakeup`: from other threads; `turn`: the end of each turn of the loop; `closing`: its last phase; `poll`: a descriptor that is readable.

mod closing;
mod handle;
mod poll;
mod symbols;
mod turn;
mod wakeup;

pub(in crate::addon) use closing::when_closing;
pub(in crate::addon) use poll::Poll;
pub(in crate::addon) use turn::Turn;
pub(in crate::addon) use wakeup::Wakeup;

/// Whether event loops can poll descriptors here.
pub(in crate::addon) fn can_poll() -> bool {
    symbols::libuv().is_some()
}
