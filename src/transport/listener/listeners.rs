//! The listening sockets of an owner, and the connections that came by them, until these belong to somebody else. Called on
//! the owner's thread, when its event loop says so, with its clock and its buffer.
//!
//! A connection is pending at first. When it has said what it wants, there is an [`AcceptedConnection`], and the connection is held, untouched,
//! until the owner takes it.

use std::mem;
use std::net::SocketAddr;

use socket2::Socket;

use super::accept::{Accepted, Spare, accept};
use super::bind::{ListeningSocket, is_open};
use super::request_reader::{AcceptedConnection, FallbackReason, Looked, Pending, Request};
use crate::protocol::handshake::{Field, MAX_HEAD};
use crate::transport::event_loop::Poller;
use crate::transport::slab::Slab;
use crate::transport::socket::local_and_peer_addr;

/// Connections that are accepted at a time; then others get their turn.
const ACCEPTS_PER_TURN: usize = 64;

/// What tells the tokens that are used here from those of sockets.
const MARK: u64 = 1 << (usize::BITS - 1);

/// What becomes of connections that are still pending when their listening socket closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingOnClose {
    /// They are closed, too.
    Discard,
    /// They are put aside.
    FallBack,
}

/// `S` says whose a listening socket is.
#[derive(Debug)]
pub struct Listeners<S> {
    entries: Slab<Entry<S>>,
    /// Connections among them.
    connections: usize,
    /// Listening sockets with more to accept than there was time for.
    unfinished: Vec<u32>,
    spare: Spare,
    /// Memory for the fields of a request.
    fields: Vec<Field>,
}

#[derive(Debug)]
enum Entry<S> {
    ListeningSocket(Box<Door<S>>),
    Connection(Connection),
}

#[derive(Debug)]
struct Connection {
    socket: Socket,
    /// Whether the poller knows it.
    is_watched: bool,
    /// Until it has said what it wants.
    pending: Option<Pending>,
}

/// A listening socket and what goes with it.
#[derive(Debug)]
struct Door<S> {
    listening: ListeningSocket,
    server: S,
    /// Bytes of the longest head.
    limit: usize,
    /// It could not be accepted from.
    is_stalled: bool,
    /// Whoever comes is put aside at once.
    falls_back: bool,
}

/// What there is to work with in one turn of the owner's loop.
#[derive(Debug)]
pub struct PollContext<'a, S> {
    /// The owner's poller.
    pub poller: &'a Poller,
    /// The owner's clock, in milliseconds. It may wrap around.
    pub now: u32,
    /// What is read into; longer than the longest head.
    pub buffer: &'a mut [u8],
    /// Where arrivals are put.
    pub accepted: &'a mut Vec<AcceptedConnection<S>>,
}

impl<S> Default for Listeners<S> {
    fn default() -> Self {
        Self {
            entries: Slab::default(),
            connections: 0,
            unfinished: Vec::new(),
            spare: Spare::default(),
            fields: Vec::new(),
        }
    }
}

impl<S: Clone> Listeners<S> {
    /// Whether a token is one of these, and not a socket's.
    pub fn is_token(token: u64) -> bool {
        token & MARK != 0
    }

    /// Takes in a listening socket, whose connections may have heads of `limit` bytes. Returns its number.
    ///
    /// # Errors
    /// When it can't be polled.
    pub fn listen(
        &mut self,
        poller: &Poller,
        listening: ListeningSocket,
        server: S,
        limit: usize,
    ) -> std::io::Result<u32> {
        let number = self.entries.vacant_key() as u32;
        poller.watch(&listening, MARK | u64::from(number))?;
        self.spare.keep();
        let limit = limit.min(MAX_HEAD);
        self.entries.insert(Entry::ListeningSocket(Box::new(Door {
            listening,
            server,
            limit,
            is_stalled: false,
            falls_back: false,
        })));
        Ok(number)
    }

    /// The address of a listening socket, where it is one of TCP.
    pub fn local_addr(&self, number: u32) -> Option<SocketAddr> {
        self.door(number)?.listening.local_addr()
    }

    /// Closes a listening socket. Connections that are held stay. Returns how many were put aside.
    pub fn close(
        &mut self,
        number: u32,
        closing: PendingOnClose,
        arrived: &mut Vec<AcceptedConnection<S>>,
    ) -> usize {
        if self.door(number).is_none() {
            return 0;
        }
        let before = arrived.len();
        for connection in self.pending(|pending| pending.listening == number) {
            match closing {
                PendingOnClose::Discard => self.discard(connection),
                PendingOnClose::FallBack => self.give_up(connection, FallbackReason::ListenerClosed, arrived),
            }
        }
        self.unfinished.retain(|unfinished| *unfinished != number);
        self.entries.remove(number as usize);
        arrived.len() - before
    }

