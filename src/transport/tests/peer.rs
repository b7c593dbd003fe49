//! The other end of a socket in tests: blocking, with a connection of its own for framing.

use std::io::{ErrorKind, Read, Write};

use super::{Event, OneKey, TIMEOUT, connection, key_of};
use crate::connection::{Connection, EventBatch};
use crate::protocol::Role;

pub(in crate::transport) struct Peer {
    pub(in crate::transport) stream: socket2::Socket,
    pub(in crate::transport) role: Role,
    core: Connection,
    events: EventBatch,
    buffer: Vec<u8>,
}

impl Peer {
    /// Does not answer pings.
    pub(in crate::transport) fn new(stream: socket2::Socket, role: Role) -> Self {
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        let core = connection(role, false);
        Self { stream, role, core, events: EventBatch::new(), buffer: vec![0; 32 * 1024] }
    }

    /// Another handle of the same stream: one may write while the other reads.
    pub(in crate::transport) fn second(&self) -> Self {
        Self::new(self.stream.try_clone().unwrap(), self.role)
    }

    /// Frames messages, pings and so on.
    pub(in crate::transport) fn framed(&self, command: impl FnOnce(&mut Connection)) -> Vec<u8> {
        let mut core = connection(self.role, false);
        command(&mut core);
        core.output().to_vec()
    }

    /// A frame with a whole binary message.
    pub(in crate::transport) fn binary_frame(&self, data: &[u8]) -> Vec<u8> {
        self.framed(|core| core.send(true, true, key_of(self.role), data))
    }

    pub(in crate::transport) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub(in crate::transport) fn send_text(&mut self, data: &str) {
        let frame = self.framed(|core| core.send(false, true, key_of(self.role), data.as_bytes()));
        self.write(&frame);
    }

    pub(in crate::transport) fn ping(&mut self, payload: &[u8]) {
        let frame = self.framed(|core| core.ping(key_of(self.role), payload));
        self.write(&frame);
    }

    /// Writes as much as the kernel accepts, which must be less than all.
    pub(in crate::transport) fn fill(&mut self, bytes: &[u8]) -> usize {
        self.stream.set_nonblocking(true).unwrap();
        let mut sent = 0;
        loop {
            assert!(sent < bytes.len(), "the kernel has taken everything");
            match self.stream.write(&bytes[sent..]) {
                Ok(length) => sent += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        self.stream.set_nonblocking(false).unwrap();
        sent
    }

    /// Reads once. False at the end of the stream.
    fn read(&mut self) -> bool {
        let length = self.stream.read(&mut self.buffer).unwrap();
        self.core.receive(&self.buffer[..length], &mut OneKey, &mut self.events);
        length > 0
    }

    /// The next event; `None` at the end of the stream.
    pub(in crate::transport) fn next_if_any(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.peek() {
                let event = event.into();
                self.events.advance();
                return Some(event);
            }
            if !self.read() {
                return None;
            }
        }
    }

    pub(in crate::transport) fn next(&mut self) -> Event {
        self.next_if_any().expect("an event before the end of the stream")
    }

    /// Reads and drops bytes until the stream has ended or was reset.
    pub(in crate::transport) fn wait_for_end(&mut self) {
        loop {
            match self.stream.read(&mut self.buffer) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return,
                Err(error) => panic!("{error}"),
            }
        }
    }
}
