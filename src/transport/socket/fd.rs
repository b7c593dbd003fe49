//! The descriptor of a socket, and its owner: borrowed from the host, or owned. Closing and system calls that need no state are
//! here; reading is in `read`, writing in `write`.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use rustix::net::RecvFlags;
use socket2::{SockAddr, SockRef};

/// A descriptor borrowed from the host. Its maker guarantees that the socket is destroyed before the host closes it,
/// and that the event loop uses it only while the host runs.
#[derive(Clone, Debug)]
pub struct Borrowed {
    fd: BorrowedFd<'static>,
    /// The socket that the number named when it was borrowed.
    #[cfg(debug_assertions)]
    identity: Option<Identity>,
}

impl Borrowed {
    /// Borrows an open descriptor.
    pub fn new(fd: BorrowedFd<'static>) -> Self {
        Self {
            fd,
            #[cfg(debug_assertions)]
            identity: Identity::of(fd),
        }
    }

    /// Duplicates the descriptor. The caller owns the duplicate.
    ///
    /// # Errors
    /// If the descriptor is not open, or the process has none left.
    pub fn duplicate(&self) -> io::Result<OwnedFd> {
        self.fd().try_clone_to_owned()
    }

    /// The descriptor. Debug builds check that the number still names the same socket.
    fn fd(&self) -> &BorrowedFd<'static> {
        #[cfg(debug_assertions)]
        assert_eq!(Identity::of(self.fd), self.identity, "a borrowed descriptor was closed");
        &self.fd
    }
}

/// Device and inode of a socket, which are its own until all of its descriptors are closed.
#[cfg(debug_assertions)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity(u64, u64);

#[cfg(debug_assertions)]
impl Identity {
    fn of(fd: BorrowedFd<'_>) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::File::from(fd.try_clone_to_owned().ok()?).metadata().ok()?;
        Some(Self(metadata.dev(), metadata.ino()))
    }
}

/// The descriptor that an owner's event loop reads and writes: a connected, non-blocking stream socket.
#[derive(Debug)]
pub enum OwnedOrBorrowedFd {
    /// Owned by the host.
    Borrowed(Borrowed),
    /// Closed when dropped.
    Owned(socket2::Socket),
}

impl OwnedOrBorrowedFd {
    /// The socket, for system calls.
    pub(super) fn socket(&self) -> SockRef<'_> {
        match self {
            Self::Borrowed(borrowed) => SockRef::from(borrowed.fd()),
            Self::Owned(socket) => SockRef::from(socket),
        }
    }
}

impl OwnedOrBorrowedFd {
    /// True if the peer's address is on this machine: a loopback address, or none of IP.
    pub fn is_local(&self) -> bool {
        let peer = self.socket().peer_addr().ok().and_then(|address| address.as_socket());
        peer.is_none_or(|address| address.ip().to_canonical().is_loopback())
    }
}

impl AsRawFd for OwnedOrBorrowedFd {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Self::Borrowed(borrowed) => borrowed.fd.as_raw_fd(),
            Self::Owned(socket) => socket.as_raw_fd(),
        }
    }
}

/// A descriptor shared by the parts that move a socket's bytes.
///
/// The owner's event loop borrows the descriptor that the host has anyway: one descriptor per connection. An I/O
/// thread has a duplicate, because a borrowed descriptor that the host closes meanwhile would be another socket's.
#[derive(Clone, Debug)]
pub enum Descriptor {
    /// As [`OwnedOrBorrowedFd::Borrowed`].
    Borrowed(Borrowed),
    /// Closed with the last clone.
    Owned(Arc<socket2::Socket>),
}

impl From<OwnedOrBorrowedFd> for Descriptor {
    fn from(fd: OwnedOrBorrowedFd) -> Self {
        match fd {
            OwnedOrBorrowedFd::Borrowed(borrowed) => Self::Borrowed(borrowed),
            OwnedOrBorrowedFd::Owned(socket) => Self::Owned(Arc::new(socket)),
        }
    }
}

impl Descriptor {
    /// Takes the descriptor out, if this is the last clone.
    pub(super) fn into_fd(self) -> Option<OwnedOrBorrowedFd> {
        match self {
            Self::Borrowed(borrowed) => Some(OwnedOrBorrowedFd::Borrowed(borrowed)),
            Self::Owned(socket) => Arc::into_inner(socket).map(OwnedOrBorrowedFd::Owned),
        }
    }

    /// The socket, for system calls.
    pub(in crate::transport) fn socket(&self) -> SockRef<'_> {
        match self {
            Self::Borrowed(borrowed) => SockRef::from(borrowed.fd()),
            Self::Owned(socket) => SockRef::from(&**socket),
        }
    }

    /// Reads into `buffer`.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let (length, _) = rustix::net::recv(&*self.socket(), buffer, RecvFlags::empty())?;
        Ok(length)
    }

    /// The number, for pollers.
    pub fn number(&self) -> RawFd {
        match self {
            Self::Borrowed(borrowed) => borrowed.fd.as_raw_fd(),
            Self::Owned(socket) => socket.as_raw_fd(),
        }
    }
}

/// The addresses of a TCP socket: local, and of the peer. `None` for other sockets, or if it is not connected any
/// more.
pub(in crate::transport) fn local_and_peer_addr(
    socket: &socket2::Socket,
) -> (Option<SocketAddr>, Option<SocketAddr>) {
    let of = |address: io::Result<SockAddr>| address.ok()?.as_socket();
    (of(socket.local_addr()), of(socket.peer_addr()))
}
