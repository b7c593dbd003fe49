//! Reading a socket's descriptor, and parsing the bytes. The drivers (`event_loop`, `io_threads::task`) decide when;
//! descriptors of sockets are read only here.

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

use super::events::{Fault, SocketEvents};
#[cfg(test)]
use super::handoff::Reading;
use super::handoff::{lock_unread, read_unlocked};
use super::state::State;
use super::{Descriptor, Driver, Socket, lock};
use crate::connection::{DetachedFrame, EventMemory, MaskingKeys};

/// Most bytes of one read. Fits the L2 cache with room for the payloads copied out of it, and equals Node's buffer.
pub const RECEIVE_BUFFER: usize = 64 * 1024;

/// Full buffers read from one socket before the next one is served.
pub const READS_PER_TURN: usize = 4;

/// Outcome of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transport) enum Received {
    /// The buffer was filled; there may be more.
    More,
    /// A short read: the kernel has no more for now, but perhaps the end.
    Drained,
    /// The kernel has nothing: neither bytes nor an end.
    Empty,
    /// Reading must stop: end, failure, too many undelivered bytes, or paused.
    Stop,
}

/// Outcome of one turn of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// There may be more.
    pub more: bool,
    /// Bytes read.
    pub bytes: usize,
    /// They end with a whole frame.
    pub is_whole: bool,
}

impl Taken {
    fn of(state: &State, before: u64, more: bool) -> Self {
        let bytes = (state.bytes_read - before) as usize;
        Self { more, bytes, is_whole: state.connection.is_between_frames() }
    }
}

impl Socket {
    /// Reads once, on an I/O thread, and parses. The flag is true if the connection has made
    /// output itself (automatic pongs) that is to be written now. The state is not locked during the read, but marked
    /// as being read: the owner waits for these bytes before it takes the socket back or
    /// reads a last time.
    pub(in crate::transport) fn receive_on_thread(
        self: &Arc<Self>,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
    ) -> (Received, bool) {
        let source = |state: &State| state.fd.clone();
        let read = |fd: Descriptor| (&*fd.socket()).read(buffer);
        let Some((mut state, result)) = read_unlocked(&self.state, source, read) else {
            return (Received::Stop, false);
        };
        self.lend_event_memory(&mut state);
        let received = state.take_in(result, buffer, keys, State::parse_copied);
        self.reclaim_event_memory(&mut state);
        // While the kernel refuses output, writability triggers the write.
        let reply = !state.blocked && !state.connection.output().is_empty();
        self.announce(state);
        (received, reply)
    }

    /// Gives the events memory that the owner has [passed on](Mailbox::event_memory), if they have none.
    fn lend_event_memory(&self, state: &mut State) {
        let events = &mut state.undelivered.events;
        if events.has_memory() {
            return;
        }
        if let Some(mailbox) = self.mailbox.upgrade() {
            mailbox.event_memory().lend(events);
        }
    }

    /// Takes the memory back if it holds no events.
    fn reclaim_event_memory(&self, state: &mut State) {
        let events = &mut state.undelivered.events;
        if events.is_empty()
            && events.has_memory()
            && let Some(mailbox) = self.mailbox.upgrade()
        {
            mailbox.event_memory().reclaim(events);
        }
    }

    /// Reads on the owner's thread, up to [`READS_PER_TURN`] full buffers, and parses. `ended`: the end is not
    /// reported again, so reading goes on until it is found.
    /// `memory` is for the events.
    pub fn receive_on_owner(
        &self,
        ended: bool,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
        memory: &mut EventMemory,
    ) -> Taken {
        let mut state = lock(&self.state);
        debug_assert!(matches!(state.driver, Driver::Owner), "the owner reads sockets that it drives");
        let before = state.bytes_read;
        memory.lend(&mut state.undelivered.events);
        let more = Self::receive_locked(&mut state, ended, buffer, keys);
        memory.reclaim(&mut state.undelivered.events);
        Taken::of(&state, before, more)
    }

    /// As [`Socket::receive_on_owner`], but reads once and in place: large messages stay in `buffer`, see
    /// [`Connection::receive_in_place`](crate::connection::Connection::receive_in_place).
    pub(in crate::transport) fn receive_in_place(
        &self,
        ended: bool,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
        memory: &mut EventMemory,
    ) -> Taken {
        self.receive_once(ended, buffer, keys, Some(memory), State::parse_in_place)
    }