    /// Whose listening socket a token is of, if it is one of a listening socket, and its number.
    pub fn listener_for(&self, token: u64) -> Option<(u32, S)> {
        let number = (token & !MARK) as u32;
        self.door(number).map(|door| (number, door.server.clone()))
    }

    /// Changes the backlog of a listening socket.
    ///
    /// # Errors
    /// Those of the system.
    pub fn set_backlog(&self, number: u32, backlog: i32) -> std::io::Result<()> {
        self.door(number).map_or(Ok(()), |door| door.listening.set_backlog(backlog))
    }

    /// Whether whoever comes from now on is put aside at once, with what he has to say unread.
    pub fn set_fall_back(&mut self, number: u32, falls_back: bool) {
        if let Some(Entry::ListeningSocket(door)) = self.entries.get_mut(number as usize) {
            door.falls_back = falls_back;
        }
    }

    /// Closes the connections of a listening socket that have not said what they want.
    pub fn discard_pending(&mut self, number: u32) {
        for connection in self.pending(|pending| pending.listening == number) {
            self.discard(connection);
        }
    }

    /// The connections of a listening socket of which nothing has come.
    pub fn without_input(&self, number: u32) -> Vec<u32> {
        self.pending(|pending| pending.listening == number && pending.kept.is_empty())
    }

    /// A token is ready: accepts, or reads.
    pub fn on_ready(&mut self, token: u64, turn: &mut PollContext<'_, S>) {
        let number = (token & !MARK) as u32;
        match self.entries.get(number as usize) {
            Some(Entry::ListeningSocket(_)) => self.accept(number, turn),
            Some(Entry::Connection(_)) => self.look(number, turn),
            None => {}
        }
    }

    /// Whether [`Listeners::resume_accepting`] has something to do.
    pub fn has_backlog(&self) -> bool {
        !self.unfinished.is_empty()
    }

    /// Accepts what there was no time for.
    pub fn resume_accepting(&mut self, turn: &mut PollContext<'_, S>) {
        for number in mem::take(&mut self.unfinished) {
            self.accept(number, turn);
        }
    }

    /// Puts the connections of a listening socket aside that have been pending for `limit` milliseconds, and lets
    /// [`Listeners::resume_accepting`] try again if it could not be accepted from. To be called at intervals.
    pub fn check_timeouts(
        &mut self,
        listening: u32,
        now: u32,
        limit: u32,
        arrived: &mut Vec<AcceptedConnection<S>>,
    ) {
        let is_late =
            |pending: &Pending| pending.listening == listening && now.wrapping_sub(pending.since) >= limit;
        for number in self.pending(is_late) {
            self.give_up(number, FallbackReason::TimedOut, arrived);
        }
        if self.door(listening).is_some_and(|door| door.is_stalled) {
            note(&mut self.unfinished, listening);
        }
    }

    /// The number of connections of a listening socket that have not said what they want.
    pub fn pending_count(&self, listening: u32) -> usize {
        self.pending(|pending| pending.listening == listening).len()
    }

    /// Connections that nobody has taken yet.
    pub fn connection_count(&self) -> usize {
        self.connections
    }

    /// Takes a connection, which does not block, and says whether the poller knows it.
    pub fn take(&mut self, number: u32) -> Option<(Socket, bool)> {
        self.connection(number)?;
        self.connections -= 1;
        match self.entries.remove(number as usize)? {
            Entry::Connection(Connection { socket, is_watched, .. }) => Some((socket, is_watched)),
            Entry::ListeningSocket(_) => None,
        }
    }

    /// Takes a connection that the poller is to know no longer.
    pub fn release(&mut self, poller: &Poller, number: u32) -> Option<Socket> {
        let (socket, is_watched) = self.take(number)?;
        if is_watched {
            poller.remove_fd(&socket);
        }
        Some(socket)
    }

    /// Closes a connection.
    pub fn discard(&mut self, number: u32) {
        drop(self.take(number));
    }

    /// Whether a connection that is held is there for bytes to come, or has some: neither its peer has ended, nor has it failed.
    pub fn is_open(&self, number: u32) -> bool {
        match self.entries.get(number as usize) {
            Some(Entry::Connection(connection)) => is_open(&connection.socket),
            _ => false,
        }
    }

    /// The addresses of the ends of a connection over TCP, here and there.
    pub fn local_and_peer_addr(&self, number: u32) -> (Option<SocketAddr>, Option<SocketAddr>) {
        match self.entries.get(number as usize) {
            Some(Entry::Connection(connection)) => local_and_peer_addr(&connection.socket),
            _ => (None, None),
        }
    }

