//! The handles by which a libuv loop calls one event loop.

use std::io;
use std::rc::Rc;

use super::{AsyncHandle, Check, Loop, Poll};
use crate::transport::event_loop::Poller;
use crate::transport::socket::Wake;

/// Functions that the loop calls.
pub struct Callbacks {
    /// Another thread has woken the loop.
    pub on_wake: Box<dyn Fn()>,
    /// The loop is about to poll without blocking.
    pub before_poll: Box<dyn Fn()>,
    /// The descriptor of the poller is readable.
    pub on_readable: Box<dyn Fn()>,
    /// The loop has polled.
    pub after_poll: Box<dyn Fn()>,
}

/// The handles of one event loop.
pub struct LoopHandles {
    async_handle: AsyncHandle,
    poller: Rc<Poller>,
    poll: Poll,
    check: Check,
}

impl LoopHandles {
    /// # Errors
    /// Without libuv, or if the loop refuses a handle.
    pub fn new(event_loop: Loop, poller: Rc<Poller>, callbacks: Callbacks) -> io::Result<Self> {
        let Callbacks { on_wake, before_poll, on_readable, after_poll } = callbacks;
        let poll = Poll::new(event_loop, poller.fd(), on_readable)?;
        let check = Check::new(event_loop, before_poll, after_poll)?;
        Ok(Self { async_handle: AsyncHandle::new(event_loop, on_wake)?, poller, poll, check })
    }

    /// Wakes the loop from any thread.
    pub fn waker(&self) -> Box<dyn Wake> {
        self.async_handle.waker()
    }

    /// Chooses whether the handles keep the loop alive.
    pub fn set_ref(&self, on: bool) {
        self.async_handle.set_ref(on);
    }

    /// Chooses whether the loop polls without blocking.
    pub fn poll_without_blocking(&self, on: bool) {
        self.check.poll_without_blocking(on);
    }

    /// Closes the handles; `closed` is dropped when the loop has let go of them.
    pub fn close<T: 'static>(self, closed: T) {
        let Self { async_handle, poller, poll, check } = self;
        async_handle.close(Box::new(move || {
            // The poller's descriptor must not close before the loop has let go of it.
            poll.close(Box::new(move || check.close(Box::new(move || drop((poller, closed))))));
        }));
    }
}
