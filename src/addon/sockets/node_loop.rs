//! Node's part of a host: the handles by which the environment's loop calls the event loop, and the function that is called with events.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use napi::{Env, Result, sys};

use crate::addon::sys::{AsyncContext, Reference, ThreadsafeFunction, failed, uv_loop};
use crate::transport::event_loop::Poller;
use crate::transport::socket::Wake;
use crate::transport::uv::{AsyncHandle, Check, OnClosed, Poll};

/// The function that is called with events, and the async context that it runs in.
struct Consumer {
    function: Reference,
    context: AsyncContext,
}

/// Node's part of a host: the consumer of events, and the handles on its loop.
pub(in crate::addon) struct NodeLoop {
    /// `None` once the environment has ended.
    consumer: RefCell<Option<Rc<Consumer>>>,
    /// There while the event loop has been started and not ended.
    pub(super) handles: RefCell<Option<Handles>>,
    pub(super) begun: Instant,
}

impl NodeLoop {
    /// # Errors
    /// If the environment is ending.
    pub(in crate::addon) fn new(env: Env, deliver: sys::napi_value) -> Result<Self> {
        let consumer =
            Consumer { function: Reference::new(env, deliver)?, context: AsyncContext::new(env, deliver)? };
        Ok(Self {
            consumer: RefCell::new(Some(Rc::new(consumer))),
            handles: RefCell::new(None),
            begun: Instant::now(),
        })
    }

    /// Drops the references to JavaScript, which must go before the environment does.
    pub(super) fn drop_consumer(&self) {
        self.consumer.take();
    }

    /// Runs `call` with the function and its async context, unless the environment has ended. A handle scope must be open.
    pub(super) fn with_consumer(&self, call: impl FnOnce(&(sys::napi_value, &AsyncContext))) {
        let consumer = self.consumer.borrow().clone();
        if let Some(consumer) = consumer
            && let Ok(function) = consumer.function.value()
        {
            call(&(function, &consumer.context));
        }
    }
}

/// Functions that the environment's loop calls.
pub(super) struct Callbacks {
    /// Another thread has woken the loop.
    pub(super) on_wake: Box<dyn Fn()>,
    /// The loop is about to poll without blocking.
    pub(super) before_poll: Box<dyn Fn()>,
    /// The descriptor of the poller is readable.
    pub(super) on_readable: Box<dyn Fn()>,
    /// The loop has polled.
    pub(super) after_poll: Box<dyn Fn()>,
}

/// Another thread wakes the loop by this.
enum Waking {
    Libuv(AsyncHandle),
    /// In hosts without libuv.
    Threadsafe(ThreadsafeFunction),
}

/// The handles of one environment.
pub(super) struct Handles {
    waking: Waking,
    /// `None` where the loop cannot poll.
    polling: Option<(Rc<Poller>, Poll, Check)>,
}

impl Handles {
    /// # Errors
    /// If the loop takes no handle, or the environment is ending.
    pub(super) fn new(env: Env, poller: Option<Rc<Poller>>, callbacks: Callbacks) -> Result<Self> {
        let Callbacks { on_wake, before_poll, on_readable, after_poll } = callbacks;
        let Some(poller) = poller else {
            return Ok(Self {
                waking: Waking::Threadsafe(ThreadsafeFunction::new(env, on_wake)?),
                polling: None,
            });
        };
        let event_loop = uv_loop(env)?;
        let poll = Poll::new(event_loop, poller.fd(), on_readable).map_err(failed)?;
        let check = Check::new(event_loop, before_poll, after_poll).map_err(failed)?;
        let waking = Waking::Libuv(AsyncHandle::new(event_loop, on_wake).map_err(failed)?);
        Ok(Self { waking, polling: Some((poller, poll, check)) })
    }

    /// Wakes the loop from any thread.
    pub(super) fn waker(&self) -> Box<dyn Wake> {
        match &self.waking {
            Waking::Libuv(handle) => handle.waker(),
            Waking::Threadsafe(function) => function.waker(),
        }
    }

    /// Chooses whether the handles keep the loop alive.
    pub(super) fn set_ref(&self, on: bool) {
        match &self.waking {
            Waking::Libuv(handle) => handle.set_ref(on),
            Waking::Threadsafe(function) => function.set_ref(on),
        }
    }

    /// Chooses whether the loop polls without blocking.
    pub(super) fn poll_without_blocking(&self, on: bool) {
        if let Some((.., check)) = &self.polling {
            check.poll_without_blocking(on);
        }
    }

    /// Closes the handles; `closed` is dropped when the loop has let go of them.
    pub(super) fn close<T: 'static>(self, closed: T) {
        let Self { waking, polling } = self;
        let after: OnClosed = match polling {
            // The poller's descriptor must not close before the loop has let go of it.
            Some((poller, poll, check)) => Box::new(move || {
                poll.close(Box::new(move || check.close(Box::new(move || drop((poller, closed))))));
            }),
            None => Box::new(move || drop(closed)),
        };
        match waking {
            Waking::Libuv(handle) => handle.close(after),
            Waking::Threadsafe(function) => {
                drop(function);
                after();
            }
        }
    }
}
