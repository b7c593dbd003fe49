//! Sockets adopted from Node, and listening sockets. Unix only: elsewhere `no_sockets` stands in, and has the same names.
//!
//! * `host`: the host of the event loop, over Node-API. `node_loop`: its handles on libuv's loop.
//! * `accept`: accepted connections, passed to JavaScript. `listener`: the class for a listening socket.

mod accept;
mod host;
mod listener;
mod node_loop;

use std::rc::Rc;
use std::sync::Arc;

use super::host::NodeHost;
use super::sys::{Reference, borrow_fd};
use crate::connection::Config;
use crate::transport::event_loop::{AdoptRequest, EventLoop, Source};
use crate::transport::transports::{Backend, Transport};

pub(super) use host::call_when_closing;
pub(super) use node_loop::NodeLoop;

/// True where sockets can be adopted.
pub(super) const TAKES_SOCKETS: bool = true;

/// Bits of the result of [`hand_back`].
const DRAINED: i32 = 1;
const SHUT_DOWN: i32 = 2;
const FAILED_WRITE: i32 = 4;

/// True where event loops can listen.
pub(super) fn can_listen() -> bool {
    super::sys::can_poll()
}

/// The number of I/O threads in this process.
pub(super) fn threads() -> usize {
    crate::transport::io_threads::live_threads()
}

/// Adopts a socket of Node, which keeps its descriptor. Returns the id of the connection; `None` if it cannot be adopted.
pub(super) fn attach(
    event_loop: &Rc<EventLoop<NodeHost>>,
    fd: i32,
    config: Arc<Config>,
    head: &[u8],
    on_thread: bool,
) -> Option<u32> {
    host::start(event_loop).ok()?;
    event_loop.adopt(AdoptRequest { source: Source::Host(borrow_fd(fd).ok()?), config, head, on_thread }).ok()
}

/// Adopts an accepted connection. `response` is written to it first. `None` if there is no such connection, or it was closed because
/// it cannot be adopted.
pub(super) fn adopt(
    event_loop: &Rc<EventLoop<NodeHost>>,
    number: u32,
    response: &[u8],
    config: Arc<Config>,
    head: &[u8],
    on_thread: bool,
) -> Option<u32> {
    host::start(event_loop).ok()?;
    event_loop
        .adopt(AdoptRequest { source: Source::Accepted { number, response }, config, head, on_thread })
        .ok()
}

/// Node owns the descriptor of the transport's socket from now on, in a handle, and it is borrowed from there.
pub(super) fn lend(transport: &mut Transport<Reference>) {
    let Ok(borrowed) = borrow_fd(transport.fd()) else { return };
    match transport.backend() {
        Backend::Active(connection) => connection.socket().lend(borrowed),
        Backend::Idle(idle) => idle.lend(borrowed),
        Backend::Stream(_) | Backend::Closed(_) => {}
    }
}

/// Gives the descriptor back to its handle; the caller carries the bytes from then on. The number: see `handBack` of the class. `None`
/// if there is no socket.
pub(super) fn hand_back(
    event_loop: &EventLoop<NodeHost>,
    transport: &mut Transport<Reference>,
) -> Option<i32> {
    let events = transport.hand_back(event_loop)?;
    let flag = |is_set: bool, flag| if is_set { flag } else { 0 };
    let failed = events.fault.map_or(0, |fault| (fault.errno << 8) | flag(fault.write, FAILED_WRITE));
    Some(failed | flag(events.drained, DRAINED) | flag(events.shut_down, SHUT_DOWN))
}
