//! Memory and keys that an environment lends to its event loop. Made by `context`. The event loop's access to Node-API and libuv
//! belongs to `sockets`.

use std::cell::{OnceCell, RefCell};
use std::iter;
use std::rc::Rc;
use std::time::Instant;

use napi::{Env, Result, sys};

use super::compression_jobs::Compression;
use super::payload::{flag, message};
use super::sockets::Consumer;
use super::sys::{Reference, SharedArray, failed};
use crate::connection::MaskingKeys;
use crate::protocol::MaskingKey;
use crate::transport::RandomKeys;
use crate::transport::event_loop::{ARENA_SIZE, EventLoop};
use crate::transport::records::{RecordExtras, RecordWriter, SHARED_LENGTH, send_area, write_batch};
use crate::transport::send_queue;
use crate::transport::transports::Transport;

/// Bytes of the receive buffer: as many as Node suggests to the allocator of a read.
const RECEIVE_BUFFER_SIZE: usize = 64 * 1024;

/// A transport of an environment.
pub(super) type SharedTransport = Rc<RefCell<Transport<Reference>>>;

/// The memory of an environment's records: the `ArrayBuffer` that the shim reads, and the extras.
pub(super) struct RecordMemory {
    pub(super) array: SharedArray,
    pub(super) extras: RefCell<RecordExtras>,
}

impl RecordMemory {
    /// Writes one batch and returns the number of its records. `fill` returns `true` if events remain for
    /// another batch.
    pub(super) fn write(&self, fill: impl FnOnce(&mut RecordWriter<'_>) -> bool) -> u32 {
        let mut extras = self.extras.borrow_mut();
        self.array.with(|memory| write_batch(memory, &mut extras, fill))
    }

    /// Runs `read` on the first `length` bytes of the send area.
    pub(super) fn with_send_area<R>(&self, length: usize, read: impl FnOnce(&[u8]) -> R) -> R {
        let bytes = self.array.with(|memory| send_area(memory));
        read(bytes.get(..length).unwrap_or_default())
    }
}

/// The host of an environment's event loop. Lives on the environment's thread.
pub(super) struct NodeHost {
    pub(super) env: Env,
    pub(super) records: RecordMemory,
    /// Small messages that the shim has queued.
    pub(super) send_queue: SharedArray,
    pub(super) compression: Rc<Compression>,
    /// Memory that sockets with large messages are read into.
    pub(super) arena: SharedArray,
    /// Memory that handles of Node read into; made on first use.
    receive_buffer: OnceCell<SharedArray>,
    pub(super) keys: RefCell<RandomKeys>,
    pub(super) consumer: Consumer,
    /// The beginning of the clock.
    pub(super) begun: Instant,
}

impl NodeHost {
    /// `deliver` is called with the events of connections, `in_context` with those of connections whose async context was kept.
    ///
    /// # Errors
    /// If the system has no randomness for masking keys, or the environment is ending.
    pub(super) fn new(env: Env, deliver: sys::napi_value, in_context: sys::napi_value) -> Result<Self> {
        let keys = RandomKeys::new().map_err(failed)?;
        let array = SharedArray::new(env, SHARED_LENGTH)?;
        Ok(Self {
            env,
            records: RecordMemory { array, extras: RefCell::default() },
            send_queue: SharedArray::new(env, send_queue::LENGTH)?,
            compression: Rc::default(),
            arena: SharedArray::new(env, ARENA_SIZE)?,
            receive_buffer: OnceCell::new(),
            keys: RefCell::new(keys),
            consumer: Consumer::new(env, deliver, in_context)?,
            begun: Instant::now(),
        })
    }

    /// The memory that handles of Node read into, on this thread and never while the addon accesses it.
    ///
    /// # Errors
    /// If JavaScript has no memory for it.
    pub(super) fn receive_buffer(&self) -> Result<&SharedArray> {
        if let Some(buffer) = self.receive_buffer.get() {
            return Ok(buffer);
        }
        let buffer = SharedArray::new(self.env, RECEIVE_BUFFER_SIZE)?;
        Ok(self.receive_buffer.get_or_init(|| buffer))
    }
}

/// Sends the messages that the shim has queued, before anything that depends on them.
pub(super) fn send_queued(event_loop: &EventLoop<NodeHost>) {
    let host = event_loop.host();
    host.send_queue.with(|memory| {
        if send_queue::is_empty(memory) {
            return;
        }
        let mut entries = send_queue::take(memory);
        while let Some(id) = entries.next_id() {
            let messages = iter::from_fn(|| entries.next_of(id)).map(|entry| {
                let key = fresh_key(host, entry.flags);
                message(entry.flags, key, entry.payload)
            });
            match event_loop.transports().borrow().get(id as usize) {
                Some(transport) => {
                    transport.borrow_mut().send_small(event_loop, messages, &host.compression.broadcast);
                }
                None => messages.for_each(drop),
            }
        }
    });
}

/// A fresh masking key if the flags say so.
pub(super) fn fresh_key(host: &NodeHost, flags: u32) -> Option<MaskingKey> {
    (flags & flag::MASK != 0).then(|| host.keys.borrow_mut().next_key())
}

/// Writes the next batch of records of a transport. Returns their number; 0 if there are none.
pub(super) fn next_records(event_loop: &EventLoop<NodeHost>, transport: &mut Transport<Reference>) -> u32 {
    let Some(stream) = transport.stream() else { return transport.next_batch(event_loop) };
    let mut count = 0;
    if !stream.events.is_empty() {
        count = event_loop.host().records.write(|writer| writer.take_events(&mut stream.events));
    }
    event_loop.transports().event_memory().reclaim(&mut stream.events);
    count
}
