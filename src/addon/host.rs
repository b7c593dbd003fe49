//! Memory and keys that an environment lends to its event loop. How the event loop reaches Node-API and libuv is in `sockets`.

use std::cell::RefCell;
use std::rc::Rc;

use napi::{Env, Error, Result, sys};

use super::records::RecordMemory;
use super::sockets::NodeLoop;
use super::sys::{Reference, SharedArray};
use crate::transport::RandomKeys;
use crate::transport::event_loop::{ARENA_SIZE, EventLoop};
use crate::transport::transports::{Backend, Transport};

/// A transport of an environment.
pub(super) type SharedTransport = Rc<RefCell<Transport<Reference>>>;

/// The host of an environment's event loop. Lives on the environment's thread.
pub(super) struct NodeHost {
    pub(super) env: Env,
    pub(super) records: RecordMemory,
    /// Memory that sockets with large messages are read into.
    pub(super) arena: SharedArray,
    pub(super) keys: RefCell<RandomKeys>,
    pub(super) node_loop: NodeLoop,
}

impl NodeHost {
    /// `deliver` is called with the events of connections.
    ///
    /// # Errors
    /// If the system has no randomness for masking keys, or the environment is ending.
    pub(super) fn new(env: Env, deliver: sys::napi_value) -> Result<Self> {
        let keys = RandomKeys::new().map_err(|error| Error::from_reason(error.to_string()))?;
        Ok(Self {
            env,
            records: RecordMemory::new(env)?,
            arena: SharedArray::new(env, ARENA_SIZE)?,
            keys: RefCell::new(keys),
            node_loop: NodeLoop::new(env, deliver)?,
        })
    }
}

/// Writes the next batch of records of a transport. Returns their number; 0 if there are none.
pub(super) fn next_records(event_loop: &EventLoop<NodeHost>, transport: &mut Transport<Reference>) -> u32 {
    match transport.backend() {
        Backend::Stream(stream) => {
            let count = if stream.events.is_empty() {
                0
            } else {
                event_loop.host().records.write(|writer| writer.take_events(&mut stream.events))
            };
            event_loop.transports().event_memory().reclaim(&mut stream.events);
            count
        }
        _ => transport.next_batch(event_loop),
    }
}
