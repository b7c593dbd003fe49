//! The listening sockets of an owner, and their connections until the owner takes them. Called on the owner's
//! thread, by its event loop, with its clock and its receive buffer.

use std::io;
use std::mem::{self, MaybeUninit};
use std::net::SocketAddr;

use socket2::Socket;

use super::accept::{Accept, ReserveFd, accept};
use super::bind::ListeningSocket;
use super::request_reader::{AcceptedConnection, FallbackReason, ReadOutcome, Request, RequestReader};
use crate::protocol::handshake::{Field, MAX_HEAD_LENGTH};
use crate::transport::event_loop::Poller;
use crate::transport::slab::Slab;
use crate::transport::socket::local_and_peer_addr;

/// Connections that one listening socket accepts per turn of the loop; other sockets come next.
const ACCEPTS_PER_TURN: usize = 64;

/// Set in the poller tokens of listeners, and not in those of sockets.
const TOKEN_FLAG: u64 = 1 << (usize::BITS - 1);

type Accepted<S> = Vec<AcceptedConnection<S>>;

/// The end of pending connections when their listening socket closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingOnClose {
    /// They are closed.
    Discard,
    /// They fall back.
    FallBack,
}

/// The listening sockets of one owner and their connections, in one table of numbers. `S` names the server of
/// a listening socket.
#[derive(Debug)]
pub struct Listeners<S> {
    entries: Slab<Entry<S>>,
    connection_count: usize,
    /// Listening sockets that may have more connections to accept than the last turn had time for.
    unfinished: Vec<u32>,
    reserve: ReserveFd,
    /// Memory for the fields of a request.
    fields: Vec<Field>,
}

#[derive(Debug)]
enum Entry<S> {
    Listener(Box<Listener<S>>),
    Connection(Connection),
}

#[derive(Debug)]
struct Connection {
    socket: Socket,
    /// True if the poller has the descriptor.
    is_watched: bool,
    /// `None` once accepted.
    reader: Option<RequestReader>,
}

#[derive(Debug)]
struct Listener<S> {
    socket: ListeningSocket,
    server: S,
    /// Bytes of the longest head.
    max_head_length: usize,
    /// The last attempt to accept failed.
    has_failed: bool,
    /// New connections fall back unread.
    falls_back: bool,
}

/// The resources of an owner for one turn of its loop.
#[derive(Debug)]
pub struct PollContext<'a, S> {
    /// The owner's poller.
    pub poller: &'a Poller,
    /// Milliseconds of the owner's clock, which may wrap around.
    pub now: u32,
    /// Receive buffer, longer than the longest head.
    pub buffer: &'a mut [u8],
    /// Collects accepted connections.
    pub accepted: &'a mut Accepted<S>,
}

impl<S> Default for Listeners<S> {
    fn default() -> Self {
        Self {
            entries: Slab::default(),
            connection_count: 0,
            unfinished: Vec::new(),
            reserve: ReserveFd::default(),
            fields: Vec::new(),
        }
    }
}

impl<S: Clone> Listeners<S> {
    /// True if a poller token belongs here, and not to a socket.
    pub fn is_token(token: u64) -> bool {
        token & TOKEN_FLAG != 0
    }

    /// Adds a listening socket and returns its number. Heads of its connections have at most `limit` bytes.
    ///
    /// # Errors
    /// If the poller refuses it.
    pub fn listen(
        &mut self,
        poller: &Poller,
        socket: ListeningSocket,
        server: S,
        limit: usize,
    ) -> io::Result<u32> {
        let number = self.entries.vacant_key() as u32;
        poller.watch(&socket, TOKEN_FLAG | u64::from(number))?;
        self.reserve.refill();
        self.entries.insert(Entry::Listener(Box::new(Listener {
            socket,
            server,
            max_head_length: limit.min(MAX_HEAD_LENGTH),
            has_failed: false,
            falls_back: false,
        })));
        Ok(number)
    }

    /// The address of a listening socket. `None` unless over TCP.
    pub fn local_addr(&self, number: u32) -> Option<SocketAddr> {
        self.listener(number)?.socket.local_addr()
    }

