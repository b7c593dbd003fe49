//! Stands in for `sockets` where a socket is not a descriptor that can be adopted (Windows): the same names with nothing behind them.

use std::rc::Rc;
use std::sync::Arc;

use napi::{Env, Error, Result, sys};

use super::host::NodeHost;
use super::sys::Reference;
use crate::connection::Config;
use crate::transport::event_loop::{EventLoop, Host};
use crate::transport::transports::Transport;

/// False: sockets cannot be adopted.
pub(super) const TAKES_SOCKETS: bool = false;

/// Nothing of Node's loop is needed.
pub(super) struct NodeLoop;

impl NodeLoop {
    #[allow(clippy::unnecessary_wraps, reason = "that of `sockets` may fail")]
    pub(super) fn new(_: Env, _deliver: sys::napi_value) -> Result<Self> {
        Ok(Self)
    }
}

impl Host for NodeHost {
    type Memory = Reference;
}

/// False: event loops cannot listen.
pub(super) fn can_listen() -> bool {
    false
}

/// The number of I/O threads in this process.
pub(super) fn threads() -> usize {
    0
}

#[allow(clippy::needless_pass_by_value, reason = "that of `sockets` keeps it")]
pub(super) fn attach(
    _: &Rc<EventLoop<NodeHost>>,
    _fd: i32,
    _: Arc<Config>,
    _head: &[u8],
    _on_thread: bool,
) -> Option<u32> {
    None
}

#[allow(clippy::needless_pass_by_value, reason = "that of `sockets` keeps it")]
pub(super) fn adopt(
    _: &Rc<EventLoop<NodeHost>>,
    _number: u32,
    _response: &[u8],
    _: Arc<Config>,
    _head: &[u8],
    _on_thread: bool,
) -> Option<u32> {
    None
}

pub(super) fn lend(_: &mut Transport<Reference>) {}

pub(super) fn hand_back(_: &EventLoop<NodeHost>, _: &mut Transport<Reference>) -> Option<i32> {
    None
}

pub(super) fn call_when_closing(_: &Rc<EventLoop<NodeHost>>, _number: u32) -> Result<()> {
    Err(Error::from_reason("sockets cannot be adopted on this system"))
}
