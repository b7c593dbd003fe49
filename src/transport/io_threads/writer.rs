//! The only place that writes to a socket's descriptor: from the I/O thread as a rule, from the owner's thread
//! where it must know at once what the kernel took (`bufferedAmount`, process exit).

use std::io::{self, ErrorKind};
use std::net::Shutdown as Side;
use std::sync::Arc;

use super::inbox::Fault;
use super::socket::{Shutdown, Socket, State};
use super::{OUTBOUND_HIGH_WATER, lock};

/// A buffer that grew beyond this for one burst is given back when the burst is over.
const KEPT_CAPACITY: usize = 64 * 1024;

/// A signal for a closed peer would end the process in hosts that do not ignore SIGPIPE as Node does.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const SEND_FLAGS: libc::c_int = libc::MSG_NOSIGNAL;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const SEND_FLAGS: libc::c_int = 0;

/// The write half of a socket: the descriptor and the bytes that were taken from the connection to be sent.
pub(super) struct Writer {
    fd: Arc<socket2::Socket>,
    in_flight: Vec<u8>,
    sent: usize,
}

impl Writer {
    pub(super) fn new(fd: Arc<socket2::Socket>) -> Self {
        Self { fd, in_flight: Vec::new(), sent: 0 }
    }

    /// The descriptor.
    pub(super) fn fd(&self) -> Arc<socket2::Socket> {
        Arc::clone(&self.fd)
    }

    fn send(&self) -> io::Result<usize> {
        loop {
            match self.fd.send_with_flags(&self.in_flight[self.sent..], SEND_FLAGS) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

/// How a round of writing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Nothing is left to write, or nothing can be written any more.
    All,
    /// The kernel takes no more for now.
    Blocked,
}

impl Socket {
    /// Writes what is queued, as far as the kernel takes it now. Returns the bytes still pending.
    pub fn write_now(self: &Arc<Self>) -> u64 {
        // What the kernel has refused goes out when the task finds the descriptor writable; to try before is a wasted call.
        let blocked = lock(&self.state).blocked;
        if !blocked && self.write_out() == Written::Blocked {
            self.wake_task();
        }
        self.with_connection(|connection| connection.pending()).unwrap_or(0)
    }

    /// As [`Socket::write_now`], for the shard's own thread.
    pub(super) fn write_from_shard(self: &Arc<Self>) {
        if self.write_out() == Written::Blocked {
            self.wake_task();
        }
    }

    /// Sends until nothing is queued or the kernel refuses. The write lock is held all the while, so bytes never
    /// interleave; the state is locked only between two sends.
    pub(super) fn write_out(self: &Arc<Self>) -> Written {
        let mut guard = lock(&self.writer);
        let Some(writer) = guard.as_mut() else { return Written::All };
        loop {
            if writer.sent == writer.in_flight.len() && !self.take_output(writer) {
                drop(guard);
                self.announce(lock(&self.state));
                return Written::All;
            }
            match writer.send() {
                Ok(sent) => {
                    writer.sent += sent;
                    lock(&self.state).connection.written(sent as u64);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let mut state = lock(&self.state);
                    state.blocked = true;
                    state.over_mark |= state.connection.pending() >= OUTBOUND_HIGH_WATER;
                    state.settle();
                    drop(guard);
                    self.announce(state);
                    return Written::Blocked;
                }
                Err(error) => {
                    let errno = error.raw_os_error().unwrap_or(libc::EIO);
                    *guard = None;
                    drop(guard);
                    self.fail(lock(&self.state), Fault { errno, write: true });
                    return Written::All;
                }
            }
        }
    }

    /// Takes the connection's queued output into `writer`. `false` when there is none, or it is held back. When everything
    /// is out, a shutdown that waited for it is due.
    fn take_output(&self, writer: &mut Writer) -> bool {
        let mut state = lock(&self.state);
        if state.corked {
            // All that was taken before is out, whatever waits.
            state.blocked = false;
            state.settle();
            return false;
        }
        writer.sent = 0;
        state.connection.take_output(&mut writer.in_flight);
        if !writer.in_flight.is_empty() {
            return true;
        }
        // Both buffers are empty now, and which of them grew is a matter of the last swap.
        give_back(&mut writer.in_flight);
        state.connection.take_output(&mut writer.in_flight);
        give_back(&mut writer.in_flight);
        state.blocked = false;
        state.settle();
        Self::shut_down_if_asked(&mut state, &writer.fd);
        false
    }

    fn shut_down_if_asked(state: &mut State, fd: &socket2::Socket) {
        if state.shutdown == Shutdown::Asked {
            state.shutdown = Shutdown::Done;
            // Fails only where the peer has reset the connection already; reading tells that.
            let _ = fd.shutdown(Side::Write);
            state.inbox.shut_down = true;
        }
    }
}

fn give_back(buffer: &mut Vec<u8>) {
    if buffer.capacity() > KEPT_CAPACITY {
        *buffer = Vec::new();
    }
}