    /// Closes a listening socket; its accepted connections stay. Returns the number of connections that fall
    /// back.
    pub fn close(&mut self, number: u32, pending: PendingOnClose, accepted: &mut Accepted<S>) -> usize {
        if self.listener(number).is_none() {
            return 0;
        }
        let before = accepted.len();
        for connection in self.pending_where(|reader| reader.listener == number) {
            match pending {
                PendingOnClose::Discard => self.discard(connection),
                PendingOnClose::FallBack => {
                    self.fall_back(connection, FallbackReason::ListenerClosed, accepted);
                }
            }
        }
        self.unfinished.retain(|unfinished| *unfinished != number);
        self.entries.remove(number as usize);
        accepted.len() - before
    }

    /// The number and server of the listening socket that a token belongs to. `None` for a connection's
    /// token.
    pub fn listener_for(&self, token: u64) -> Option<(u32, S)> {
        let number = (token & !TOKEN_FLAG) as u32;
        self.listener(number).map(|listener| (number, listener.server.clone()))
    }

    /// Changes the backlog of a listening socket.
    ///
    /// # Errors
    /// Those of `listen(2)`.
    pub fn set_backlog(&self, number: u32, backlog: i32) -> io::Result<()> {
        self.listener(number).map_or(Ok(()), |listener| listener.socket.set_backlog(backlog))
    }

    /// Sets whether new connections of a listening socket fall back without being read.
    pub fn set_fall_back(&mut self, number: u32, falls_back: bool) {
        if let Some(Entry::Listener(listener)) = self.entries.get_mut(number as usize) {
            listener.falls_back = falls_back;
        }
    }

    /// Closes the pending connections of a listening socket.
    pub fn discard_pending(&mut self, number: u32) {
        for connection in self.pending_where(|reader| reader.listener == number) {
            self.discard(connection);
        }
    }

    /// The pending connections of a listening socket from which no byte has come, without those that wait for
    /// another request.
    pub fn without_input(&self, number: u32) -> Vec<u32> {
        self.pending_where(|reader| reader.listener == number && reader.is_empty())
    }

    /// Connections of a listening socket that have not sent anything since their last response.
    pub fn kept_without_input(&self, number: u32) -> Vec<u32> {
        self.pending_where(|reader| reader.listener == number && reader.is_silent_since_response())
    }

    /// Handles a readiness event: accepts connections, or reads a pending one.
    pub fn on_ready(&mut self, token: u64, context: &mut PollContext<'_, S>) {
        debug_assert!(Self::is_token(token), "the token of a socket");
        let number = (token & !TOKEN_FLAG) as u32;
        match self.entries.get(number as usize) {
            Some(Entry::Listener(_)) => self.accept_some(number, context),
            Some(Entry::Connection(_)) => self.read_request(number, context),
            None => {}
        }
    }

    /// True if [`Listeners::resume_accepting`] has work.
    pub fn has_more_to_accept(&self) -> bool {
        !self.unfinished.is_empty()
    }

    /// Accepts connections that an earlier turn had no time for.
    pub fn resume_accepting(&mut self, context: &mut PollContext<'_, S>) {
        for number in mem::take(&mut self.unfinished) {
            self.accept_some(number, context);
        }
    }

    /// Makes connections of a listening socket fall back that have been pending for `limit` milliseconds, and
    /// schedules another attempt to accept if the last one failed. To be called periodically.
    pub fn check_timeouts(&mut self, number: u32, now: u32, limit: u32, accepted: &mut Accepted<S>) {
        let is_late = |reader: &RequestReader| {
            reader.listener == number && !reader.is_kept() && reader.elapsed(now) >= limit
        };
        for connection in self.pending_where(is_late) {
            self.fall_back(connection, FallbackReason::TimedOut, accepted);
        }
        if self.listener(number).is_some_and(|listener| listener.has_failed) {
            push_once(&mut self.unfinished, number);
        }
    }

    /// The number of pending connections of a listening socket.
    pub fn pending_count(&self, number: u32) -> usize {
        self.pending_where(|reader| reader.listener == number).len()
    }

    /// The number of connections, pending or accepted.
    pub fn connection_count(&self) -> usize {
        self.connection_count
    }

    /// Removes a connection. Returns its socket, which is non-blocking, and true if the poller still has the
    /// descriptor.
    pub fn take(&mut self, number: u32) -> Option<(Socket, bool)> {
        self.connection(number)?;
        debug_assert!(self.connection_count > 0, "every connection is counted");
        self.connection_count -= 1;
        match self.entries.remove(number as usize)? {
            Entry::Connection(Connection { socket, is_watched, .. }) => Some((socket, is_watched)),
            Entry::Listener(_) => None,
        }
    }

