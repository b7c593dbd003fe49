//! Accepted connections, passed to JavaScript: one call each. Called by `host`. Reads and writes no descriptor.

use std::rc::Rc;

use napi::bindgen_prelude::BufferSlice;
use napi::{Env, JsValue, Result, sys};

use crate::addon::host::RecordMemory;
use crate::addon::sys::{Outcome, Reference, make_callback, report_uncaught, uint32, undefined};
use crate::protocol::handshake::Field;
use crate::transport::listener::{AcceptedConnection, FallbackReason, Request};
use crate::transport::records::write_numbers;

/// The consumer of connections that one listening socket accepts.
pub(in crate::addon) struct Server {
    /// The `owner` argument of the functions.
    pub(super) owner: Reference,
    /// `arrived`: called with each connection.
    pub(super) arrived: Reference,
    /// `takesAll`: called before connections are accepted.
    pub(super) takes_all: Reference,
}

/// The number that JavaScript knows a reason by.
fn number_of(reason: FallbackReason) -> u32 {
    match reason {
        FallbackReason::NotUpgrade => 1,
        FallbackReason::Ended => 2,
        FallbackReason::TimedOut => 3,
        FallbackReason::ListenerClosed => 4,
        FallbackReason::Kept => 5,
    }
}

/// Passes a connection to JavaScript, in a callback scope of its own and in no async context. False if JavaScript could not be called.
pub(super) fn deliver(env: Env, records: &RecordMemory, connection: &AcceptedConnection<Rc<Server>>) -> bool {
    let called = match values(env, records, connection) {
        Ok((function, arguments)) => make_callback(env, None, function, arguments[0], &arguments),
        Err(_) => Outcome::EnvironmentEnding,
    };
    match called {
        Outcome::Returned(_) => true,
        Outcome::Threw(error) => {
            // An error means that the environment is ending.
            let _ = report_uncaught(env, error);
            true
        }
        Outcome::EnvironmentEnding => false,
    }
}

/// The function to call, and its arguments.
fn values(
    env: Env,
    records: &RecordMemory,
    connection: &AcceptedConnection<Rc<Server>>,
) -> Result<(sys::napi_value, [sys::napi_value; 5])> {
    let server = &connection.server;
    let (head, detail, rest) = match &connection.request {
        Request::Upgrade { length, fields } => {
            let words = |field: &Field| [field.name(), field.value()].map(|range| [range.start, range.end]);
            records.array.with(|memory| write_numbers(memory, fields.iter().map(words)));
            let (head, rest) = connection.bytes.split_at(*length);
            (env.create_string_latin1(head)?.raw(), fields.len() as u32, rest)
        }
        Request::Fallback(reason) => (undefined(env)?, number_of(*reason), &*connection.bytes),
    };
    let (number, detail) = (uint32(env, connection.number)?, uint32(env, detail)?);
    let rest = if rest.is_empty() { undefined(env)? } else { BufferSlice::copy_from(&env, rest)?.raw() };
    Ok((server.arrived.value()?, [server.owner.value()?, number, head, detail, rest]))
}
