//! Stands in for `sockets` where a socket is not a descriptor that can be adopted (Windows): the same names with nothing behind them.

use std::cell::RefMut;
use std::io;
use std::rc::Rc;

use napi::{Env, Error, Result, sys};

use super::host::NodeHost;
use super::sys::Reference;
use crate::connection::MaskingKeys;
use crate::transport::event_loop::{Borrowed, EventLoop, Host};

/// False: sockets cannot be adopted.
pub(super) const TAKES_SOCKETS: bool = false;

/// There are no events of sockets.
pub(super) struct Consumer;

impl Consumer {
    #[allow(clippy::unnecessary_wraps, reason = "that of `sockets` may fail")]
    pub(super) fn new(_: Env, _deliver: sys::napi_value, _in_context: sys::napi_value) -> Result<Self> {
        Ok(Self)
    }

    #[allow(clippy::unnecessary_wraps, reason = "that of `sockets` may fail")]
    pub(super) fn keep_context(&self, _: Env, _id: u32, _resource: sys::napi_value) -> Result<()> {
        Ok(())
    }

    pub(super) fn drop_context(&self, _id: u32) {}
}

impl Host for NodeHost {
    type Memory = Reference;

    fn masking_keys(&self) -> RefMut<'_, impl MaskingKeys> {
        self.keys.borrow_mut()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// False: event loops cannot listen.
pub(super) fn can_listen() -> bool {
    false
}

/// The number of I/O threads in this process.
pub(super) fn threads() -> usize {
    0
}

pub(super) fn borrow_fd(_fd: i32) -> io::Result<Borrowed> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn start(_: &Rc<EventLoop<NodeHost>>) -> Result<()> {
    Err(Error::from_reason("sockets cannot be adopted on this system"))
}

pub(super) fn call_when_closing(event_loop: &Rc<EventLoop<NodeHost>>, _number: u32) -> Result<()> {
    start(event_loop)
}
