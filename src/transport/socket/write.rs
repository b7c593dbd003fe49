//! Writing to a socket's descriptor: on the driver's thread, or on the owner's where it must know at once how much
//! the kernel accepts (`bufferedAmount`, process exit). Descriptors of sockets are written only here.
//!
//! One call writes at most [`WRITE_TURN`] bytes, or [`THREAD_TURN`] on an I/O thread, so that a connection with much
//! output delays neither the others nor an owner that waits for the lock.

use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown as End;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

use super::events::Fault;
use super::state::{Shutdown, State};
use super::{Descriptor, Driver, Interest, OwnedOrBorrowedFd, Side, Socket, Stop, lock};
use crate::connection::{Head, Output};

/// Bytes that the owner writes for one socket before others follow: more than kernels buffer by default, so that the
/// kernel accepts as much of a message at once as if all were offered.
pub const WRITE_TURN: usize = 4 * 1024 * 1024;

/// The same on an I/O thread, and bytes of one system call there: a copy of well under a millisecond.
const THREAD_TURN: usize = 1024 * 1024;
const THREAD_WRITE: usize = 256 * 1024;

/// Without it, a closed peer ends the process in hosts that do not ignore SIGPIPE as Node does.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const SEND_FLAGS: libc::c_int = libc::MSG_NOSIGNAL;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const SEND_FLAGS: libc::c_int = 0;

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
    /// As [`Socket::interest`].
    pub interest: Interest,
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
                socket.send_with_flags(&before[..cut(before, 0)], SEND_FLAGS)
            } else {
                let end = before.len() + external.len();
                let parts = [
                    IoSlice::new(&before[..cut(before, 0)]),
                    IoSlice::new(&external[..cut(external, before.len())]),
                    IoSlice::new(&behind[..cut(behind, end)]),
                ];
                socket.send_vectored_with_flags(&parts, SEND_FLAGS)
            };
            match result {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
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
        let sent = self.socket().send_with_flags(bytes, SEND_FLAGS).unwrap_or(0);
        bytes.get(sent..).unwrap_or_default()
    }
}

