//! Accepts one connection at a time, without blocking. When the process has no descriptors left, pending
//! connections are accepted into a reserved one and closed, as libuv does. Otherwise their clients would
//! hang, and a level-triggered poller would report them forever.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;

use socket2::Socket;

use super::bind::{ListeningSocket, Source};

/// Connections that are dropped in one call, at most.
const MAX_DROPPED: usize = 256;

/// The outcome of an attempt to accept.
pub(super) enum Accept {
    /// A connection, non-blocking.
    Connection(Socket),
    /// No connection is waiting; the poller reports the next.
    WouldBlock,
    /// Connections were dropped for want of descriptors; more may be waiting.
    Dropped,
    /// Accepting fails now, and the poller reports no event until another connection comes.
    Failed,
}

/// A descriptor in reserve, closed to make room when the process has no others.
#[derive(Debug, Default)]
pub(super) struct ReserveFd(Option<File>);

impl ReserveFd {
    /// Opens the descriptor if it is not open, as far as that is possible now.
    pub(super) fn refill(&mut self) {
        if self.0.is_none() {
            self.0 = File::open("/").ok();
        }
    }

    /// Accepts waiting connections and closes them.
    fn drop_connections(&mut self, listener: &ListeningSocket) -> Accept {
        self.refill();
        if self.0.take().is_none() {
            return Accept::Failed;
        }
        let outcome = (0..MAX_DROPPED).find_map(|_| match accept_once(listener) {
            Ok(_closed) => None,
            Err(error) if is_transient(&error) => None,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Some(Accept::WouldBlock),
            Err(_) => Some(Accept::Failed),
        });
        self.refill();
        outcome.unwrap_or(Accept::Dropped)
    }
}

/// Accepts a connection.
pub(super) fn accept(listener: &ListeningSocket, reserve: &mut ReserveFd) -> Accept {
    loop {
        return match accept_once(listener) {
            Ok(fd) => Accept::Connection(Socket::from(fd)),
            Err(error) if is_transient(&error) => continue,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Accept::WouldBlock,
            Err(error) if is_out_of_descriptors(&error) => reserve.drop_connections(listener),
            Err(_) => Accept::Failed,
        };
    }
}

fn accept_once(listener: &ListeningSocket) -> io::Result<OwnedFd> {
    match &listener.source {
        Source::Tcp(listener) => listener.accept().map(|(stream, _)| stream.into()),
        Source::Unix(listener) => listener.accept().map(|(stream, _)| stream.into()),
    }
}

/// True if the error concerns one connection, which is gone already, or an interrupted call.
fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted)
        || error.raw_os_error() == Some(libc::EPROTO)
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}
