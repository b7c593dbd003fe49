//! Accepted connections, passed to JavaScript: one call each. Called by `host`. Reads and writes no descriptor.

use std::rc::Rc;

use napi::bindgen_prelude::BufferSlice;
use napi::{Env, JsValue, Result, sys};

use crate::addon::host::RecordMemory;
use crate::addon::sys::{Reference, make_callback, undefined};
use crate::protocol::handshake::Field;
use crate::transport::listener::{AcceptedConnection, Request};
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

/// Passes a connection to JavaScript, in a callback scope of its own and in no async context. False if JavaScript could not be called.
pub(super) fn deliver(env: Env, records: &RecordMemory, connection: &AcceptedConnection<Rc<Server>>) -> bool {
    values(env, records, connection).is_ok_and(|(function, arguments)| {
        make_callback(env, None, function, arguments[0], &arguments).report(env).is_some()
    })
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
        Request::Fallback(reason) => (undefined(env)?, *reason as u32, &*connection.bytes),
    };
    let (number, detail) = (env.create_uint32(connection.number)?.raw(), env.create_uint32(detail)?.raw());
    let rest = if rest.is_empty() { undefined(env)? } else { BufferSlice::copy_from(&env, rest)?.raw() };
    Ok((server.arrived.value()?, [server.owner.value()?, number, head, detail, rest]))
}
