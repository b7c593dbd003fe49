//! A connection that has not said yet what it wants: reads it, and keeps what has come of its head. Which there are is in
//! `arrivals`.

use std::io::{ErrorKind, Read};

use socket2::Socket;

use crate::protocol::handshake::{Field, Verdict, parse_request};

/// A connection that has said what it wants, or never will. The owner finds it under its number.
#[derive(Debug)]
pub struct AcceptedConnection<S> {
    /// Who listens.
    pub server: S,
    /// The number of the connection.
    pub number: u32,
    /// What it wants.
    pub request: Request,
    /// All that was read.
    pub bytes: Box<[u8]>,
}

/// What a connection wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// An upgrade to WebSocket. The request is the beginning of what was read.
    Upgrade {
        /// Bytes of the request.
        length: usize,
        /// Its header fields.
        fields: Box<[Field]>,
    },
    /// Anything else: for somebody who speaks HTTP.
    Fallback(FallbackReason),
}

/// Why a connection is put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FallbackReason {
    /// What was read is no request to upgrade, or none that is plain.
    NotUpgrade,
    /// The peer has ended in the middle of it.
    Ended,
    /// It has taken too long.
    TimedOut,
    /// The listening socket has been closed.
    ListenerClosed,
}

/// What one look at a connection gave.
pub(super) enum Looked {
    /// It is not known yet.
    Incomplete,
    /// It has ended without a word, or failed: nobody need know.
    Gone,
    /// It has said what it wants, with all that was read.
    Said(Request, Box<[u8]>),
}

#[derive(Debug)]
pub(super) struct Pending {
    /// What has come of the head.
    pub(super) kept: Box<[u8]>,
    /// Start of the head's time limit, in milliseconds of the owner's clock: as with Node's parser, when it was accepted, and
    /// again when its first byte came.
    pub(super) since: u32,
    /// The number of the listening socket.
    pub(super) listening: u32,
}

impl Pending {
    pub(super) fn new(since: u32, listening: u32) -> Self {
        Self { kept: Box::default(), since, listening }
    }

    /// Reads what is there, by way of `buffer`, which must be longer than the longest head.
    pub(super) fn look(
        &mut self,
        mut socket: &Socket,
        now: u32,
        limit: usize,
        buffer: &mut [u8],
        fields: &mut Vec<Field>,
    ) -> Looked {
        let mut length = self.kept.len();
        let (begun, _) = buffer.split_at_mut(length);
        begun.copy_from_slice(&self.kept);
        loop {
            match socket.read(&mut buffer[length..]) {
                Ok(0) if length == 0 => return Looked::Gone,
                Ok(0) => {
                    return Looked::Said(Request::Fallback(FallbackReason::Ended), buffer[..length].into());
                }
                Ok(more) => length += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return Looked::Gone,
            }
            // An end is told only once: if there is none, that must be seen here.
            let what = match parse_request(&buffer[..length], limit, fields) {
                Verdict::Incomplete => continue,
                Verdict::Upgrade { length, .. } => {
                    Request::Upgrade { length, fields: fields.as_slice().into() }
                }
                Verdict::Aside => Request::Fallback(FallbackReason::NotUpgrade),
            };
            return Looked::Said(what, buffer[..length].into());
        }
        if length > self.kept.len() {
            if self.kept.is_empty() {
                self.since = now;
            }
            self.kept = buffer[..length].into();
        }
        Looked::Incomplete
    }
}
