//! The stream transport: a Node Duplex carries the bytes (TLS, pipes, proxies' sockets, test duplexes, and
//! whatever cannot be taken over). The addon hands chunks in and takes output away; all of it happens on the
//! thread that owns the connection, so there is nothing to lock.

use crate::connection::{Connection, EventBatch, MaskingKeys};

/// A connection together with the events it has not handed over yet.
#[derive(Debug)]
pub struct Stream {
    /// The connection's state; commands go straight to it.
    pub connection: Connection,
    /// Events parsed and not yet delivered.
    pub events: EventBatch,
    bytes_read: u64,
    /// Swapped with the connection's output buffer; its contents are of no use.
    taken: Vec<u8>,
}

impl Stream {
    /// Wraps a connection that has neither read nor written yet.
    pub fn new(connection: Connection) -> Self {
        Self { connection, events: EventBatch::new(), bytes_read: 0, taken: Vec::new() }
    }

    /// Parses one chunk of received bytes; new events are appended to [`Stream::events`]. `keys` masks the
    /// automatic pongs of a client.
    pub fn receive(&mut self, chunk: &[u8], keys: &mut dyn MaskingKeys) {
        self.bytes_read += chunk.len() as u64;
        self.connection.receive(chunk, keys, &mut self.events);
    }

    /// Drops the queued output, after the caller has copied it from `connection.output()`.
    pub fn discard_output(&mut self) {
        self.connection.take_output(&mut self.taken);
    }

    /// Bytes received so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }
}