impl Socket {
    /// Locks the write half on the owner's thread. A thread that is writing stops after its present system call, and
    /// begins again later.
    pub(super) fn lock_writer(&self) -> MutexGuard<'_, Option<Writer>> {
        // A thread holds the lock while it writes; one that finds it set does not begin.
        self.owner_waits.store(true, Ordering::Relaxed);
        let writer = lock(&self.writer);
        self.owner_waits.store(false, Ordering::Relaxed);
        writer
    }

    /// Writes queued output on the owner's thread, as much as the kernel accepts now in one turn, up to an external
    /// segment. Returns the bytes still pending.
    pub fn write_now(&self) -> u64 {
        // After a refusal, the driver writes when the descriptor is writable; until then a try is a wasted call.
        let blocked = lock(&self.state).blocked;
        if !blocked {
            let mut turn = WRITE_TURN;
            if matches!(self.write(&mut turn, &[]).stop, Stop::Refused | Stop::More) {
                self.wake_task();
            }
        }
        self.with_connection(|connection| connection.pending()).unwrap_or(0)
    }

    /// Queues an unmasked message behind all output, its payload as an external segment. `None` if that is not
    /// possible: a thread drives, or writing has failed. True if it can be written now, with the memory of its payload:
    /// nothing is queued before it, and the kernel has refused nothing.
    pub fn send_external(&self, binary: bool, fin: bool, length: usize) -> Option<bool> {
        let guard = lock(&self.writer);
        let writer = guard.as_ref()?;
        let mut state = lock(&self.state);
        if !matches!(state.driver, Driver::Owner) || state.destroyed {
            return None;
        }
        let is_free = !(state.blocked || state.corked) && writer.is_done();
        state.connection.send_external(binary, fin, length);
        state.note_pending();
        Some(is_free)
    }

    /// Turns external segments into bytes; see [`Output::copy_externals`]. If that fails, so does the socket.
    pub fn copy_externals(&self, mut copy: impl FnMut(usize, &mut Vec<u8>) -> bool) {
        let mut guard = self.lock_writer();
        let mut state = lock(&self.state);
        let is_taken = guard.as_mut().is_none_or(|writer| writer.output.copy_externals(&mut copy));
        if !(state.connection.copy_externals(|length, bytes| is_taken && copy(length, bytes)) && is_taken) {
            *guard = None;
            state.fail(LOST_MEMORY);
        }
    }

    /// Ends the socket with a fault: the memory of an external segment is gone.
    pub fn fail_external(&self) -> Written {
        *self.lock_writer() = None;
        let mut state = lock(&self.state);
        state.fail(LOST_MEMORY);
        Written { stop: Stop::Failed, is_segment_done: false, segment: 0, interest: state.interest() }
    }

    /// Writes queued output on the owner's thread until nothing is left, the kernel refuses, `turn` bytes are written
    /// (it is reduced by those that are), or memory of an external segment is needed. `external` ends with the bytes that
    /// are left of the segment that is next.
    pub fn write(&self, turn: &mut usize, external: &[u8]) -> Written {
        self.write_out(Side::Owner, turn, external)
    }

    /// As [`Socket::write`] on an I/O thread, for one turn.
    pub(in crate::transport) fn write_on_thread(&self) -> Stop {
        self.write_out(Side::Thread, &mut { THREAD_TURN }, &[]).stop
    }

    /// The write lock is held throughout, so bytes never interleave; a thread releases the state while it sends, because
    /// the owner must not wait for the kernel.
    fn write_out(&self, side: Side, turn: &mut usize, external: &[u8]) -> Written {
        let mut guard = if side == Side::Owner { self.lock_writer() } else { lock(&self.writer) };
        let mut state = lock(&self.state);
        let stopped = |stop, state: &State| Written {
            stop,
            is_segment_done: false,
            segment: 0,
            interest: state.interest(),
        };
        let Some(writer) = guard.as_mut() else { return stopped(Stop::Failed, &state) };
        // Only the owner may use the descriptor that it drives by.
        if side == Side::Thread && matches!(state.driver, Driver::Owner) {
            return stopped(Stop::All, &state);
        }
        let limit = if side == Side::Thread { THREAD_WRITE } else { usize::MAX };
        let mut is_segment_done = false;
        let stop = loop {
            if writer.is_done() && !writer.take_output(&mut state) {
                break Stop::All;
            }
            let length = writer.output.head().external;
            if length > 0 && (external.is_empty() || is_segment_done) {
                break Stop::External(length);
            }
            if *turn == 0 || (side == Side::Thread && self.owner_waits.load(Ordering::Relaxed)) {
                state.blocked = true;
                state.settle();
                break Stop::More;
            }
            let (segment, limit) = (&external[external.len() - length..], limit.min(*turn));
            let result = if side == Side::Thread {
                drop(state);
                let result = writer.send(segment, limit);
                state = lock(&self.state);
                result
            } else {
                writer.send(segment, limit)
            };
            match result {
                Ok(sent) => {
                    *turn -= sent;
                    is_segment_done |= writer.output.consume(sent);
                    state.connection.mark_written(sent as u64);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    state.blocked = true;
                    state.settle();
                    break Stop::Refused;
                }
                Err(error) => {
                    *guard = None;
                    state.fail(Fault::write(&error));
                    break Stop::Failed;
                }
            }
        };
        let segment = guard.as_ref().map_or(0, |writer| writer.output.head().external);
        drop(guard);
        let interest = state.interest();
        self.announce(state, side);
        Written { stop, is_segment_done, segment, interest }
    }
}

/// The fault of a socket with output whose memory is gone. The kernel reports no such error here: the addresses that it
/// gets are valid.
const LOST_MEMORY: Fault = Fault { errno: libc::EFAULT, write: true };
