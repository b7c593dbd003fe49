//! The consumer of events of a host: the functions that are called with them, and their async contexts.

use std::cell::RefCell;
use std::rc::Rc;

use napi::{Env, Result, sys};

use crate::addon::sys::{AsyncContext, Reference};

/// The functions that are called with events. Their references to JavaScript must go before the environment does.
pub(in crate::addon) struct Consumer {
    /// `None` once the environment has ended.
    functions: RefCell<Option<Rc<Functions>>>,
    /// The async contexts of connections that are delivered again and again, by id.
    contexts: RefCell<Vec<Option<Rc<AsyncContext>>>>,
}

struct Functions {
    /// The async context of connections that have none of their own here. Its resource is the function that is called then.
    context: AsyncContext,
    /// The function for connections with a context of their own.
    in_context: Reference,
}

/// The functions as values of a handle scope.
pub(in crate::addon) struct Scope<'a> {
    pub(super) function: sys::napi_value,
    pub(super) in_context: sys::napi_value,
    pub(super) context: &'a AsyncContext,
}

impl Consumer {
    pub(in crate::addon) fn new(
        env: Env,
        deliver: sys::napi_value,
        in_context: sys::napi_value,
    ) -> Result<Self> {
        let functions = Functions {
            context: AsyncContext::new(env, deliver)?,
            in_context: Reference::new(env, in_context)?,
        };
        Ok(Self { functions: RefCell::new(Some(Rc::new(functions))), contexts: RefCell::default() })
    }

    /// Drops the references to JavaScript.
    pub(super) fn clear(&self) {
        self.functions.take();
        self.contexts.take();
    }

    /// Runs `call` with the functions, unless the environment has ended. A handle scope must be open.
    pub(super) fn with(&self, call: impl FnOnce(&Scope<'_>)) {
        let functions = self.functions.borrow().clone();
        if let Some(Functions { context, in_context }) = functions.as_deref()
            && let (Ok(function), Ok(in_context)) = (context.resource(), in_context.value())
        {
            call(&Scope { function, in_context, context });
        }
    }

    /// The async context of a connection, if it has one of its own here.
    pub(super) fn context(&self, id: u32) -> Option<Rc<AsyncContext>> {
        self.contexts.borrow().get(id as usize)?.clone()
    }

    /// Makes an async context of `resource` for later deliveries of a connection: to enter one in JavaScript, within the scope of a
    /// callback, takes longer. The caller keeps `resource`.
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
}
