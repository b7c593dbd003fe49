//! A listening socket. The owner binds it (in Node libuv does, so that addresses, flags and errors are
//! Node's); this module makes it listen. `accept` accepts connections from it.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use mio::net::{TcpListener, UnixListener};
use socket2::{SockRef, Socket};

/// A listening socket over TCP or a Unix path. Dropping it closes its descriptor; a path is not removed.
#[derive(Debug)]
pub struct ListeningSocket {
    pub(super) source: Source,
}

#[derive(Debug)]
pub(super) enum Source {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl ListeningSocket {
    /// Listens on a bound socket. `backlog`: connections that the kernel queues before they are accepted.
    ///
    /// # Errors
    /// Those of the system calls. `EADDRINUSE` for a TCP socket without a port: its `bind` has failed with
    /// that error, which libuv reports when it listens. The kernel would choose another port.
    pub fn start(socket: Socket, backlog: i32) -> io::Result<Self> {
        let address = socket.local_addr()?.as_socket();
        if address.is_some_and(|address| address.port() == 0) {
            return Err(io::Error::from_raw_os_error(libc::EADDRINUSE));
        }
        socket.set_nonblocking(true)?;
        if address.is_some() {
            // Accepted connections inherit it, which saves a system call each.
            socket.set_tcp_nodelay(true)?;
        }
        socket.listen(backlog)?;
        let source = match address {
            Some(_) => Source::Tcp(TcpListener::from_std(socket.into())),
            None => Source::Unix(UnixListener::from_std(OwnedFd::from(socket).into())),
        };
        Ok(Self { source })
    }

    /// Changes the backlog while listening.
    ///
    /// # Errors
    /// Those of `listen(2)`.
    pub fn set_backlog(&self, backlog: i32) -> io::Result<()> {
        SockRef::from(self).listen(backlog)
    }

    /// The local address. `None` unless over TCP.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.source {
            Source::Tcp(listener) => listener.local_addr().ok(),
            Source::Unix(_) => None,
        }
    }
}

impl AsFd for ListeningSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.source {
            Source::Tcp(listener) => listener.as_fd(),
            Source::Unix(listener) => listener.as_fd(),
        }
    }
}

impl AsRawFd for ListeningSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