    /// Removes a connection from here and from the poller, and returns its socket.
    pub fn release(&mut self, poller: &Poller, number: u32) -> Option<Socket> {
        let (socket, is_watched) = self.take(number)?;
        if is_watched {
            poller.remove_fd(&socket);
        }
        Some(socket)
    }

    /// Writes a response to an accepted connection of a listening socket. Once all of it is written, the
    /// connection is closed, or with `keep` pending again, until its next bytes or
    /// [`Listeners::close_kept`]. Returns the number of bytes written: the connection stays accepted if it
    /// is less than all. `None` if one of them is gone.
    pub fn answer(
        &mut self,
        number: u32,
        listener: u32,
        response: &[u8],
        keep: bool,
        context: &mut PollContext<'_, S>,
    ) -> Option<usize> {
        self.listener(listener)?;
        let Some(written) = self.write(number, response) else {
            // The peer has reset the connection.
            self.accepted(number)?;
            self.discard(number);
            return Some(response.len());
        };
        if written == response.len() {
            if keep {
                self.accepted(number)?.reader = Some(RequestReader::kept(context.now, listener));
                self.read_and_watch(number, context);
            } else {
                self.discard(number);
            }
        }
        Some(written)
    }

    /// Writes bytes to an accepted connection. Returns the number of bytes written; `None` if there is no
    /// such connection, or it has failed.
    pub fn write(&mut self, number: u32, bytes: &[u8]) -> Option<usize> {
        let connection = self.accepted(number)?;
        loop {
            match connection.socket.send(bytes) {
                Ok(written) => return Some(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Some(0),
                Err(_) => return None,
            }
        }
    }

    /// Closes the connections of a listening socket that have been silent for `limit` milliseconds since
    /// their last response. Returns the milliseconds until the next one is due; `None` if there is none.
    pub fn close_kept(&mut self, number: u32, now: u32, limit: u32) -> Option<u32> {
        let mut next = None;
        let mut is_due = |reader: &RequestReader| {
            let is_kept = reader.listener == number && reader.is_kept();
            let left = limit.saturating_sub(reader.elapsed(now));
            if is_kept && left > 0 {
                next = Some(next.map_or(left, |next: u32| next.min(left)));
            }
            is_kept && left == 0
        };
        for connection in self.pending_where(&mut is_due) {
            self.discard(connection);
        }
        next
    }

    /// Closes a connection.
    pub fn discard(&mut self, number: u32) {
        drop(self.take(number));
    }

    /// True if a connection has bytes to read or may receive some: its peer has not closed its side, and it
    /// has not failed.
    pub fn is_open(&self, number: u32) -> bool {
        let Some(Entry::Connection(connection)) = self.entries.get(number as usize) else { return false };
        let mut byte = [MaybeUninit::uninit()];
        match connection.socket.peek(&mut byte) {
            Ok(length) => length > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    /// The local and the peer address of a connection. `None` unless over TCP.
    pub fn local_and_peer_addr(&self, number: u32) -> (Option<SocketAddr>, Option<SocketAddr>) {
        match self.entries.get(number as usize) {
            Some(Entry::Connection(connection)) => local_and_peer_addr(&connection.socket),
            _ => (None, None),
        }
    }

    fn listener(&self, number: u32) -> Option<&Listener<S>> {
        match self.entries.get(number as usize)? {
            Entry::Listener(listener) => Some(listener),
            Entry::Connection(_) => None,
        }
    }

    fn connection(&mut self, number: u32) -> Option<&mut Connection> {
        match self.entries.get_mut(number as usize)? {
            Entry::Listener(_) => None,
            Entry::Connection(connection) => Some(connection),
        }
    }

    /// A connection that is not pending.
    fn accepted(&mut self, number: u32) -> Option<&mut Connection> {
        self.connection(number).filter(|connection| connection.reader.is_none())
    }

    /// The numbers of the pending connections that meet a condition.
    fn pending_where(&self, mut condition: impl FnMut(&RequestReader) -> bool) -> Vec<u32> {
        let mut matches = |entry: &Entry<S>| match entry {
            Entry::Connection(Connection { reader: Some(reader), .. }) => condition(reader),
            _ => false,
        };
        let found = self.entries.iter_with_keys().filter(|(_, entry)| matches(entry));
        found.map(|(number, _)| number as u32).collect()
    }

    fn accept_some(&mut self, number: u32, context: &mut PollContext<'_, S>) {
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(Entry::Listener(listener)) = self.entries.get_mut(number as usize) else { return };
            let outcome = accept(&listener.socket, &mut self.reserve);
            listener.has_failed = matches!(outcome, Accept::Failed);
            match outcome {
                Accept::Connection(socket) => self.add_connection(socket, number, context),
                Accept::Dropped => break,
                Accept::WouldBlock | Accept::Failed => return,
            }
        }
        push_once(&mut self.unfinished, number);
    }

    /// Adds a connection and reads it at once. Under load its request has come already, and the poller need
    /// not watch it.
    fn add_connection(&mut self, socket: Socket, listener: u32, context: &mut PollContext<'_, S>) {
        let reader = Some(RequestReader::new(context.now, listener));
        let entry = Entry::Connection(Connection { socket, is_watched: false, reader });
        let number = self.entries.insert(entry) as u32;
        self.connection_count += 1;
        if self.listener(listener).is_some_and(|listener| listener.falls_back) {
            self.fall_back(number, FallbackReason::NotUpgrade, context.accepted);
            return;
        }
        self.read_and_watch(number, context);
    }

    /// Reads a pending connection, and makes the poller watch it if it stays pending.
    fn read_and_watch(&mut self, number: u32, context: &mut PollContext<'_, S>) {
        self.read_request(number, context);
        let Some(connection) = self
            .connection(number)
            .filter(|connection| connection.reader.is_some() && !connection.is_watched)
        else {
            return;
        };
        // The poller reports bytes that have come since the read.
        connection.is_watched =
            context.poller.watch(&connection.socket, TOKEN_FLAG | u64::from(number)).is_ok();
        if !connection.is_watched {
            self.discard(number);
        }
    }

    /// Reads a pending connection. An accepted one is left alone: its next reader finds the bytes.
    fn read_request(&mut self, number: u32, context: &mut PollContext<'_, S>) {
        let reader = self.connection(number).and_then(|connection| connection.reader.as_ref());
        let Some(listener) = reader.map(|reader| reader.listener) else { return };
        let Some(limit) = self.listener(listener).map(|listener| listener.max_head_length) else { return };
        let Self { entries, fields, .. } = self;
        let Some(Entry::Connection(Connection { socket, reader: Some(reader), .. })) =
            entries.get_mut(number as usize)
        else {
            return;
        };
        match reader.read(socket, context.now, limit, context.buffer, fields) {
            ReadOutcome::Incomplete => {}
            ReadOutcome::Closed => self.discard(number),
            ReadOutcome::Complete(request, bytes) => {
                self.report(number, request, Some(bytes), context.accepted);
            }
        }
    }

    /// Gives up reading a request: the connection falls back.
    fn fall_back(&mut self, number: u32, reason: FallbackReason, accepted: &mut Accepted<S>) {
        self.report(number, Request::Fallback(reason), None, accepted);
    }

    /// Turns a pending connection into an accepted one. `bytes`: all that were read, or `None` for those that
    /// the reader keeps.
    fn report(
        &mut self,
        number: u32,
        request: Request,
        bytes: Option<Box<[u8]>>,
        accepted: &mut Accepted<S>,
    ) {
        let Some(reader) = self.connection(number).and_then(|connection| connection.reader.take()) else {
            return;
        };
        let Some(listener) = self.listener(reader.listener) else { return };
        let server = listener.server.clone();
        let bytes = bytes.unwrap_or_else(|| reader.into_received());
        accepted.push(AcceptedConnection { server, number, request, bytes });
    }
}

fn push_once(numbers: &mut Vec<u32>, number: u32) {
    if !numbers.contains(&number) {
        numbers.push(number);
    }
}

const _: () = assert!(size_of::<Option<Entry<u64>>>() <= 32);

#[cfg(test)]
impl<S> Listeners<S> {
    /// Closes the descriptor in reserve, as if it could not be opened again.
    pub(super) fn close_reserve(&mut self) {
        self.reserve = ReserveFd::default();
    }
}
