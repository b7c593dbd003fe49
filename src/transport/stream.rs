//! The `stream` transport: a Node Duplex carries the bytes (TLS, pipes, proxies' sockets, test duplexes, and sockets
//! that cannot be adopted). The addon passes chunks in and takes output away, on the thread of the connection, so
//! there is nothing to lock.

use crate::connection::{Connection, EventBatch, MaskingKeys};
use crate::protocol::deflate::InflateJob;

/// A connection and its undelivered events.
#[derive(Debug)]
pub struct Stream {
    /// The connection; commands go straight to it.
    pub connection: Connection,
    /// Events parsed and not yet delivered.
    pub events: EventBatch,
    bytes_read: u64,
    /// Swapped with the connection's output buffer; always empty.
    spare: Vec<u8>,
}

/// Capacity that an output buffer keeps.
const KEPT_CAPACITY: usize = 64 * 1024;

impl Stream {
    /// A connection that has neither read nor written.
    pub fn new(connection: Connection) -> Self {
        Self { connection, events: EventBatch::new(), bytes_read: 0, spare: Vec::new() }
    }

    /// A connection that another transport has carried before: `bytes_read` bytes, and `events` that are not
    /// delivered.
    pub fn going_on(connection: Connection, events: EventBatch, bytes_read: u64) -> Self {
        Self { events, bytes_read, ..Self::new(connection) }
    }

    /// Parses one chunk of received bytes; new events are appended to [`Stream::events`]. `keys` masks the automatic
    /// pongs of a client.
    pub fn receive(&mut self, chunk: &[u8], keys: &mut dyn MaskingKeys) {
        self.bytes_read += chunk.len() as u64;
        self.connection.receive(chunk, keys, &mut self.events);
    }

    /// Returns a frame that another thread has inflated; new events are appended.
    pub fn finish_inflate_job(&mut self, job: InflateJob, keys: &mut dyn MaskingKeys) {
        self.connection.finish_inflate_job(job, keys, &mut self.events);
    }

    /// Drops queued output that the caller has copied from `connection.output()`. It counts as written, although the
    /// stream may still have it.
    pub fn discard_output(&mut self) {
        let length = self.connection.output().len() as u64;
        self.connection.mark_written(length);
        self.connection.take_output(&mut self.spare);
        self.spare.clear();
        self.spare.shrink_to(KEPT_CAPACITY);
    }

    /// Bytes received so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{Config, EventRef, TimeLimits};
    use crate::protocol::{Limits, MaskingKey, Role};

    struct NoKeys;

    impl MaskingKeys for NoKeys {
        fn next_key(&mut self) -> MaskingKey {
            panic!("a server masks nothing")
        }
    }

    fn server() -> Stream {
        let config = Config {
            role: Role::Server,
            limits: Limits::default(),
            auto_pong: true,
            skip_utf8_validation: false,
            time_limits: TimeLimits::default(),
            deflate: None,
        };
        Stream::new(Connection::new(config))
    }

    #[test]
    fn chunks_become_events_and_are_counted() {
        let mut stream = server();
        stream.receive(b"\x81\x82\0\0\0\0h", &mut NoKeys);
        assert!(stream.events.is_empty());
        stream.receive(b"i\x89\x80\0\0\0\0", &mut NoKeys);
        assert_eq!(stream.bytes_read(), 14);
        let message = EventRef::Message { binary: false, data: b"hi", fragments: &[] };
        assert_eq!(stream.events.peek(), Some(message));
        stream.events.advance();
        assert_eq!(stream.events.peek(), Some(EventRef::Ping { data: b"", answered: true }));
        assert_eq!(stream.connection.output(), b"\x8A\x00");
    }

    #[test]
    fn output_is_discarded_once_and_pending_until_then() {
        let mut stream = server();
        stream.connection.write_raw(b"first");
        assert_eq!(stream.connection.output(), b"first");
        stream.discard_output();
        assert_eq!(stream.connection.output(), b"");
        stream.connection.write_raw(b"second");
        assert_eq!(stream.connection.output(), b"second");
        assert_eq!(stream.connection.pending(), 6);
        stream.discard_output();
        assert_eq!(stream.connection.pending(), 0);
    }

    #[test]
    fn discarded_output_does_not_keep_its_memory() {
        let mut stream = server();
        for _ in 0..3 {
            stream.connection.write_raw(&vec![0; 4 * KEPT_CAPACITY]);
            stream.discard_output();
            assert!(stream.spare.capacity() <= KEPT_CAPACITY);
            assert!(stream.spare.is_empty());
        }
        let mut queue = Vec::new();
        stream.connection.take_output(&mut queue);
        assert!(queue.capacity() <= KEPT_CAPACITY);
    }
}
