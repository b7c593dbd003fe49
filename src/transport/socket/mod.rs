//! One plain TCP or Unix socket and its connection, driven by the owner's event loop (`event_loop`) or by an I/O
//! thread (`io_threads`) for its whole life. All operations of the owner are here; when a socket is read is up to its driver.
//!
//! * Received: `read` (descriptor) -> connection -> [`SocketEvents`] -> owner; from an I/O thread by way of the
//!   [`Mailbox`].
//! * Sent: owner -> the connection's output -> `write` (descriptor).
//!
//! Files:
//!
//! * `state`: the part shared by the owner and an I/O thread. `read`, `write`: system calls.
//! * `fd`: descriptors, borrowed from the host or owned. `transfer`: from the owner to an I/O thread, and back to
//!   the host.
//! * `events`, `mailbox`: undelivered events, and how an I/O thread announces them. `handoff`: the rules between
//!   threads.
//! * `idle`: a socket with nothing in flight.
//!
//! Lock order: `writer`, then `state`, then a mailbox or a job queue. No lock that the owner may wait for is held
//! during a wake-up, and no JavaScript runs under a lock.

mod events;
mod fd;
mod handoff;
mod idle;
mod mailbox;
mod read;
mod state;
mod transfer;
mod write;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use super::io_threads::Job;
use super::sync;
use crate::connection::{Connection, MaskingKeys};
use crate::protocol::deflate::InflateJob;

pub use events::{Fault, SocketEvents};
pub(in crate::transport) use fd::local_and_peer_addr;
pub use fd::{Borrowed, Descriptor, OwnedOrBorrowedFd};

pub use idle::Idle;
pub use mailbox::{Mailbox, Wake};
pub(super) use read::Received;
pub use read::{READS_PER_TURN, RECEIVE_BUFFER, Taken};
pub(super) use state::Driver;
use state::{Shutdown, State};
pub(super) use sync::lock;
pub use transfer::Remains;
use write::Writer;

/// Undelivered bytes above which a socket is not read until its owner collects. Large enough for a busy owner to find
/// work at each look, small enough that 1,000 stalled connections take 256 MiB.
pub const INBOUND_HIGH_WATER: usize = 256 * 1024;

/// The thread of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Owner,
    Thread,
}

/// Work left for a driver on the owner's thread, determined after each operation on a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "facts that hold or not, independently of each other")]
pub struct Interest {
    /// There are events to collect.
    pub deliver: bool,
    /// Read when readable.
    pub read: bool,
    /// Paused, but read if the peer has ended: a paused Node socket reads ahead, and so notices a reset, and an end
    /// that no event precedes.
    pub read_ahead: bool,
    /// Write when writable.
    pub write: bool,
}

/// A connection and its descriptor.
pub struct Socket {
    /// The owner's number for the socket.
    token: u64,
    pub(super) state: Mutex<State>,
    /// The write half; `None` once destroyed, or when writing has failed.
    writer: Mutex<Option<Writer>>,
    /// Held by the owner; it holds sockets.
    mailbox: Weak<Mailbox>,
}

impl Socket {
    /// Makes a socket of `fd`, a connected, non-blocking stream socket, driven by the owner. `head` is what was read
    /// from it before; `keys` masks pongs that it causes. After [`Socket::drive_on_thread`], events are announced in
    /// `mailbox`, under `token`, as long as the owner keeps the mailbox. `may_pong`: an I/O thread may answer pings.
    pub fn new(
        fd: Descriptor,
        connection: Connection,
        head: &[u8],
        keys: &mut dyn MaskingKeys,
        mailbox: &Arc<Mailbox>,
        token: u64,
        may_pong: bool,
    ) -> Arc<Self> {
        let mut state = State::new(connection, fd, may_pong);
        if !head.is_empty() {
            state.parse(head, keys);
            state.full = state.is_full();
        }
        Self::from_state(state, mailbox, token)
    }

    fn from_state(state: State, mailbox: &Arc<Mailbox>, token: u64) -> Arc<Self> {
        let writer = Mutex::new(state.owner_fd.clone().map(Writer::new));
        Arc::new(Self { token, state: Mutex::new(state), writer, mailbox: Arc::downgrade(mailbox) })
    }

    /// The number given to [`Socket::new`].
    pub fn token(&self) -> u64 {
        self.token
    }

    /// Runs a command on the connection. [`Socket::flush`] or [`Socket::write_now`] writes the output. `None` once
    /// destroyed.
    pub fn with_connection<R>(&self, command: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        let mut state = lock(&self.state);
        if state.destroyed {
            return None;
        }
        let result = command(&mut state.connection);
        state.note_pending();
        Some(result)
    }

    /// The interest of an owner that drives.
    pub fn interest(&self) -> Interest {
        lock(&self.state).interest()
    }

    /// Has the driver write queued output: an I/O thread soon, the owner now.
    pub fn flush(self: &Arc<Self>) {
        let driver = lock(&self.state).driver.clone();
        match driver {
            Driver::Owner => {
                self.write_now();
            }
            Driver::Thread(registration) => registration.worker.push(Job::Write(Arc::clone(self))),
        }
    }