    fn door(&self, number: u32) -> Option<&Door<S>> {
        match self.entries.get(number as usize)? {
            Entry::ListeningSocket(door) => Some(door),
            Entry::Connection(_) => None,
        }
    }

    fn connection(&mut self, number: u32) -> Option<&mut Connection> {
        match self.entries.get_mut(number as usize)? {
            Entry::ListeningSocket(_) => None,
            Entry::Connection(connection) => Some(connection),
        }
    }

    /// The numbers of pending connections.
    fn pending(&self, which: impl Fn(&Pending) -> bool) -> Vec<u32> {
        let is_one = |entry: &Entry<S>| match entry {
            Entry::Connection(Connection { pending: Some(pending), .. }) => which(pending),
            _ => false,
        };
        let found = self.entries.iter_with_keys().filter(|(_, entry)| is_one(entry));
        found.map(|(number, _)| number as u32).collect()
    }

    fn accept(&mut self, number: u32, turn: &mut PollContext<'_, S>) {
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(Entry::ListeningSocket(door)) = self.entries.get_mut(number as usize) else { return };
            let accepted = accept(&door.listening, &mut self.spare);
            door.is_stalled = matches!(accepted, Accepted::Stalled);
            match accepted {
                Accepted::One(socket) => self.take_in(socket, number, turn),
                Accepted::Shed => break,
                Accepted::Nobody | Accepted::Stalled => return,
            }
        }
        note(&mut self.unfinished, number);
    }

    /// A connection was accepted. In a rush its request is there already: then the poller need not know it.
    fn take_in(&mut self, socket: Socket, listening: u32, turn: &mut PollContext<'_, S>) {
        let pending = Some(Pending::new(turn.now, listening));
        let entry = Entry::Connection(Connection { socket, is_watched: false, pending });
        let number = self.entries.insert(entry) as u32;
        self.connections += 1;
        if self.door(listening).is_some_and(|door| door.falls_back) {
            self.give_up(number, FallbackReason::NotUpgrade, turn.accepted);
            return;
        }
        self.look(number, turn);
        let Some(connection) = self.connection(number).filter(|connection| connection.pending.is_some())
        else {
            return;
        };
        // What has come since it was read is told at once.
        connection.is_watched = turn.poller.watch(&connection.socket, MARK | u64::from(number)).is_ok();
        if !connection.is_watched {
            self.discard(number);
        }
    }

    /// Reads a pending connection. One that is held is left alone: whoever takes it will find out what there is.
    fn look(&mut self, number: u32, turn: &mut PollContext<'_, S>) {
        let listening = self.connection(number).and_then(|connection| connection.pending.as_ref());
        let Some(listening) = listening.map(|pending| pending.listening) else { return };
        let Some(limit) = self.door(listening).map(|door| door.limit) else { return };
        let Self { entries, fields, .. } = self;
        let Some(Entry::Connection(Connection { socket, pending: Some(pending), .. })) =
            entries.get_mut(number as usize)
        else {
            return;
        };
        match pending.look(socket, turn.now, limit, turn.buffer, fields) {
            Looked::Incomplete => {}
            Looked::Gone => self.discard(number),
            Looked::Said(request, bytes) => self.hold(number, request, Some(bytes), turn.accepted),
        }
    }

    fn give_up(&mut self, number: u32, reason: FallbackReason, arrived: &mut Vec<AcceptedConnection<S>>) {
        self.hold(number, Request::Fallback(reason), None, arrived);
    }

    /// A pending connection has arrived: with these bytes, or those that were kept of it.
    fn hold(
        &mut self,
        number: u32,
        request: Request,
        bytes: Option<Box<[u8]>>,
        arrived: &mut Vec<AcceptedConnection<S>>,
    ) {
        let Some(pending) = self.connection(number).and_then(|connection| connection.pending.take()) else {
            return;
        };
        let Some(door) = self.door(pending.listening) else { return };
        let bytes = bytes.unwrap_or(pending.kept);
        arrived.push(AcceptedConnection { server: door.server.clone(), number, request, bytes });
    }
}

/// Puts a number on a list, once.
fn note(list: &mut Vec<u32>, number: u32) {
    if !list.contains(&number) {
        list.push(number);
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Listeners};

    impl<S> Listeners<S> {
        /// Others have opened what was kept for the moment when nothing can be opened.
        pub(in crate::transport::listener) fn lose_spare(&mut self) {
            self.spare = super::Spare::default();
        }
    }

    #[test]
    fn a_connection_costs_little() {
        assert!(size_of::<Option<Entry<u64>>>() <= 32);
    }
}
