//! Writing to a socket's descriptor: on the driver's thread, or on the owner's where it must know at once how much
//! the kernel accepts (`bufferedAmount`, process exit). Descriptors of sockets are written only here.

use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown as End;
use std::sync::Arc;

use super::events::Fault;
use super::state::{Shutdown, State};
use super::{Descriptor, Driver, Interest, OwnedOrBorrowedFd, Side, Socket, lock};

/// Capacity that a buffer keeps after a burst.
const KEPT_CAPACITY: usize = 64 * 1024;

/// Without it, a closed peer ends the process in hosts that do not ignore SIGPIPE as Node does.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const SEND_FLAGS: libc::c_int = libc::MSG_NOSIGNAL;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const SEND_FLAGS: libc::c_int = 0;

/// The write half of a socket: the descriptor, and bytes taken from the connection to be sent.
pub(super) struct Writer {
    pub(super) fd: Descriptor,
    in_flight: Vec<u8>,
    sent: usize,
}

impl Writer {
    pub(super) fn new(fd: Descriptor) -> Self {
        Self { fd, in_flight: Vec::new(), sent: 0 }
    }

    /// Bytes that were taken and not sent.
    pub(super) fn unsent(&self) -> &[u8] {
        self.in_flight.get(self.sent..).unwrap_or_default()
    }

    /// True if all bytes that were taken are sent.
    pub(super) fn is_done(&self) -> bool {
        self.sent == self.in_flight.len()
    }

    fn send(&self) -> io::Result<usize> {
        let socket = self.fd.socket();
        loop {
            match socket.send_with_flags(&self.in_flight[self.sent..], SEND_FLAGS) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Writes the bytes that were taken, and `payload` behind them, without copying. Keeps a copy of bytes that the
    /// kernel refuses. Returns the bytes that it accepts.
    fn send_with(&mut self, payload: &[u8]) -> io::Result<usize> {
        let taken = self.in_flight.len();
        let parts = [IoSlice::new(&self.in_flight), IoSlice::new(payload)];
        let sent = match self.fd.socket().send_vectored_with_flags(&parts, SEND_FLAGS) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            result => result?,
        };
        if sent < taken {
            self.sent = sent;
            self.in_flight.extend_from_slice(payload);
        } else {
            self.sent = 0;
            self.in_flight.clear();
            self.in_flight.extend_from_slice(&payload[sent - taken..]);
        }
        Ok(sent)
    }

    /// Takes the connection's queued output. False if there is none, or it is held back. When all is out, performs a
    /// shutdown that waits for that.
    fn take_output(&mut self, state: &mut State) -> bool {
        self.sent = 0;
        if state.corked {
            // All bytes that were taken are out.
            self.in_flight.clear();
            state.blocked = false;
            state.settle();
            return false;
        }
        state.connection.take_output(&mut self.in_flight);
        if !self.in_flight.is_empty() {
            return true;
        }
        // Both buffers are empty now; which of them has grown depends on the last swap.
        give_back(&mut self.in_flight);
        state.connection.take_output(&mut self.in_flight);
        give_back(&mut self.in_flight);
        state.blocked = false;
        state.settle();
        if state.shutdown == Shutdown::Asked {
            state.shutdown = Shutdown::Done;
            // Fails only if the peer has reset the connection, which a read reports.
            let _ = self.fd.socket().shutdown(End::Write);
            state.undelivered.shut_down = true;
        }
        false
    }
}

fn give_back(buffer: &mut Vec<u8>) {
    if buffer.capacity() > KEPT_CAPACITY {
        *buffer = Vec::new();
    }
}

impl OwnedOrBorrowedFd {
    /// Writes the first bytes of a descriptor before a `Socket` is made of it. Returns those that the kernel refuses; an
    /// error shows again when they are written.
    pub fn begin<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let sent = self.socket().send_with_flags(bytes, SEND_FLAGS).unwrap_or(0);
        bytes.get(sent..).unwrap_or_default()
    }
}

impl Socket {
    /// Writes queued output on the owner's thread, as much as the kernel accepts now. Returns the bytes still
    /// pending.
    pub fn write_now(self: &Arc<Self>) -> u64 {
        // After a refusal, the driver writes when the descriptor is writable; until then a try is a wasted call.
        let blocked = lock(&self.state).blocked;
        if !blocked && self.write_out(Side::Owner).write {
            self.wake_task();
        }
        self.with_connection(|connection| connection.pending()).unwrap_or(0)
    }

    /// Sends a large unmasked message behind all queued output without copying it, if the owner drives and the kernel
    /// accepts bytes. Keeps a copy of the rest for the next write. False if it cannot be sent now.
    pub fn send_in_place(&self, binary: bool, fin: bool, payload: &[u8]) -> bool {
        let mut guard = lock(&self.writer);
        let mut state = lock(&self.state);
        let Some(writer) = guard.as_mut() else { return false };
        let is_free = matches!(state.driver, Driver::Owner) && !(state.blocked || state.corked);
        if !is_free || !writer.is_done() {
            return false;
        }
        state.connection.send_header(binary, fin, payload.len());
        state.note_pending();
        writer.sent = 0;
        state.connection.take_output(&mut writer.in_flight);
        match writer.send_with(payload) {
            Ok(sent) => state.connection.mark_written(sent as u64),
            Err(error) => {
                *guard = None;
                state.fail(Fault::write(&error));
            }
        }
        true
    }

    /// Writes queued output on the owner's thread, as much as the kernel accepts.
    pub fn write_on_owner(self: &Arc<Self>) -> Interest {
        self.write_out(Side::Owner)
    }

    /// Writes until nothing is queued, the kernel refuses ([`Interest::write`]), or writing fails. The write lock is
    /// held throughout, so bytes never interleave; a thread releases the state while it sends, because the owner must
    /// not wait for the kernel.
    pub(in crate::transport) fn write_out(self: &Arc<Self>, side: Side) -> Interest {
        let mut guard = lock(&self.writer);
        let mut state = lock(&self.state);
        let Some(writer) = guard.as_mut() else { return state.interest() };
        loop {
            if writer.is_done() && !writer.take_output(&mut state) {
                break;
            }
            let result = if side == Side::Thread {
                drop(state);
                let result = writer.send();
                state = lock(&self.state);
                result
            } else {
                writer.send()
            };
            match result {
                Ok(sent) => {
                    writer.sent += sent;
                    state.connection.mark_written(sent as u64);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    state.blocked = true;
                    state.settle();
                    break;
                }
                Err(error) => {
                    *guard = None;
                    state.fail(Fault::write(&error));
                    break;
                }
            }
        }
        drop(guard);
        let interest = state.interest();
        self.announce(state);
        interest
    }
}
