//! Node's part of a host: the handles by which the environment's loop calls the event loop, and the function that is called with events.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use napi::{Env, Result, sys};

use crate::addon::sys::AsyncContext;
use crate::transport::event_loop::LoopControl;

/// Node's part of a host: the consumer of events, and the handles on its loop.
pub(in crate::addon) struct NodeLoop {
    /// The async context that events are delivered in; its resource is the function that is called with them. `None` once the
    /// environment has ended.
    consumer: RefCell<Option<Rc<AsyncContext>>>,
    /// There while the event loop has been started and not ended.
    pub(super) handles: RefCell<Option<Box<dyn LoopControl>>>,
    pub(super) begun: Instant,
}

impl NodeLoop {
    pub(in crate::addon) fn new(env: Env, deliver: sys::napi_value) -> Result<Self> {
        Ok(Self {
            consumer: RefCell::new(Some(Rc::new(AsyncContext::new(env, deliver)?))),
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
        if let Some(context) = consumer
            && let Ok(function) = context.resource()
        {
            call(&(function, &context));
        }
    }
}