    /// Swaps the events into `undelivered`, which must be empty. False if there are none to deliver now.
    pub fn collect(self: &Arc<Self>, undelivered: &mut SocketEvents) -> bool {
        debug_assert!(undelivered.is_empty());
        let mut state = lock(&self.state);
        if !handoff::begin_collecting(&mut *state) {
            return false;
        }
        if state.paused {
            let has_end = state.has_bare_end();
            *undelivered = state.undelivered.take_urgent(has_end);
        } else {
            std::mem::swap(&mut state.undelivered, undelivered);
        }
        if state.full && !state.is_full() {
            state.full = false;
            state.driver.look();
        }
        true
    }

    /// Returns a frame that another thread has inflated; reading goes on.
    pub fn finish_inflate_job(self: &Arc<Self>, job: InflateJob, keys: &mut dyn MaskingKeys) {
        let mut state = lock(&self.state);
        if state.destroyed {
            return;
        }
        let State { connection, undelivered, .. } = &mut *state;
        connection.finish_inflate_job(job, keys, &mut undelivered.events);
        state.full = state.is_full();
        state.driver.look();
        self.announce(state);
    }

    /// Stops reading and delivering. Events of the output are still delivered, as are a failure and an end that no
    /// event precedes: when the peer has ended, some bytes are [read ahead](Interest::read_ahead).
    pub fn pause(&self) {
        let mut state = lock(&self.state);
        state.paused = true;
        state.read_ahead = 0;
        state.driver.look();
    }

    /// Undoes [`Socket::pause`].
    pub fn resume(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        if state.paused && !state.destroyed {
            state.paused = false;
            state.driver.look();
            self.announce(state);
        }
    }

    /// Chooses whether an I/O thread answers pings.
    pub fn set_may_pong(&self, may_pong: bool) {
        let mut state = lock(&self.state);
        state.may_pong = may_pong;
        state.choose_pongs();
    }

    /// True if `mark` bytes of output have been pending since none was: then [`SocketEvents::drained`] is set when
    /// none is.
    pub fn needs_drain(&self, mark: u64) -> bool {
        lock(&self.state).needs_drain(mark)
    }

    /// From now on, sets [`SocketEvents::drained`] when all output has gone out after `mark` bytes were pending.
    pub fn watch_drain(&self, mark: u64) {
        lock(&self.state).drain_mark = Some(mark);
    }

    /// From now on, delivers received bytes unparsed, too, behind their events.
    pub fn tap(&self) {
        lock(&self.state).tapped = true;
    }

    /// Holds output back, except for bytes that are being written, or stops doing so.
    pub fn cork(self: &Arc<Self>, corked: bool) {
        lock(&self.state).corked = corked;
        if !corked {
            self.flush();
        }
    }

    /// Requests [`SocketEvents::written`] for the time when the kernel has accepted all output queued now. One may
    /// answer several requests.
    pub fn notify(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        let total = state.connection.queued_total();
        state.notify_at.get_or_insert(total);
        state.notify_last = total;
        state.settle();
        self.announce(state);
    }

    /// Sends a FIN after all queued output, then sets [`SocketEvents::shut_down`].
    pub fn shutdown(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        if state.shutdown == Shutdown::NotAsked && !state.destroyed {
            state.shutdown = Shutdown::Asked;
            drop(state);
            self.flush();
        }
    }

    /// Drops queued output and undelivered events, and releases the descriptor.
    pub fn destroy(self: &Arc<Self>) {
        let writer = lock(&self.writer).take();
        let mut state = lock(&self.state);
        if state.destroyed {
            return;
        }
        state.destroyed = true;
        state.undelivered = SocketEvents::default();
        let descriptors = (state.fd.take(), state.owner_fd.take());
        state.driver.look();
        drop(state);
        // Closing may take time: outside of the lock.
        drop((writer, descriptors));
    }

    /// Takes the connection, before [`Socket::destroy`], if it waits for a frame that is being inflated.
    pub fn take_inflating(&self) -> Option<Connection> {
        let mut state = lock(&self.state);
        state.connection.is_inflating().then(|| state.connection.take())
    }

    /// Bytes received, including the head of the handshake.
    pub fn bytes_read(&self) -> u64 {
        lock(&self.state).bytes_read
    }

    /// Puts the socket into the mailbox if it has events and is not there. Not needed for an owner that drives: it
    /// looks after each operation.
    pub(super) fn announce(self: &Arc<Self>, state: MutexGuard<'_, State>) {
        if matches!(state.driver, Driver::Owner) {
            return;
        }
        handoff::announce(state, || {
            if let Some(mailbox) = self.mailbox.upgrade() {
                mailbox.push(Arc::clone(self));
            }
        });
    }

    /// Wakes the task of an I/O thread, if one drives.
    pub(super) fn wake_task(&self) {
        if let Driver::Thread(registration) = &lock(&self.state).driver {
            registration.waker.wake();
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("token", &self.token).finish_non_exhaustive()
    }
}
