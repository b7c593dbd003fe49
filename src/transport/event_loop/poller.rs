//! One epoll or kqueue instance for all sockets of an owner, edge-triggered. The owner's loop polls the descriptor of the poller.
//!
//! A libuv handle per socket is not possible: at the end of an environment Node closes its descriptors without notice, and libuv
//! aborts the process if a polled descriptor has been closed; epoll and kqueue drop it silently. A socket that pauses or resumes costs no
//! system call: readiness is reported once, and kept in [`Readiness`] until it is used up.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};

use super::LoopControl;
use crate::transport::socket::{Mailbox, RECEIVE_BUFFER, Socket};

/// Most sockets that one poll reports; the others follow in the next cycle.
const EVENTS: usize = 1024;

/// Events reported for a socket.
#[cfg(any(target_os = "linux", target_os = "android"))]
const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE).add(Interest::PRIORITY);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// Known readiness of a descriptor: it can be read or written until a system call shows otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "facts that hold or not, independently of each other")]
pub struct Readiness {
    /// There may be bytes to read.
    pub read: bool,
    /// The peer has ended, the connection has failed, or urgent data has arrived, at which a read stops short. Reported only once:
    /// reading must continue until it finds the end, or no bytes at all.
    pub ended: bool,
    /// Both sides have ended: no bytes follow those that the kernel holds now.
    pub hung_up: bool,
    /// The kernel may accept bytes again.
    pub write: bool,
}

impl Readiness {
    /// Union of both.
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

/// The poller of one owner, used on its thread only.
#[derive(Debug)]
pub struct Poller {
    poll: RefCell<Poll>,
    registry: Registry,
    /// Separate from `poll`, so that sockets may be added and removed while events are handled.
    events: RefCell<Events>,
}

impl Poller {
    /// # Errors
    /// If the system has no poller left.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        Ok(Self { poll: RefCell::new(poll), registry, events: RefCell::new(Events::with_capacity(EVENTS)) })
    }

    /// The descriptor that is readable while a socket is ready.
    pub fn fd(&self) -> RawFd {
        self.poll.borrow().as_raw_fd()
    }

    /// Registers the descriptor of a connection; present readiness is reported, too. Ends with [`Poller::remove_fd`], or when the
    /// descriptor is closed.
    ///
    /// # Errors
    /// If the descriptor cannot be polled.
    pub fn add_fd(&self, fd: &impl AsRawFd, token: u64) -> io::Result<()> {
        self.register(fd.as_raw_fd(), token, INTEREST)
    }

    /// As [`Poller::add_fd`], for a descriptor that is [watched](Poller::watch).
    ///
    /// # Errors
    /// If it is not.
    pub fn readd_fd(&self, fd: &impl AsRawFd, token: u64) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        self.registry.reregister(&mut SourceFd(&fd), token_of(token), INTEREST)
    }

    /// Registers a descriptor that has no connection yet, for reading; present readiness is reported, too. Ends with
    /// [`Poller::remove_fd`], or when the descriptor is closed.
    ///
    /// # Errors
    /// If the descriptor cannot be polled.
    pub fn watch(&self, fd: &impl AsRawFd, token: u64) -> io::Result<()> {
        self.register(fd.as_raw_fd(), token, Interest::READABLE)
    }

    fn register(&self, fd: RawFd, token: u64, interest: Interest) -> io::Result<()> {
        self.registry.register(&mut SourceFd(&fd), token_of(token), interest)
    }

    /// Removes a descriptor. It may still be among the events that are being handled.
    pub fn remove_fd(&self, fd: &impl AsRawFd) {
        // Fails only for a descriptor that was not added or is closed: it is not polled either.
        let _ = self.registry.deregister(&mut SourceFd(&fd.as_raw_fd()));
    }

    /// Removes a socket. It may still be among the events that are being handled.
    pub fn remove(&self, socket: &Socket) {
        self.remove_fd(&socket.owner_fd());
    }

    /// Reports each socket, by its token, that has become ready. Does not block.
    pub fn poll(&self, mut ready: impl FnMut(u64, Readiness)) {
        // A callback may run the loop; the outer cycle continues with these events later.
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
            ready(event.token().0 as u64, Readiness { read, ended, hung_up, write });
        }
    }
}

fn token_of(number: u64) -> Token {
    Token(usize::try_from(number).unwrap_or(usize::MAX))
}

/// Sockets that the poller has reported in one cycle.
#[derive(Default)]
pub(super) struct ReadyList {
    pub(super) list: Vec<(u64, Readiness)>,
    /// The cycle of the last report, and its tokens, if they were few.
    cycle: u64,
    last: Vec<u64>,
}

impl ReadyList {
    /// Moves sockets to the front that were reported in the cycle before, in the order of then, as a level-triggered poller does.
    pub(super) fn order(&mut self, cycle: u64) {
        if self.cycle + 1 == cycle && self.list.len() > 1 {
            let last = &self.last;
            let position = |token: u64| last.iter().position(|known| *known == token).unwrap_or(usize::MAX);
            self.list.sort_by_key(|(token, _)| position(*token));
        }
        self.cycle = cycle;
        self.last.clear();
        // A level-triggered poller reports writability only on request.
        let reported = self.list.iter().filter(|(_, ready)| ready.read || !ready.write);
        self.last.extend(reported.map(|(token, _)| *token));
    }
}

/// The parts of an event loop that it needs for sockets.
pub(super) struct Io {
    /// Sockets of I/O threads that have events.
    pub(super) mailbox: Arc<Mailbox>,
    /// Sockets that the event loop drives are read into this.
    pub(super) buffer: RefCell<Box<[u8]>>,
    /// `None` where the owner's loop cannot poll: then I/O threads drive all sockets.
    pub(super) poller: Option<Rc<Poller>>,
    /// `None` once they are closed.
    pub(super) handles: RefCell<Option<Box<dyn LoopControl>>>,
}

impl Io {
    pub(super) fn new(poller: Option<Rc<Poller>>, handles: Box<dyn LoopControl>) -> Self {
        Self {
            mailbox: Arc::new(Mailbox::new(handles.waker())),
            buffer: RefCell::new(vec![0; RECEIVE_BUFFER].into_boxed_slice()),
            poller,
            handles: RefCell::new(Some(handles)),
        }
    }
}
