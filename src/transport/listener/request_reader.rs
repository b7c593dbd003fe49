//! Reads the request of one pending connection and keeps the received part of its head. `listeners` holds the
//! connections.

use std::io::{ErrorKind, Read};

use socket2::Socket;

use crate::protocol::handshake::{Field, RequestHead, Tail, parse_upgrade_request};

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

/// The reason why a connection falls back. JavaScript gets the number (`Listener.listen`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum FallbackReason {
    /// The bytes are no plain request to upgrade, or were not read.
    NotUpgrade = 1,
    /// The peer has closed its side within the request.
    Ended = 2,
    /// The request has taken too long.
    TimedOut = 3,
    /// The listening socket was closed.
    ListenerClosed = 4,
    /// The bytes follow an answered request, and were not parsed.
    Kept = 5,
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
    /// The received part of the head, if any.
    head: Option<Box<PartialHead>>,
    /// Start of the time limit of the head, in milliseconds of the owner's clock. As with Node's parser it is
    /// the time of the accept, and then that of the first byte.
    started_at: u32,
    /// The number of the listening socket.
    pub(super) listener: u32,
    /// True if an earlier request was answered: the owner gets the next bytes unparsed.
    is_kept: bool,
}

/// The received part of a head.
#[derive(Debug, Default)]
struct PartialHead {
    bytes: Vec<u8>,
    tail: Tail,
}

impl RequestReader {
    /// A reader for a connection accepted now.
    pub(super) fn new(now: u32, listener: u32) -> Self {
        Self { head: None, started_at: now, listener, is_kept: false }
    }

    /// A reader for a connection whose last request was answered now.
    pub(super) fn kept(now: u32, listener: u32) -> Self {
        Self { is_kept: true, ..Self::new(now, listener) }
    }

    /// True if no byte has been received, on a connection without an earlier request.
    pub(super) fn is_empty(&self) -> bool {
        self.head.is_none() && !self.is_kept
    }

    /// True if an earlier request was answered.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// True if an earlier request was answered, and no byte has been received since.
    pub(super) fn is_silent_since_response(&self) -> bool {
        self.is_kept && self.head.is_none()
    }

    /// Milliseconds since the time limit started.
    pub(super) fn elapsed(&self, now: u32) -> u32 {
        now.wrapping_sub(self.started_at)
    }

    /// The received part of the head.
    pub(super) fn into_received(self) -> Box<[u8]> {
        self.head.map_or_else(Box::default, |head| head.bytes.into())
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
        let mut head = self.head.take().unwrap_or_default();
        // The bytes of `head` are copied in front of the new ones when they have to be parsed together.
        let (known, mut is_joined) = (head.bytes.len(), head.bytes.is_empty());
        let mut length = known;
        let mut join = |head: &PartialHead, buffer: &mut [u8]| {
            if !is_joined {
                buffer[..known].copy_from_slice(&head.bytes);
                is_joined = true;
            }
        };
        loop {
            let more = match socket.read(&mut buffer[length..]) {
                Ok(0) if length == 0 => return ReadOutcome::Closed,
                Ok(0) => {
                    join(&head, buffer);
                    let request = Request::Fallback(FallbackReason::Ended);
                    return ReadOutcome::Complete(request, buffer[..length].into());
                }
                Ok(more) => length..length + more,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return ReadOutcome::Closed,
            };
            length = more.end;
            if length < limit && head.tail.extends_with(&buffer[more]) {
                continue;
            }
            join(&head, buffer);
            if self.is_kept {
                let request = Request::Fallback(FallbackReason::Kept);
                return ReadOutcome::Complete(request, buffer[..length].into());
            }
            let request = match parse_upgrade_request(&buffer[..length], limit, fields) {
                // Reads on until the kernel has no more: the poller reports the end of the peer only once.
                RequestHead::Incomplete => {
                    head.tail = Tail::of(&buffer[..length]);
                    continue;
                }
                RequestHead::Upgrade { length, .. } => {
                    Request::Upgrade { length, fields: fields.as_slice().into() }
                }
                RequestHead::Fallback => Request::Fallback(FallbackReason::NotUpgrade),
            };
            return ReadOutcome::Complete(request, buffer[..length].into());
        }
        if length > 0 {
            if known == 0 {
                self.started_at = now;
            }
            head.bytes.extend_from_slice(&buffer[known..length]);
            self.head = Some(head);
        }
        ReadOutcome::Incomplete
    }
}
