//! Writes to a socket's descriptor: on the driver's thread, or on the owner's thread if the owner needs the result at
//! once (`bufferedAmount`, process exit). Descriptors of sockets are written only here.
//!
//! One call writes at most [`WRITE_TURN`] bytes, or [`THREAD_TURN`] on an I/O thread, so that a connection with much
//! output delays neither the others nor an owner that waits for the lock.

use std::io::{self, ErrorKind, IoSlice};
use std::mem;
use std::net::Shutdown as End;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};

use super::state::{Fault, Shutdown, State};
use super::{Descriptor, OwnedOrBorrowedFd};
use crate::connection::{Head, Output};
use crate::transport::sync::lock;
use crate::transport::turn::{Interest, Side, Stop};

/// Bytes that the owner writes for one socket before others follow: more than kernels buffer by default, so that the
/// kernel accepts as much of a message at once as if all were offered.
pub const WRITE_TURN: usize = 4 * 1024 * 1024;

/// The same on an I/O thread, and bytes of one system call there: a copy of well under a millisecond.
pub(super) const THREAD_TURN: usize = 1024 * 1024;
const THREAD_WRITE: usize = 256 * 1024;

/// Without it, a closed peer ends the process in hosts that do not ignore SIGPIPE as Node does.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const SEND_FLAGS: SendFlags = SendFlags::NOSIGNAL;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const SEND_FLAGS: SendFlags = SendFlags::empty();

/// The write half of a socket: the descriptor, and output taken from the connection to be sent.
pub(super) struct Writer {
    pub(super) fd: Descriptor,
    output: Output,
}

/// Outcome of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The reason for stopping.
    pub stop: Stop,
    /// The first external segment has been written.
    pub is_segment_done: bool,
    /// Bytes left of the external segment that is first now.
    pub segment: usize,
    /// As [`Socket::interest`](super::Socket::interest).
    pub interest: Interest,
}

impl Written {
    /// The outcome of a write that has written nothing.
    pub(super) fn nothing(stop: Stop, state: &State) -> Self {
        Self { stop, is_segment_done: false, segment: 0, interest: state.interest() }
    }
}

/// Outcome of [`Socket::send_external`](super::Socket::send_external).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentExternal {
    /// Not possible: a thread drives, or writing has failed.
    Nothing,
    /// The whole payload is an external segment, the last one.
    Queued,
    /// Everything is written.
    All,
    /// It was begun. The external segment is the first one, if any of it is left.
    Part(Written),
}

impl Writer {
    pub(super) fn new(fd: Descriptor) -> Self {
        Self { fd, output: Output::default() }
    }

    /// Output that was taken and not sent.
    pub(super) fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    /// True if all output that was taken is sent.
    pub(super) fn is_done(&self) -> bool {
        self.output.is_empty()
    }

    /// Writes at most `limit` of the next bytes. `external`: the rest of the external segment, if one is next.
    fn send(&self, external: &[u8], limit: usize) -> io::Result<usize> {
        let socket = self.fd.socket();
        let Head { before, behind, .. } = self.output.head();
        let cut = |bytes: &[u8], offset: usize| bytes.len().min(limit.saturating_sub(offset));
        loop {
            let result = if external.is_empty() {
                send(&*socket, &before[..cut(before, 0)], SEND_FLAGS)
            } else if behind.is_empty() {
                let external = &external[..cut(external, before.len())];
                let parts = [IoSlice::new(&before[..cut(before, 0)]), IoSlice::new(external)];
                sendmsg(&*socket, &parts, &mut SendAncillaryBuffer::default(), SEND_FLAGS)
            } else {
                let end = before.len() + external.len();
                let parts = [
                    IoSlice::new(&before[..cut(before, 0)]),
                    IoSlice::new(&external[..cut(external, before.len())]),
                    IoSlice::new(&behind[..cut(behind, end)]),
                ];
                sendmsg(&*socket, &parts, &mut SendAncillaryBuffer::default(), SEND_FLAGS)
            };
            match result {
                Err(Errno::INTR) => {}
                result => return Ok(result?),
            }
        }
    }

