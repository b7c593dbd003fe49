//! A socket with nothing in flight that its owner drives: its descriptor and its totals. Most sockets of a server are
//! idle most of the time. Made by `event_loop` and `transfer`. Holds no buffer, lock or connection, so that it stays small.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};

use super::read::read_once;
use super::{Borrowed, OwnedOrBorrowedFd, local_and_peer_addr};

/// A socket with nothing in flight. The owner's [`Poller`](crate::transport::event_loop::Poller) knows the descriptor
/// by the token of the socket.
#[derive(Debug)]
pub struct Idle {
    pub(super) fd: OwnedOrBorrowedFd,
    /// Bytes queued, all of which are written.
    pub(super) written: u64,
    /// Bytes received, including the head of the handshake.
    pub(super) read: u64,
}

/// Debug builds keep more of a descriptor.
#[cfg(not(debug_assertions))]
const _: () = assert!(size_of::<Idle>() <= 24);

impl Idle {
    /// A socket that has neither read nor written.
    pub fn new(fd: OwnedOrBorrowedFd) -> Self {
        Self { fd, written: 0, read: 0 }
    }

    /// Bytes ever queued, all of which are written.
    pub fn written_total(&self) -> u64 {
        self.written
    }

    /// As [`Socket::bytes_read`](super::Socket::bytes_read).
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Writes bytes, and returns those that the kernel refuses. An error shows again when these are written.
    pub fn write<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let refused = self.fd.begin(bytes);
        self.written += (bytes.len() - refused.len()) as u64;
        refused
    }

    /// Reads once.
    ///
    /// # Errors
    /// Those of the system.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        read_once(&self.fd, buffer)
    }

    /// Counts bytes that were read and need no parsing.
    pub fn note_read(&mut self, bytes: usize) {
        self.read += bytes as u64;
    }

    /// As [`Socket::local_and_peer_addr`](super::Socket::local_and_peer_addr).
    pub fn local_and_peer_addr(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        local_and_peer_addr(&self.fd.socket())
    }

    /// As [`Socket::lend`](super::Socket::lend).
    pub fn lend(&mut self, borrowed: Borrowed) {
        if let OwnedOrBorrowedFd::Owned(socket) =
            std::mem::replace(&mut self.fd, OwnedOrBorrowedFd::Borrowed(borrowed))
        {
            debug_assert_eq!(socket.as_raw_fd(), self.fd.as_raw_fd());
            // The host owns it now.
            let _ = socket.into_raw_fd();
        }
    }

    /// True if the host owns the descriptor: then the poller must forget it before this is dropped.
    pub fn is_borrowed(&self) -> bool {
        matches!(self.fd, OwnedOrBorrowedFd::Borrowed(_))
    }
}

impl AsRawFd for Idle {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}
