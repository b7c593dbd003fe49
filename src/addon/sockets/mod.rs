//! Sockets adopted from Node, and listening sockets. Unix only: elsewhere `no_sockets` stands in, and has the same names.
//!
//! * `host`: the host of the event loop, over Node-API, and the start of its loop. `consumer`: the function that it calls.
//! * `accept`: accepted connections, passed to JavaScript. `listener`: the class for a listening socket.

mod accept;
mod consumer;
mod host;
mod listener;

pub(super) use super::sys::{borrow_fd, can_poll as can_listen};
pub(super) use crate::transport::io_threads::live_threads as threads;
pub(super) use consumer::Consumer;
pub(super) use host::{call_when_closing, start};

/// True where sockets can be adopted.
pub(super) const TAKES_SOCKETS: bool = true;
