//! What is left of a socket that has nothing in flight and that its owner drives: the descriptor, and how much has gone through
//! it. Most sockets of a host are so most of the time. Until something happens, nobody needs the rest.

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::sync::{Arc, PoisonError};

use super::state::State;
use super::write::Writer;
use super::{Borrowed, Mailbox, OwnedOrBorrowedFd, Socket, local_and_peer_addr, lock};
use crate::connection::{Config, Connection};

/// Clones of its descriptor that a socket has while its owner drives: the state has two, and the writer one.
const OWN_CLONES: usize = 3;

/// A socket with nothing in flight. The owner's [`Poller`](crate::transport::event_loop::Poller) knows its descriptor by the
/// token that the socket has when it is not idle.
#[derive(Debug)]
pub struct Idle {
    fd: OwnedOrBorrowedFd,
    /// Bytes that were queued, all of which are written.
    written: u64,
    /// Bytes received, the handshake's head included.
    read: u64,
}

/// Debug builds keep what they check, too.
#[cfg(not(debug_assertions))]
const _: () = assert!(size_of::<Idle>() <= 24);

impl Idle {
    /// Nothing was read or written yet.
    pub fn new(fd: OwnedOrBorrowedFd) -> Self {
        Self { fd, written: 0, read: 0 }
    }

    /// Bytes queued since the connection began, and written.
    pub fn written_total(&self) -> u64 {
        self.written
    }

    /// As [`Socket::bytes_read`].
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// As [`Socket::ends`].
    pub fn local_and_peer_addr(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        local_and_peer_addr(&self.fd.socket())
    }

    /// As [`Socket::lend`].
    pub fn lend(&mut self, borrowed: Borrowed) {
        if let OwnedOrBorrowedFd::Owned(socket) =
            std::mem::replace(&mut self.fd, OwnedOrBorrowedFd::Borrowed(borrowed))
        {
            debug_assert_eq!(socket.as_raw_fd(), self.fd.as_raw_fd());
            // The host has it.
            let _ = socket.into_raw_fd();
        }
    }

    /// Whether the descriptor is the host's: then the poller must be made to forget it before this is dropped.
    pub fn is_borrowed(&self) -> bool {
        matches!(self.fd, OwnedOrBorrowedFd::Borrowed(_))
    }

    /// Something is to be done with it. `config` must be what the connection was configured as; the rest is as for
    /// [`Socket::new`].
    pub fn wake(
        self,
        config: Arc<Config>,
        mailbox: &Arc<Mailbox>,
        token: u64,
        may_pong: bool,
    ) -> Arc<Socket> {
        let mut state = State::new(Connection::from_idle(config, self.written), self.fd.into(), may_pong);
        state.bytes_read = self.read;
        Socket::from_state(state, mailbox, token)
    }
}

impl AsRawFd for Idle {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl Socket {
    /// Whether nothing is in flight, nothing that was asked for is still to be done or told, and nobody else has the socket.
    /// Readiness that the owner keeps in mind, it knows itself.
    pub fn is_idle(self: &Arc<Self>) -> bool {
        // Nobody but the owner has it: so nobody can be given it.
        if Arc::strong_count(self) > 1 {
            return false;
        }
        let writer = lock(&self.writer);
        let state = lock(&self.state);
        writer.as_ref().is_some_and(Writer::is_done)
            && state.is_idle()
            && state.owner_fd.as_ref().is_some_and(|fd| fd.has_clones_up_to(OWN_CLONES))
    }

    /// Leaves of the socket what is to be kept of it while it [is idle](Self::is_idle). `None`, and the socket is no more,
    /// if it is not.
    pub fn into_idle(self: Arc<Self>) -> Option<Idle> {
        if !self.is_idle() {
            return None;
        }
        let Self { state, writer, .. } = Arc::into_inner(self)?;
        let State { connection, owner_fd, fd, bytes_read, .. } =
            state.into_inner().unwrap_or_else(PoisonError::into_inner);
        drop((writer, fd));
        Some(Idle { fd: owner_fd?.into_fd()?, written: connection.written_total(), read: bytes_read })
    }
}
