//! The descriptor of a socket, as whoever drives it has it. What is read and written is not known here.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;

use socket2::{SockAddr, SockRef};

/// A connected, non-blocking stream socket.
///
/// The owner's event loop borrows the descriptor that the host has anyway: one descriptor a connection. A thread gets a
/// duplicate of its own: were it to use a descriptor that the host closes meanwhile, it would read and write whatever gets
/// the same number next.
#[derive(Clone, Debug)]
pub enum Descriptor {
    /// The host's. Whoever made this sees to it that the socket is destroyed before the host closes it.
    Borrowed(BorrowedFd<'static>),
    /// Closed with the last clone.
    Owned(Arc<socket2::Socket>),
}

impl Descriptor {
    /// What system calls are made on.
    pub(in crate::transport) fn socket(&self) -> SockRef<'_> {
        match self {
            Self::Borrowed(fd) => SockRef::from(fd),
            Self::Owned(socket) => SockRef::from(&**socket),
        }
    }

    /// The number, for pollers.
    pub fn number(&self) -> RawFd {
        match self {
            Self::Borrowed(fd) => fd.as_raw_fd(),
            Self::Owned(socket) => socket.as_raw_fd(),
        }
    }
}

/// The addresses of both ends of a connection; none where it is none of TCP, or not connected any more.
pub(in crate::transport) fn ends(socket: &socket2::Socket) -> (Option<SocketAddr>, Option<SocketAddr>) {
    let of = |address: io::Result<SockAddr>| address.ok()?.as_socket();
    (of(socket.local_addr()), of(socket.peer_addr()))
}
