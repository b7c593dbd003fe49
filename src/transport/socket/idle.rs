//! A socket with nothing in flight that its owner drives: its descriptor and its totals. Most sockets of a server are
//! idle most of the time.

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::sync::{Arc, PoisonError};

use super::state::State;
use super::write::Writer;
use super::{Borrowed, Mailbox, OwnedOrBorrowedFd, Socket, local_and_peer_addr, lock};
use crate::connection::{Config, Connection};

/// A socket with nothing in flight. The owner's [`Poller`](crate::transport::event_loop::Poller) knows the descriptor
/// by the token of the socket.
#[derive(Debug)]
pub struct Idle {
    fd: OwnedOrBorrowedFd,
    /// Bytes queued, all of which are written.
    written: u64,
    /// Bytes received, including the head of the handshake.
    read: u64,
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

    /// As [`Socket::bytes_read`].
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// As [`Socket::local_and_peer_addr`].
    pub fn local_and_peer_addr(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        local_and_peer_addr(&self.fd.socket())
    }

    /// As [`Socket::lend`].
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

    /// Makes a socket of it. `config` must be the configuration that the connection had; the rest is as for
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
    /// True if nothing is in flight, no request is open, and the caller has the only reference. Readiness that the
    /// owner remembers is not considered.
    pub fn is_idle(self: &Arc<Self>) -> bool {
        // With one reference, no other thread can get another.
        if Arc::strong_count(self) > 1 {
            return false;
        }
        let writer = lock(&self.writer);
        let state = lock(&self.state);
        writer.as_ref().is_some_and(Writer::is_done) && state.is_idle()
    }

    /// Reduces the socket to its idle form. `None` if it [is not idle](Self::is_idle); the socket is closed then.
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