    /// Takes the connection's output, which ends with the header of `payload`, and sends both. The rest of the payload becomes
    /// an external segment; true if nothing is left.
    pub(super) fn begin_external(&mut self, state: &mut State, payload: &[u8], turn: &mut usize) -> bool {
        state.connection.swap_output(&mut self.output);
        // An error shows again.
        let sent = self.send(payload, *turn).unwrap_or(0);
        *turn -= sent;
        state.connection.mark_written(sent as u64);
        if sent == self.output.bytes().len() + payload.len() {
            self.output.clear();
            return true;
        }
        self.output.push_external(payload.len());
        self.output.consume(sent);
        false
    }

    /// Writes as [`Socket::write`](super::Socket::write). A thread releases the state while it sends, because the owner must
    /// not wait for the kernel; it stops after a system call if the owner waits for the writer. After [`Stop::Failed`], this must
    /// be dropped. `freed` gets large memory, for the caller to free outside of the locks.
    pub(super) fn write<'a>(
        &mut self,
        state: (&'a Mutex<State>, MutexGuard<'a, State>),
        side: Side,
        owner_waits: &AtomicBool,
        turn: &mut usize,
        external: &[u8],
        freed: &mut Output,
    ) -> (MutexGuard<'a, State>, Written) {
        let (mutex, mut state) = state;
        let limit = if side == Side::Thread { THREAD_WRITE } else { usize::MAX };
        let mut is_segment_done = false;
        let stop = loop {
            if self.is_done() {
                if self.output.is_large() {
                    *freed = mem::take(&mut self.output);
                }
                if !self.take_output(&mut state) {
                    break Stop::All;
                }
            }
            let length = self.output.head().external;
            if length > 0 && (external.is_empty() || is_segment_done) {
                break Stop::External(length);
            }
            if *turn == 0 || (side == Side::Thread && owner_waits.load(Ordering::Relaxed)) {
                state.blocked = true;
                state.settle();
                break Stop::More;
            }
            let (segment, limit) = (&external[external.len() - length..], limit.min(*turn));
            let result = if side == Side::Thread {
                drop(state);
                let result = self.send(segment, limit);
                state = lock(mutex);
                result
            } else {
                self.send(segment, limit)
            };
            match result {
                Ok(sent) => {
                    *turn -= sent;
                    is_segment_done |= self.output.consume(sent);
                    state.connection.mark_written(sent as u64);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    state.blocked = true;
                    state.settle();
                    break Stop::Refused;
                }
                Err(error) => {
                    state.fail(Fault::write(&error));
                    break Stop::Failed;
                }
            }
        };
        let segment = if stop == Stop::Failed { 0 } else { self.output.head().external };
        let interest = state.interest();
        (state, Written { stop, is_segment_done, segment, interest })
    }

    /// Takes the connection's queued output. False if there is none, or it is held back. When all is out, performs a
    /// shutdown that waits for that.
    fn take_output(&mut self, state: &mut State) -> bool {
        if state.corked {
            // All output that was taken is out.
            self.output.clear();
            state.blocked = false;
            state.settle();
            return false;
        }
        if state.connection.swap_output(&mut self.output) {
            return true;
        }
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

impl OwnedOrBorrowedFd {
    /// Writes the first bytes of a descriptor before a `Socket` is made of it. Returns those that the kernel refuses; an
    /// error shows again when they are written.
    pub fn begin<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let sent = send(&*self.socket(), bytes, SEND_FLAGS).unwrap_or(0);
        bytes.get(sent..).unwrap_or_default()
    }
}

/// The fault of a socket with output whose memory is gone. The kernel reports no such error here: the addresses that it
/// gets are valid.
pub(super) const LOST_MEMORY: Fault = Fault { errno: libc::EFAULT, write: true };
