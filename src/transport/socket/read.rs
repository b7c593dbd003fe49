//! The only place that reads a socket's descriptor: once, into the driver's buffer, and through the connection into the
//! undelivered. Who calls it when is the driver's (`event_loop`, `io_threads::task`).

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

use super::events::{Fault, SocketEvents};
use super::reading::{Reading, Unlocked, lock_unread, read_unlocked};
use super::state::State;
use super::{Descriptor, Side, Socket, lock};
use crate::connection::{DetachedFrame, MaskingKeys};
use crate::transport::io_threads::Registration;

/// Bytes that one read takes at most. Fits the L2 cache with room for the payloads copied out of it, and is what Node
/// reads at most.
pub const RECEIVE_BUFFER: usize = 64 * 1024;

/// Full buffers read from one socket before others get their turn.
pub const READS_PER_TURN: usize = 4;

/// What one read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transport) enum Received {
    /// The buffer was filled; there may be more.
    More,
    /// A short read: the kernel has no more for now, unless it is the end.
    Drained,
    /// The kernel has nothing: neither bytes nor an end.
    Empty,
    /// Nothing more is to be read: end, failure, too much waits for the owner, or it does not want any.
    Stop,
}

/// What one turn of reading gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether there may be more.
    pub more: bool,
    /// How much was read.
    pub bytes: usize,
    /// Whether that ended with a whole frame.
    pub is_whole: bool,
}

impl Taken {
    fn of(state: &State, before: u64, more: bool) -> Self {
        let bytes = (state.bytes_read - before) as usize;
        Self { more, bytes, is_whole: state.connection.is_between_frames() }
    }
}

impl Socket {
    /// Reads once, on the I/O thread of this registration, and lets the connection parse. The flag says that the connection has made output by
    /// itself (automatic pongs) which is to be written now. The state is not locked meanwhile, but noted as being read:
    /// bytes stay in order, also while the owner takes the socket back.
    pub(in crate::transport) fn receive_on_thread(
        self: &Arc<Self>,
        registration: &Arc<Registration>,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
    ) -> (Received, bool) {
        let source = |state: &State| if state.driver.is(registration) { state.fd.clone() } else { None };
        let (mut state, result) =
            match read_unlocked(&self.state, source, |fd: Descriptor| (&*fd.socket()).read(buffer)) {
                Unlocked::Read(state, result) => (state, result),
                Unlocked::Busy => return (Received::More, false),
                Unlocked::Refused => return (Received::Stop, false),
            };
        let received = state.take_in(result, buffer, keys, State::parse_copied);
        // While the kernel refuses output, writability brings the pongs out.
        let reply = !state.blocked && !state.connection.output().is_empty();
        self.announce(state, Side::Thread);
        (received, reply)
    }

    /// Reads what the kernel holds, on the owner's thread, up to so many buffers full, and lets the connection parse.
    /// `ended`: nothing will tell of the end again, so reading must go on until it finds it.
    pub fn receive_on_owner(&self, ended: bool, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> Taken {
        let mut state = lock(&self.state);
        let before = state.bytes_read;
        let more = Self::receive_locked(&mut state, ended, buffer, keys);
        Taken::of(&state, before, more)
    }

    /// As [`Socket::receive_on_owner`], but reads once and in place: large messages stay in `buffer`, as
    /// [`Connection::receive_in_place`](crate::connection::Connection::receive_in_place) says.
    pub(in crate::transport) fn receive_in_place(
        &self,
        ended: bool,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
    ) -> Taken {
        self.receive_once(ended, buffer, keys, State::parse_in_place)
    }

    /// Reads what the kernel holds of a paused socket, up to a buffer full: its peer has ended.
    pub(in crate::transport) fn receive_ahead(&self, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> Taken {
        let mut state = lock(&self.state);
        let before = state.bytes_read;
        let mut more = true;
        while more && state.reads_ahead() {
            if state.is_being_read() {
                break;
            }
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
        parse: Parse,
    ) -> Taken {
        let mut state = lock(&self.state);
        let before = state.bytes_read;
        let more = match &state.fd {
            _ if state.is_being_read() => true,
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
        Taken::of(&state, before, more)
    }

    /// Lends the frame that the last read has ended in, if it is large: see
    /// [`Connection::detach_frame`](crate::connection::Connection::detach_frame).
    pub fn detach_frame(&self) -> Option<(DetachedFrame, Vec<u8>)> {
        lock(&self.state).connection.detach_frame()
    }

    /// Reads once into `rest`, the memory that a lent frame has left: nothing is parsed.
    pub(in crate::transport) fn receive_detached(
        &self,
        ended: bool,
        rest: &mut [u8],
        keys: &mut dyn MaskingKeys,
    ) -> Taken {
        self.receive_once(ended, rest, keys, State::note)
    }

    /// Another chunk of a lent frame has come, at the end of `payload`. `false`: the frame must be given back unfinished.
    pub fn accept_detached(&self, frame: &mut DetachedFrame, payload: &mut [u8]) -> bool {
        lock(&self.state).connection.receive_detached(frame, payload)
    }

    /// All of a lent frame is there: the message is an event, and stays where it is as in a buffer that was received in place.
    pub fn finish_detached(&self, frame: DetachedFrame) {
        let mut state = lock(&self.state);
        let State { connection, undelivered, .. } = &mut *state;
        connection.finish_detached(frame, &mut undelivered.events);
    }

    /// Gives a lent frame back of which `payload` has come so far.
    pub fn reattach_frame(&self, frame: &DetachedFrame, payload: &[u8], keys: &mut dyn MaskingKeys) {
        let mut state = lock(&self.state);
        let State { connection, undelivered, .. } = &mut *state;
        connection.reattach_frame(frame, payload, keys, &mut undelivered.events);
    }

    /// The buffer of [`Socket::receive_in_place`] is about to be somebody else's: copies what was not collected of it.
    pub fn copy_out_chunk(&self, buffer: &[u8]) {
        lock(&self.state).undelivered.events.copy_out_chunk(buffer);
    }

    fn receive_locked(state: &mut State, ended: bool, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> bool {
        for _ in 0..READS_PER_TURN {
            // A thread that has lost the socket is still at it: it will be done before the next turn.
            if state.is_being_read() {
                return true;
            }
            let Some(fd) = &state.fd else { return false };
            // Under the lock: nobody else has a say in a socket that the owner drives.
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

    /// The last look at a paused socket that is about to be destroyed: what Node's own socket would have read ahead and
    /// kept for its user must not be lost. Reads once what the kernel holds, and swaps all news into `undelivered`, which must
    /// be empty. Does nothing for a socket that is not paused: what its owner did not collect before destroying it, it
    /// did not want.
    pub fn last_read(
        self: &Arc<Self>,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
        undelivered: &mut SocketEvents,
    ) {
        debug_assert!(undelivered.is_empty());
        // What a thread has begun to read comes first.
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

/// What is done with received bytes.
type Parse = fn(&mut State, &mut [u8], &mut dyn MaskingKeys);

impl State {
    fn parse_copied(&mut self, chunk: &mut [u8], keys: &mut dyn MaskingKeys) {
        self.parse(chunk, keys);
    }

    /// What a read gave: has it parsed into the undelivered, or notes the end.
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
                // A short read means that the kernel's buffer is empty: readiness comes anew with the next byte,
                // so asking once more would only cost a system call.
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
