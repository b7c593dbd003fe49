//! Accepting: one connection at a time, without waiting. And what to do when the process has no descriptors left: what waits
//! is accepted into one that was kept for that, and closed, as libuv does it. Otherwise those who want to connect would hang,
//! and the event loop would be told of them again and again.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;

use socket2::Socket;

use super::bind::{ListeningSocket, Source};

/// Connections that are turned away at a time, at most.
const SHED: usize = 256;

/// What came of an attempt.
pub(super) enum Accepted {
    /// A connection, which does not block.
    One(Socket),
    /// Nobody waits any more; the poller will tell.
    Nobody,
    /// Some were turned away, and more may wait.
    Shed,
    /// It can't be done now. The poller tells only when the next one comes.
    Stalled,
}

/// A descriptor that is kept for the moment when there are no others.
#[derive(Debug, Default)]
pub(super) struct Spare(Option<File>);

impl Spare {
    /// Sees to it that there is one, if that can be.
    pub(super) fn keep(&mut self) {
        if self.0.is_none() {
            self.0 = File::open("/").ok();
        }
    }

    /// Accepts what waits and closes it.
    fn shed(&mut self, listening: &ListeningSocket) -> Accepted {
        self.keep();
        if self.0.take().is_none() {
            return Accepted::Stalled;
        }
        let outcome = (0..SHED).find_map(|_| match accept_once(listening) {
            Ok(_closed) => None,
            Err(error) if is_passing(&error) => None,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Some(Accepted::Nobody),
            Err(_) => Some(Accepted::Stalled),
        });
        self.keep();
        outcome.unwrap_or(Accepted::Shed)
    }
}

/// Accepts a connection.
pub(super) fn accept(listening: &ListeningSocket, spare: &mut Spare) -> Accepted {
    loop {
        return match accept_once(listening) {
            Ok(fd) => Accepted::One(Socket::from(fd)),
            Err(error) if is_passing(&error) => continue,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Accepted::Nobody,
            Err(error) if is_out_of_descriptors(&error) => spare.shed(listening),
            Err(_) => Accepted::Stalled,
        };
    }
}

fn accept_once(listening: &ListeningSocket) -> io::Result<OwnedFd> {
    match &listening.source {
        Source::Tcp(listener) => listener.accept().map(|(stream, _)| stream.into()),
        Source::Unix(listener) => listener.accept().map(|(stream, _)| stream.into()),
    }
}

/// Whether the next attempt is another matter: the connection is gone already.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted)
        || error.raw_os_error() == Some(libc::EPROTO)
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}
