//! Sockets adopted from Node, and listening sockets. Unix only: elsewhere `no_sockets` stands in, and has the same names.
//!
//! * `host`: the host of the event loop, over Node-API, and the start of its loop. `node_loop`: handles and consumer.
//! * `accept`: accepted connections, passed to JavaScript. `listener`: the class for a listening socket.

mod accept;
mod host;
mod listener;
mod node_loop;

pub(super) use super::sys::{borrow_fd, can_poll as can_listen};
pub(super) use crate::transport::io_threads::live_threads as threads;
pub(super) use host::{call_when_closing, start};
pub(super) use node_loop::NodeLoop;

/// True where sockets can be adopted.
pub(super) const TAKES_SOCKETS: bool = true;
