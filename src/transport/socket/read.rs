//! Reading a socket's descriptor, and parsing the bytes. The drivers (`event_loop`, `io_threads::task`) decide when;
//! descriptors of sockets are read only here, and without the lock in [`Socket`](super::Socket).

use std::io::{self, ErrorKind, Read};
use std::mem::MaybeUninit;

use socket2::SockRef;

use super::state::{Fault, SocketEvents, State};
use super::{Driver, OwnedOrBorrowedFd};
use crate::connection::MaskingKeys;
use crate::transport::turn::{READS_PER_TURN, Received};

/// Reads once from an idle socket.
pub(super) fn read_once(fd: &OwnedOrBorrowedFd, buffer: &mut [u8]) -> io::Result<usize> {
    (&*fd.socket()).read(buffer)
}

/// True if received bytes can be read.
pub(super) fn has_input(socket: &SockRef<'_>) -> bool {
    socket.peek(&mut [MaybeUninit::uninit()]).is_ok_and(|length| length > 0)
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

/// Processing of received bytes.
pub(super) type Parse = fn(&mut State, &mut [u8], &mut dyn MaskingKeys);

/// Reads of the owner's thread, under the lock, because no other thread uses a socket that the owner drives.
impl State {
    /// Reads up to [`READS_PER_TURN`] full buffers, and parses. `ended`: the end is not reported again, so reading goes on
    /// until it is found.
    pub(super) fn receive(&mut self, ended: bool, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> Taken {
        let before = self.bytes_read;
        let more = self.receive_turn(ended, buffer, keys);
        self.taken_since(before, more)
    }

    fn receive_turn(&mut self, ended: bool, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> bool {
        debug_assert!(matches!(self.driver, Driver::Owner), "the owner reads sockets that it drives");
        let length = self.read_length(buffer.len());
        let buffer = &mut buffer[..length];
        for _ in 0..READS_PER_TURN {
            let Some(fd) = &self.fd else { return false };
            let result = fd.receive(buffer);
            match self.take_in(result, buffer, keys, Self::parse_copied) {
                Received::Drained if !ended => return false,
                Received::Empty => return false,
                Received::More | Received::Drained => {}
                Received::Stop => return true,
            }
        }
        true
    }

    /// Reads once, and processes the bytes by `parse`.
    pub(super) fn receive_once(
        &mut self,
        ended: bool,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
        parse: Parse,
    ) -> Taken {
        debug_assert!(matches!(self.driver, Driver::Owner), "the owner reads sockets that it drives");
        let before = self.bytes_read;
        let length = self.read_length(buffer.len());
        let buffer = &mut buffer[..length];
        let more = match &self.fd {
            None => false,
            Some(fd) => {
                let result = fd.receive(buffer);
                match self.take_in(result, buffer, keys, parse) {
                    Received::Drained => ended,
                    Received::Empty => false,
                    Received::More | Received::Stop => true,
                }
            }
        };
        self.taken_since(before, more)
    }

    /// Reads up to one buffer from a paused socket whose peer has ended.
    pub(super) fn receive_ahead(&mut self, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> Taken {
        debug_assert!(matches!(self.driver, Driver::Owner), "the owner reads sockets that it drives");
        let before = self.bytes_read;
        let mut more = true;
        while more && self.reads_ahead() {
            let Some(fd) = &self.fd else { break };
            let result = fd.receive(buffer);
            more = self.take_in(result, buffer, keys, Self::parse_copied) != Received::Empty;
        }
        self.taken_since(before, more)
    }

    /// Reads once from a paused socket, and swaps all events into `undelivered`.
    pub(super) fn last_read(
        &mut self,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
        undelivered: &mut SocketEvents,
    ) {
        if !self.paused || self.destroyed {
            return;
        }
        if !self.ended
            && let Some(fd) = &self.fd
            && let Ok(length) = fd.receive(buffer)
        {
            self.parse(&buffer[..length], keys);
        }
        std::mem::swap(&mut self.undelivered, undelivered);
    }

    /// Bytes that one read into a buffer of `length` bytes may take.
    pub(super) fn read_length(&self, length: usize) -> usize {
        match self.connection.max_read() {
            0 => length,
            max => length.min(max),
        }
    }

    fn taken_since(&self, before: u64, more: bool) -> Taken {
        let bytes = (self.bytes_read - before) as usize;
        Taken { more, bytes, is_whole: self.connection.is_between_frames() }
    }

    pub(super) fn parse_copied(&mut self, chunk: &mut [u8], keys: &mut dyn MaskingKeys) {
        self.parse(chunk, keys);
    }

    /// Processes the result of a read: parses the bytes, or notes the end.
    pub(super) fn take_in(
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
