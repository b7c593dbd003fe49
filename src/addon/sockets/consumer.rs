//! The consumer of events of a host: the function that is called with them, and its async context.

use std::cell::RefCell;
use std::rc::Rc;

use napi::{Env, Result, sys};

use crate::addon::sys::AsyncContext;

/// The async context that events are delivered in; its resource is the function that is called with them. `None` once the
/// environment has ended.
pub(in crate::addon) struct Consumer(RefCell<Option<Rc<AsyncContext>>>);

impl Consumer {
    pub(in crate::addon) fn new(env: Env, deliver: sys::napi_value) -> Result<Self> {
        Ok(Self(RefCell::new(Some(Rc::new(AsyncContext::new(env, deliver)?)))))
    }

    /// Drops the references to JavaScript, which must go before the environment does.
    pub(super) fn clear(&self) {
        self.0.take();
    }

    /// Runs `call` with the function and its async context, unless the environment has ended. A handle scope must be open.
    pub(super) fn with(&self, call: impl FnOnce(&(sys::napi_value, &AsyncContext))) {
        let context = self.0.borrow().clone();
        if let Some(context) = context
            && let Ok(function) = context.resource()
        {
            call(&(function, &context));
        }
    }
}
