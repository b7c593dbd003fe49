//! Reads the request of one pending connection and keeps the received part of its head. `listeners` holds the
//! connections.

use std::io::{ErrorKind, Read};

use socket2::Socket;

use crate::protocol::handshake::{Field, RequestHead, parse_upgrade_request};

/// A connection whose request is known, or never will be. The owner takes it by its number.
#[derive(Debug)]
pub struct AcceptedConnection<S> {
    /// The server of the listening socket.
    pub server: S,
    /// The number of the connection.
    pub number: u32,
    /// Its request.
    pub request: Request,
    /// All bytes that were read.
    pub bytes: Box<[u8]>,
}

/// The request of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// An upgrade to WebSocket, at the beginning of the bytes that were read.
    Upgrade {
        /// Bytes of the request.
        length: usize,
        /// Its header fields.
        fields: Box<[Field]>,
    },
    /// Anything else, for a fallback that speaks HTTP.
    Fallback(FallbackReason),
}

/// The reason why a connection falls back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FallbackReason {
    /// The bytes are no plain request to upgrade, or were not read.
    NotUpgrade,
    /// The peer has closed its side within the request.
    Ended,
    /// The request has taken too long.
    TimedOut,
    /// The listening socket was closed.
    ListenerClosed,
}

/// The outcome of reading a pending connection.
pub(super) enum ReadOutcome {
    /// More bytes are needed.
    Incomplete,
    /// The peer has closed without sending a byte, or the connection failed.
    Closed,
    /// The request is known. Has all bytes that were read.
    Complete(Request, Box<[u8]>),
}

/// The state of a pending connection.
#[derive(Debug)]
pub(super) struct RequestReader {
    /// The received part of the head.
    received: Box<[u8]>,
    /// Start of the time limit of the head, in milliseconds of the owner's clock. As with Node's parser it is
    /// the time of the accept, and then that of the first byte.
    started_at: u32,
    /// The number of the listening socket.
    pub(super) listener: u32,
}

impl RequestReader {
    pub(super) fn new(now: u32, listener: u32) -> Self {
        Self { received: Box::default(), started_at: now, listener }
    }

    /// True if no byte has been received.
    pub(super) fn is_empty(&self) -> bool {
        self.received.is_empty()
    }

    /// True if the head has taken `limit` milliseconds or longer.
    pub(super) fn is_late(&self, now: u32, limit: u32) -> bool {
        now.wrapping_sub(self.started_at) >= limit
    }

    /// The received part of the head.
    pub(super) fn into_received(self) -> Box<[u8]> {
        self.received
    }

    /// Reads the bytes that the kernel has, by way of `buffer`, which must be longer than the longest head.
    /// `limit`: bytes of the longest head; `fields`: memory for its fields.
    pub(super) fn read(
        &mut self,
        mut socket: &Socket,
        now: u32,
        limit: usize,
        buffer: &mut [u8],
        fields: &mut Vec<Field>,
    ) -> ReadOutcome {
        debug_assert!(buffer.len() > limit, "an incomplete head leaves room to read");
        let mut length = self.received.len();
        let (front, _) = buffer.split_at_mut(length);
        front.copy_from_slice(&self.received);
        loop {
            match socket.read(&mut buffer[length..]) {
                Ok(0) if length == 0 => return ReadOutcome::Closed,
                Ok(0) => {
                    let request = Request::Fallback(FallbackReason::Ended);
                    return ReadOutcome::Complete(request, buffer[..length].into());
                }
                Ok(more) => length += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return ReadOutcome::Closed,
            }
            let request = match parse_upgrade_request(&buffer[..length], limit, fields) {
                // Reads on until the kernel has no more: the poller reports the end of the peer only once.
                RequestHead::Incomplete => continue,
                RequestHead::Upgrade { length, .. } => {
                    Request::Upgrade { length, fields: fields.as_slice().into() }
                }
                RequestHead::Fallback => Request::Fallback(FallbackReason::NotUpgrade),
            };
            return ReadOutcome::Complete(request, buffer[..length].into());
        }
        if length > self.received.len() {
            if self.received.is_empty() {
                self.started_at = now;
            }
            self.received = buffer[..length].into();
        }
        ReadOutcome::Incomplete
    }
}
