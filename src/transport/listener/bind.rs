//! A listening socket. The owner binds it (in Node, libuv does: addresses, flags and errors are Node's) and this module makes it
//! listen. Accepting is in `accepting`.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use mio::net::{TcpListener, UnixListener};
use socket2::{SockRef, Socket};

/// A listening socket over TCP or a Unix path. Dropping it closes its descriptor and nothing else: a path stays.
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
    /// Listens on a socket that has been bound. `backlog` is how many connections the system may hold before they are accepted.
    ///
    /// # Errors
    /// Those of the system. A TCP socket without a port is one whose `bind` has failed because the address is in use: libuv reports
    /// that when it is told to listen, and so does this; the system would choose another port.
    pub fn start(socket: Socket, backlog: i32) -> io::Result<Self> {
        let address = socket.local_addr()?.as_socket();
        if address.is_some_and(|address| address.port() == 0) {
            return Err(io::Error::from_raw_os_error(libc::EADDRINUSE));
        }
        socket.set_nonblocking(true)?;
        if address.is_some() {
            // Accepted connections inherit it, which saves a system call for each.
            socket.set_tcp_nodelay(true)?;
        }
        socket.listen(backlog)?;
        let source = match address {
            Some(_) => Source::Tcp(TcpListener::from_std(socket.into())),
            None => Source::Unix(UnixListener::from_std(OwnedFd::from(socket).into())),
        };
        Ok(Self { source })
    }

    /// Changes the backlog of a socket that listens.
    ///
    /// # Errors
    /// Those of the system.
    pub fn set_backlog(&self, backlog: i32) -> io::Result<()> {
        SockRef::from(self).listen(backlog)
    }

    /// The local address, over TCP.
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

/// Whether bytes may still be read from a connection.
pub(super) fn is_open(socket: &Socket) -> bool {
    let mut byte = [MaybeUninit::uninit()];
    match socket.peek(&mut byte) {
        Ok(length) => length > 0,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    }
}
