//! The `event_loop` transport: the owner's own thread reads, parses and writes, when its event loop says so. No other
//! thread, nothing to wait for.
//!
//! A [`Reactor`] is one poller for all sockets of an owner; its own descriptor is what the owner's loop polls. Why not a
//! handle of the loop a socket: the descriptors are the host's, which may close them at its end without telling (libuv aborts
//! the process over that; the kernel just forgets them). And a socket that pauses or resumes costs no system call: readiness
//! is told once, and noted in [`Ready`] until it is used up.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};

use super::socket::{Side, Socket, Standing, Taken};
use crate::connection::MaskingKeys;

/// Sockets that one look at the poller tells of at most; the others come with the next turn of the loop.
const EVENTS: usize = 1024;

/// What the poller tells of a socket.
#[cfg(any(target_os = "linux", target_os = "android"))]
const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE).add(Interest::PRIORITY);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// What is known of a descriptor: that it can be read or written, until trying shows otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "facts that hold or not, independently of each other")]
pub struct Ready {
    /// There may be something to read.
    pub read: bool,
    /// The peer has ended, or the connection has failed, or urgent data has come, at which a read stops short. It is told only
    /// once: reading must go on until it finds the end, or that there is nothing at all.
    pub ended: bool,
    /// And so has this side: nothing will ever come behind what the kernel holds now.
    pub hung_up: bool,
    /// It may take bytes again.
    pub write: bool,
}

impl Ready {
    /// All that is known when `other` is, too.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            read: self.read || other.read,
            ended: self.ended || other.ended,
            hung_up: self.hung_up || other.hung_up,
            write: self.write || other.write,
        }
    }
}

/// The poller of one owner. Belongs to its thread.
#[derive(Debug)]
pub struct Reactor {
    poll: RefCell<Poll>,
    registry: Registry,
    /// Apart, so that sockets may come and go while events are handled.
    events: RefCell<Events>,
}

impl Reactor {
    /// # Errors
    /// When the system gives no poller.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        Ok(Self { poll: RefCell::new(poll), registry, events: RefCell::new(Events::with_capacity(EVENTS)) })
    }

    /// The descriptor that is readable when a socket is ready.
    pub fn fd(&self) -> RawFd {
        self.poll.borrow().as_raw_fd()
    }

    /// Polls a socket that the owner drives; what is ready now is told, too. It must be removed before the owner drives it
    /// no longer, or its descriptor may have another life.
    ///
    /// # Errors
    /// When the descriptor is nothing that can be polled.
    pub fn add(&self, socket: &Socket) -> io::Result<()> {
        let fd = socket.home();
        let token = token_of(socket.token());
        self.registry.register(&mut SourceFd(&fd), token, INTEREST)
    }

    /// As [`Reactor::add`], for a socket that is idle, or will be made over this descriptor. It ends with [`Reactor::forget`], or
    /// when the descriptor is closed.
    ///
    /// # Errors
    /// When the descriptor is nothing that can be polled.
    pub fn add_home(&self, home: &impl AsRawFd, token: u64) -> io::Result<()> {
        let fd = home.as_raw_fd();
        self.registry.register(&mut SourceFd(&fd), token_of(token), INTEREST)
    }

    /// As [`Reactor::add_home`], where the descriptor is [watched](Reactor::watch).
    ///
    /// # Errors
    /// When it is not.
    pub fn take_over(&self, home: &impl AsRawFd, token: u64) -> io::Result<()> {
        let fd = home.as_raw_fd();
        self.registry.reregister(&mut SourceFd(&fd), token_of(token), INTEREST)
    }

    /// Polls a descriptor that is no socket's yet, for something to read; what is there now is told, too. It ends with
    /// [`Reactor::forget`], or when the descriptor is closed.
    ///
    /// # Errors
    /// When the descriptor is nothing that can be polled.
    pub fn watch(&self, fd: &impl AsRawFd, token: u64) -> io::Result<()> {
        self.registry.register(&mut SourceFd(&fd.as_raw_fd()), token_of(token), Interest::READABLE)
    }

    /// Polls a descriptor no longer that is no socket's now. It may still be among the events that are being
    /// handled.
    pub fn forget(&self, fd: &impl AsRawFd) {
        let _ = self.registry.deregister(&mut SourceFd(&fd.as_raw_fd()));
    }

    /// Polls a socket no longer. It may still be among the events that are being handled.
    pub fn remove(&self, socket: &Socket) {
        let fd = socket.home();
        // Fails only where it was not added, or its descriptor is closed: then it is not polled either.
        let _ = self.registry.deregister(&mut SourceFd(&fd));
    }

    /// Tells of each socket, by its token, that has become ready. Does not wait.
    pub fn turn(&self, mut ready: impl FnMut(u64, Ready)) {
        // Somebody runs the loop inside of a callback: the outer turn goes on with these events later.
        let Ok(mut events) = self.events.try_borrow_mut() else { return };
        match self.poll.borrow_mut().poll(&mut events, Some(Duration::ZERO)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return,
            _ => {}
        }
        for event in &*events {
            let ended = event.is_error() || event.is_read_closed() || event.is_write_closed();
            let (read, write) = (ended || event.is_readable(), ended || event.is_writable());
            let ended = ended || event.is_priority();
            let hung_up = event.is_read_closed() && event.is_write_closed();
            ready(event.token().0 as u64, Ready { read, ended, hung_up, write });
        }
    }
}

fn token_of(number: u64) -> Token {
    Token(usize::try_from(number).unwrap_or(usize::MAX))
}

/// Reads what the kernel holds, up to four buffers full, into `buffer` and through the connection; the owner collects the
/// news. `ended`: as in [`Ready`].
pub fn read(socket: &Socket, ended: bool, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> Taken {
    socket.receive_on_owner(ended, buffer, keys)
}

/// Reads what the kernel holds of a paused socket whose peer has ended, up to a buffer full: see [`Standing::ahead`].
pub fn read_ahead(socket: &Socket, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> Taken {
    socket.receive_ahead(buffer, keys)
}

/// Reads once into `buffer`, where large messages stay: they are to be collected, or [left](Socket::leave_chunk), before the
/// buffer is used for anything else. `ended`: as in [`Ready`].
pub fn read_in_place(socket: &Socket, ended: bool, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> Taken {
    socket.receive_in_place(ended, buffer, keys)
}

/// Reads once into `rest`, the memory that a frame which the connection has lent has left. `ended`: as in [`Ready`].
pub fn read_lent(socket: &Socket, ended: bool, rest: &mut [u8], keys: &mut dyn MaskingKeys) -> Taken {
    socket.receive_lent(ended, rest, keys)
}

/// Writes what waits, as far as the kernel takes it. Returns what the owner has to see to now.
pub fn write(socket: &Arc<Socket>) -> Standing {
    socket.write_out(Side::Owner)
}
