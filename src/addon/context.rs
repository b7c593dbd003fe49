//! The parts of one JavaScript thread (main thread or worker), which all copies of the shim in it share.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;

use napi::{Env, Error, Result, sys};

use super::compression_jobs::Compression;
use super::host::{NodeHost, SharedTransport};
use super::housekeeping::Housekeeping;
use super::payload::PayloadReader;
use super::sys::{Realm, Reference, property};
use crate::connection::Config;
use crate::transport::event_loop::EventLoop;
use crate::transport::slab::Slab;
use crate::transport::transports::Transport;

/// The parts of one JavaScript thread, which all copies of the shim share. Lives on that thread.
pub(super) struct Context {
    pub(super) env: Env,
    /// Sockets and transports; its host has the shared memory and the masking keys.
    pub(super) event_loop: Rc<EventLoop<NodeHost>>,
    pub(super) compression: Rc<Compression>,
    pub(super) housekeeping: RefCell<Housekeeping>,
    pub(super) payloads: PayloadReader,
    /// Configurations of connections, by number.
    configurations: RefCell<Slab<Arc<Config>>>,
    /// The value of `thread.js`, and the realm that it was made in.
    thread: Reference,
    pub(super) realm: Realm,
}

impl Context {
    /// `thread`: the value of `thread.js`.
    ///
    /// # Errors
    /// If the system has no randomness for masking keys, or the environment is ending.
    pub(super) fn new(env: Env, thread: sys::napi_value) -> Result<Rc<Self>> {
        let event_loop = EventLoop::new(NodeHost::new(env, property(env, thread, c"deliver")?)?);
        // Id 0 is that of a connection that was destroyed.
        event_loop.transports().insert(Rc::new(RefCell::new(Transport::closed())));
        Ok(Rc::new(Self {
            env,
            event_loop: Rc::new(event_loop),
            compression: Rc::default(),
            housekeeping: RefCell::default(),
            payloads: PayloadReader::default(),
            configurations: RefCell::default(),
            thread: Reference::new(env, thread)?,
            realm: Realm::of(env)?,
        }))
    }

    /// The host of the event loop.
    pub(super) fn host(&self) -> &NodeHost {
        self.event_loop.host()
    }

    /// The configuration of this number.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn configuration(&self, number: u32) -> Result<Arc<Config>> {
        let config = self.configurations.borrow().get(number as usize).cloned();
        config.ok_or_else(|| Error::from_reason("no such configuration"))
    }

    /// The transport of a connection.
    ///
    /// # Errors
    /// If there is no such connection.
    pub(super) fn transport(&self, id: u32) -> Result<SharedTransport> {
        self.event_loop.transports().get(id).ok_or_else(|| Error::from_reason("no such connection"))
    }

    /// The value of `thread.js`.
    ///
    /// # Errors
    /// If the environment is ending.
    pub(super) fn thread_value(&self) -> Result<sys::napi_value> {
        self.thread.value()
    }

    /// All configurations, by number.
    pub(super) fn configurations_mut(&self) -> RefMut<'_, Slab<Arc<Config>>> {
        self.configurations.borrow_mut()
    }
}
