//! The one environment of a JavaScript thread. Every copy of the shim that the thread loads (and every load of the addon, each of
//! which has a `napi_env` of its own) shares it, so that a thread has one poller, one set of descriptors and one listener of
//! `'exit'`. What JavaScript itself has to share is the value of `thread.js`.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use napi::{Env, Result, sys};

use super::environment::Shared;
use super::raw::{Realm, evaluate, on_cleanup};

/// The script whose value copies of the shim share.
const SCRIPT: &str = include_str!("thread.js");

/// An environment and the realm that it was made for: embedders run several in one thread, one after the other or nested.
struct Entry {
    realm: Realm,
    shared: Weak<Shared>,
}

thread_local! {
    static ENTRIES: RefCell<Vec<Entry>> = RefCell::default();
}

/// The environment of the realm of `env`; `make` makes it from the value of the script if there is none.
///
/// # Errors
/// Those of `make`, or when the environment is ending.
pub(super) fn of_thread(
    env: Env,
    make: impl FnOnce(sys::napi_value) -> Result<Rc<Shared>>,
) -> Result<Rc<Shared>> {
    let known = ENTRIES.with_borrow(|entries| {
        entries.iter().find(|entry| entry.realm.is_of(env)).and_then(|entry| entry.shared.upgrade())
    });
    if let Some(shared) = known {
        return Ok(shared);
    }
    let shared = make(evaluate(env, SCRIPT)?)?;
    let weak = Rc::downgrade(&shared);
    let realm = Realm::of(env)?;
    let ended = weak.clone();
    on_cleanup(
        env,
        Box::new(move |_done| {
            ENTRIES.with_borrow_mut(|entries| entries.retain(|entry| !Weak::ptr_eq(&entry.shared, &ended)));
        }),
    )?;
    ENTRIES.with_borrow_mut(|entries| {
        // Those that were dropped with the last copy.
        entries.retain(|entry| entry.shared.strong_count() > 0);
        entries.push(Entry { realm, shared: weak });
    });
    Ok(shared)
}
