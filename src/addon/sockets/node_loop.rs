//! Node's part of a host: the handles by which the environment's loop calls the event loop, and the function that is called with events.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use napi::{Env, Result, sys};

use crate::addon::sys::{AsyncContext, Reference};
use crate::transport::event_loop::LoopControl;

/// The functions that are called with events, and the async context of connections that have none of their own here.
struct Consumer {
    function: Reference,
    /// The function for connections with a context of their own.
    in_context: Reference,
    context: AsyncContext,
}

/// The values of a consumer, in a handle scope.
pub(in crate::addon) struct Scope<'a> {
    pub(super) function: sys::napi_value,
    pub(super) in_context: sys::napi_value,
    pub(super) context: &'a AsyncContext,
}

/// Node's part of a host: the consumer of events, and the handles on its loop.
pub(in crate::addon) struct NodeLoop {
    /// `None` once the environment has ended.
    consumer: RefCell<Option<Rc<Consumer>>>,
    /// There while the event loop has been started and not ended.
    pub(super) handles: RefCell<Option<Box<dyn LoopControl>>>,
    pub(super) begun: Instant,
    /// The async contexts of connections that are delivered again and again, by id.
    contexts: RefCell<Vec<Option<Rc<AsyncContext>>>>,
}

impl NodeLoop {
    pub(in crate::addon) fn new(
        env: Env,
        deliver: sys::napi_value,
        in_context: sys::napi_value,
    ) -> Result<Self> {
        let consumer = Consumer {
            function: Reference::new(env, deliver)?,
            in_context: Reference::new(env, in_context)?,
            context: AsyncContext::new(env, deliver)?,
        };
        Ok(Self {
            consumer: RefCell::new(Some(Rc::new(consumer))),
            handles: RefCell::new(None),
            begun: Instant::now(),
            contexts: RefCell::default(),
        })
    }

    /// Drops the references to JavaScript, which must go before the environment does.
    pub(super) fn drop_consumer(&self) {
        self.consumer.take();
        self.contexts.take();
    }

    /// The async context of a connection, if it has one of its own here.
    pub(super) fn context(&self, id: u32) -> Option<Rc<AsyncContext>> {
        self.contexts.borrow().get(id as usize)?.clone()
    }

    /// Makes an async context of `resource` for later deliveries of a connection: to enter one in JavaScript, within the scope of a
    /// callback, takes longer.
    ///
    /// # Errors
    /// If `resource` is no object.
    pub(in crate::addon) fn keep_context(&self, env: Env, id: u32, resource: sys::napi_value) -> Result<()> {
        let context = Rc::new(AsyncContext::weak(env, resource)?);
        let mut contexts = self.contexts.borrow_mut();
        let index = id as usize;
        if contexts.len() <= index {
            contexts.resize(index + 1, None);
        }
        contexts[index] = Some(context);
        Ok(())
    }

    /// Drops the async context of a connection.
    pub(in crate::addon) fn drop_context(&self, id: u32) {
        let context = self.contexts.borrow_mut().get_mut(id as usize).and_then(Option::take);
        drop(context);
    }

    /// Runs `call` with the functions and their async context, unless the environment has ended. A handle scope must be open.
    pub(super) fn with_consumer(&self, call: impl FnOnce(&Scope<'_>)) {
        let consumer = self.consumer.borrow().clone();
        if let Some(consumer) = consumer
            && let (Ok(function), Ok(in_context)) = (consumer.function.value(), consumer.in_context.value())
        {
            call(&Scope { function, in_context, context: &consumer.context });
        }
    }
}