    /// Reads up to one buffer from a paused socket whose peer has ended.
    pub(in crate::transport) fn receive_ahead(&self, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> Taken {
        let mut state = lock(&self.state);
        debug_assert!(matches!(state.driver, Driver::Owner), "the owner reads sockets that it drives");
        let before = state.bytes_read;
        let mut more = true;
        while more && state.reads_ahead() {
            let Some(fd) = &state.fd else { break };
            let result = (&*fd.socket()).read(buffer);
            more = state.take_in(result, buffer, keys, State::parse_copied) != Received::Empty;
        }
        Taken::of(&state, before, more)
    }

    fn receive_once(
        &self,
        ended: bool,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
        mut memory: Option<&mut EventMemory>,
        parse: Parse,
    ) -> Taken {
        let mut state = lock(&self.state);
        debug_assert!(matches!(state.driver, Driver::Owner), "the owner reads sockets that it drives");
        let before = state.bytes_read;
        if let Some(memory) = &mut memory {
            memory.lend(&mut state.undelivered.events);
        }
        let more = match &state.fd {
            None => false,
            Some(fd) => {
                let result = (&*fd.socket()).read(buffer);
                match state.take_in(result, buffer, keys, parse) {
                    Received::Drained => ended,
                    Received::Empty => false,
                    Received::More | Received::Stop => true,
                }
            }
        };
        if let Some(memory) = memory {
            memory.reclaim(&mut state.undelivered.events);
        }
        Taken::of(&state, before, more)
    }

    /// Detaches the frame that the last read has ended in, if it is large, see
    /// [`Connection::detach_frame`](crate::connection::Connection::detach_frame).
    pub fn detach_frame(&self) -> Option<(DetachedFrame, Vec<u8>)> {
        lock(&self.state).connection.detach_frame()
    }

    /// Reads once into `rest`, the remaining memory of a detached frame; nothing is parsed.
    pub(in crate::transport) fn receive_detached(
        &self,
        ended: bool,
        rest: &mut [u8],
        keys: &mut dyn MaskingKeys,
    ) -> Taken {
        self.receive_once(ended, rest, keys, None, State::note)
    }

    /// Counts another chunk of a detached frame, at the end of `payload`. False if the frame must be reattached.
    pub fn accept_detached(&self, frame: &mut DetachedFrame, payload: &mut [u8]) -> bool {
        lock(&self.state).connection.receive_detached(frame, payload)
    }

    /// Completes a detached frame: the message becomes an event, and stays in its memory.
    pub fn finish_detached(&self, frame: DetachedFrame) {
        let mut state = lock(&self.state);
        let State { connection, undelivered, .. } = &mut *state;
        connection.finish_detached(frame, &mut undelivered.events);
    }

    /// Returns a detached frame to the connection, with the `payload` received so far.
    pub fn reattach_frame(&self, frame: &DetachedFrame, payload: &[u8], keys: &mut dyn MaskingKeys) {
        let mut state = lock(&self.state);
        let State { connection, undelivered, .. } = &mut *state;
        connection.reattach_frame(frame, payload, keys, &mut undelivered.events);
    }

    /// Copies uncollected messages out of the buffer of [`Socket::receive_in_place`], which is about to be used
    /// again.
    pub fn copy_out_chunk(&self, buffer: &[u8]) {
        lock(&self.state).undelivered.events.copy_out_chunk(buffer);
    }

    fn receive_locked(state: &mut State, ended: bool, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> bool {
        for _ in 0..READS_PER_TURN {
            let Some(fd) = &state.fd else { return false };
            // Under the lock, because no other thread uses a socket that the owner drives.
            let result = (&*fd.socket()).read(buffer);
            match state.take_in(result, buffer, keys, State::parse_copied) {
                Received::Drained if !ended => return false,
                Received::Empty => return false,
                Received::More | Received::Drained => {}
                Received::Stop => return true,
            }
        }
        true
    }

    /// True while an I/O thread is reading.
    #[cfg(test)]
    pub(in crate::transport) fn is_being_read(&self) -> bool {
        lock(&self.state).is_being_read()
    }

    /// Reads once from a paused socket that is about to be destroyed, and swaps all events into `undelivered`, which
    /// must be empty: Node's socket would have read these bytes ahead and kept them for its user. Does nothing for a
    /// socket that is not paused, whose owner has collected all that it needs.
    pub fn last_read(
        self: &Arc<Self>,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
        undelivered: &mut SocketEvents,
    ) {
        debug_assert!(undelivered.is_empty());
        // Bytes that a thread is reading come first.
        let mut state = lock_unread(&self.state);
        if !state.paused || state.destroyed {
            return;
        }
        if !state.ended
            && let Some(fd) = &state.fd
            && let Ok(length) = (&*fd.socket()).read(buffer)
        {
            state.parse(&buffer[..length], keys);
        }
        std::mem::swap(&mut state.undelivered, undelivered);
    }
}

/// Processing of received bytes.
type Parse = fn(&mut State, &mut [u8], &mut dyn MaskingKeys);

impl State {
    fn parse_copied(&mut self, chunk: &mut [u8], keys: &mut dyn MaskingKeys) {
        self.parse(chunk, keys);
    }

    /// Processes the result of a read: parses the bytes, or notes the end.
    fn take_in(
        &mut self,
        result: io::Result<usize>,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
        parse: Parse,
    ) -> Received {
        if self.destroyed {
            return Received::Stop;
        }
        match result {
            Ok(0) => {
                self.ended = true;
                self.undelivered.ended = true;
                Received::Stop
            }
            Ok(length) => {
                parse(self, &mut buffer[..length], keys);
                self.full = self.is_full();
                // A short read means that the kernel's buffer is empty: the next byte is reported anew, and another
                // read would only cost a system call.
                match (self.wants_input(), length < buffer.len()) {
                    (false, _) => Received::Stop,
                    (true, true) => Received::Drained,
                    (true, false) => Received::More,
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Received::Empty,
            Err(error) if error.kind() == ErrorKind::Interrupted => Received::More,
            Err(error) => {
                self.fail(Fault::read(&error));
                Received::Stop
            }
        }
    }
}
