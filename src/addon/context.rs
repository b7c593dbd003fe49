//! The parts of one JavaScript thread (main thread or worker). All copies of the shim in its realm share them, although
//! each loads the addon with a `napi_env` of its own: a thread has one poller, one set of descriptors and one
//! listener of `'exit'`. The copies share state in JavaScript through the value of `thread.js`.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use napi::bindgen_prelude::{Function, JsObjectValue, Object};
use napi::{Env, Error, JsValue, Result};

use super::compression_jobs::Compression;
use super::host::{NodeHost, SharedTransport, send_queued};
use super::payload::PayloadReader;
use super::sockets;
use super::sys::{BeforeCall, Reference, unknown};
use crate::connection::Config;
use crate::transport::event_loop::EventLoop;
use crate::transport::housekeeping::Housekeeping;
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
    pub(super) configurations: RefCell<Slab<Arc<Config>>>,
    /// The value of `thread.js`, and the realm that it was made in.
    pub(super) thread: Reference,
    realm: Realm,
}

impl Context {
    /// `thread`: the value of `thread.js`.
    ///
    /// # Errors
    /// If the system has no randomness for masking keys, or the environment is ending.
    pub(super) fn new(env: Env, thread: Object<'_>) -> Result<Rc<Self>> {
        let deliver: Function<'_> = thread.get_named_property("deliver")?;
        let in_context: Function<'_> = thread.get_named_property("deliverInContext")?;
        let event_loop = EventLoop::new(NodeHost::new(env, deliver.raw(), in_context.raw())?);
        // Id 0 is that of a connection that was destroyed.
        event_loop.transports().insert(Rc::new(RefCell::new(Transport::closed())));
        Ok(Rc::new(Self {
            env,
            compression: Rc::clone(&event_loop.host().compression),
            event_loop: Rc::new(event_loop),
            housekeeping: RefCell::default(),
            payloads: PayloadReader::default(),
            configurations: RefCell::default(),
            thread: Reference::new(env, thread.raw())?,
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
}

/// Identifies a realm among those of one thread. Must be dropped before its environment ends.
struct Realm {
    /// Environments with the same event loop share an isolate. Null without libuv.
    event_loop: *mut c_void,
    global: Reference,
}

impl Realm {
    /// The realm of `env`.
    fn of(env: Env) -> Result<Self> {
        let global = Reference::new(env, env.get_global()?.raw())?;
        Ok(Self { event_loop: event_loop_of(env), global })
    }

    /// True if this is the realm of `env`.
    fn is_of(&self, env: Env) -> bool {
        // Values of environments with the same event loop, which share an isolate, can be compared.
        let is_same = || env.strict_equals(unknown(env, self.global.value()?)?, env.get_global()?);
        self.event_loop == event_loop_of(env) && is_same().unwrap_or(false)
    }
}

impl BeforeCall for Context {
    /// Sends what the shim has queued: it comes before the command of the call.
    fn before_call(&self) {
        send_queued(&self.event_loop);
    }
}

fn event_loop_of(env: Env) -> *mut c_void {
    // Hosts without libuv may lack the function.
    let found = sockets::can_listen().then(|| env.get_uv_event_loop().ok());
    found.flatten().map_or(ptr::null_mut(), <*mut _>::cast)
}

/// The script whose value the copies share.
const SCRIPT: &str = include_str!("thread.js");

thread_local! {
    /// The environments of this thread. Embedders run several, one after the other or nested. Weak: an
    /// environment holds references to JavaScript values, and must end with the objects of its copies, before
    /// the thread does.
    static ENVIRONMENTS: RefCell<Vec<Weak<Context>>> = RefCell::default();
}

/// The environment of the realm of `env`. If there is none, `create` gets the value of the script and creates
/// it.
///
/// # Errors
/// Those of `create`, or if the environment is ending.
pub(super) fn context_of_thread(
    env: Env,
    create: impl FnOnce(Object<'_>) -> Result<Rc<Context>>,
) -> Result<Rc<Context>> {
    let known = ENVIRONMENTS.with_borrow(|environments| {
        environments.iter().filter_map(Weak::upgrade).find(|context| context.realm.is_of(env))
    });
    if let Some(context) = known {
        return Ok(context);
    }
    let context = create(env.run_script(SCRIPT)?)?;
    ENVIRONMENTS.with_borrow_mut(|environments| {
        environments.retain(|context| context.strong_count() > 0);
        environments.push(Rc::downgrade(&context));
    });
    Ok(context)
}
