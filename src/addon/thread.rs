//! One environment per realm of a JavaScript thread. All copies of the shim in a realm share it, although
//! each loads the addon with a `napi_env` of its own: a thread has one poller, one set of descriptors and one
//! listener of `'exit'`. The copies share state in JavaScript through the value of `thread.js`.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use napi::bindgen_prelude::Object;
use napi::{Env, Result};

use super::context::Context;

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
