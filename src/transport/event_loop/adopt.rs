//! Adopting a socket: where its descriptor comes from, and how it gets onto the poller. Called by
//! `EventLoop::adopt`. Reads nothing and starts no I/O thread.

use std::io;
use std::sync::Arc;

use super::Poller;
use crate::connection::Config;
use crate::transport::socket::{Borrowed, OwnedOrBorrowedFd};

/// A socket to adopt, and how.
pub struct AdoptRequest<'a> {
    /// The socket.
    pub source: Source<'a>,
    /// Configuration of the connection.
    pub config: Arc<Config>,
    /// Bytes that were read from the socket behind the opening handshake.
    pub head: &'a [u8],
    /// An I/O thread is to drive, not the event loop. One drives in any case if the poller cannot watch the descriptor.
    pub on_thread: bool,
    /// Nothing is read before [`SocketCommand::Resume`](super::SocketCommand::Resume), which events in `head` wait for, too.
    pub is_paused: bool,
}

/// Origin of a socket to adopt.
pub enum Source<'a> {
    /// A socket of the host, which keeps the descriptor.
    Host(Borrowed),
    /// A socket of a test.
    #[cfg(test)]
    Owned(socket2::Socket),
    /// An accepted connection. `response` is written to it first.
    Accepted {
        /// The number of the connection.
        number: u32,
        /// End of the opening handshake.
        response: &'a [u8],
    },
}

/// The socket of a request, ready to be driven.
pub(super) struct Opened<'a> {
    pub(super) fd: OwnedOrBorrowedFd,
    /// On the poller. If not, an I/O thread must drive the socket.
    pub(super) is_polled: bool,
    /// Bytes of the response that the kernel has not accepted.
    pub(super) unsent: &'a [u8],
}

impl<'a> Source<'a> {
    /// Opens the socket, and puts it onto the poller under `token` unless it is to be `on_thread`. `take` takes an accepted connection
    /// and tells whether the poller watches it.
    ///
    /// # Errors
    /// If there is no such connection.
    pub(super) fn open(
        self,
        poller: Option<&Poller>,
        token: u64,
        on_thread: bool,
        take: impl FnOnce(u32) -> Option<(socket2::Socket, bool)>,
    ) -> io::Result<Opened<'a>> {
        let (fd, is_watched, unsent) = match self {
            Self::Host(fd) => (OwnedOrBorrowedFd::Borrowed(fd), false, &[][..]),
            #[cfg(test)]
            Self::Owned(socket) => (OwnedOrBorrowedFd::Owned(socket), false, &[][..]),
            Self::Accepted { number, response } => {
                let (socket, is_watched) =
                    take(number).ok_or_else(|| io::Error::other("no such connection"))?;
                let fd = OwnedOrBorrowedFd::Owned(socket);
                let unsent = fd.begin(response);
                (fd, is_watched, unsent)
            }
        };
        // A descriptor that the poller refuses can still be driven by an I/O thread.
        let is_polled = !on_thread
            && poller.is_some_and(|poller| {
                let added = if is_watched { poller.readd_fd(&fd, token) } else { poller.add_fd(&fd, token) };
                added.is_ok()
            });
        if is_watched
            && !is_polled
            && let Some(poller) = poller
        {
            poller.remove_fd(&fd);
        }
        Ok(Opened { fd, is_polled, unsent })
    }
}
