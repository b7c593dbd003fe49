//! Sockets that were taken over from Node: there are such where a socket is a descriptor, which is on Unix. On other
//! systems `no_sockets` is in the place of this folder. What the rest of the addon may know of it is what both have:
//! [`Rounds`], [`Attachment`] with the methods of `commands`, [`Resting`], [`threads`], [`TAKES_SOCKETS`], and `attach`, `flush` and
//! `rest_idle` of `Shared`.
//!
//! * `rounds`: the sockets of an environment, and when they get their turn; `attachment`: what is kept for each; `commands`:
//!   what is asked of one; `resting`: what is kept of one with nothing in flight.
//! * `line`: how the event loop comes to look at them; `driving`: who drives them; `stages`: what the loop does when it does;
//!   `delivery`: handing their news over; `news`: their news as records; `landing`: large messages, received into memory of
//!   their own.
//! * `listener`: the class for a listening socket; `arriving`: what comes by it, until it belongs to a connection.

mod arriving;
mod attachment;
mod commands;
mod delivery;
mod driving;
mod landing;
mod line;
mod listener;
mod news;
mod resting;
mod rounds;
mod stages;

pub(super) use attachment::Attachment;
pub(super) use resting::Resting;
pub(super) use rounds::Rounds;

/// Whether sockets can be taken over on this system.
pub(super) const TAKES_SOCKETS: bool = true;

/// Whether event loops can listen here.
pub(super) fn can_listen() -> bool {
    super::sys::can_poll()
}

/// How many I/O threads run in this process.
pub(super) fn threads() -> usize {
    crate::transport::io_threads::live_threads()
}
