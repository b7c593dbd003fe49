//! One plain TCP or Unix socket and its connection, whoever drives it: the owner's event loop (`event_loop`) or an I/O
//! thread (`io_threads`). Everything that the owner may do with it is here; when it is read is the driver's business.
//!
//! A received byte goes `receive` (reads the descriptor) -> connection -> [`SocketEvents`] -> owner, by way of the [`Mailbox`] if
//! it came on a thread. A sent one goes owner -> connection's output -> `writer` (writes the descriptor).
//!
//! * `descriptor`: borrowed from the host, or a duplicate for a thread.
//! * `handing_back`: the end of all this, where the host reads and writes its descriptor again.
//! * `idle`: what is kept of a socket that has nothing in flight.
//! * `state`: what both threads look at.
//! * `receive`, `writer`: the only places that read and write.
//! * `moving`: from one driver to the other.
//! * `reading`: whose turn it is to read while that happens.
//! * `undelivered`, `mailbox`: what waits for the owner, and how it is told by a thread (push, wake once, drain many).
//! * `news`: when it is told.
//!
//! Lock order: `writer`, then `state`, then a mailbox or a job queue. No lock that the owner waits for is
//! held while it is woken, and no JavaScript ever runs under one.

mod events;
mod fd;
mod handing_back;
mod idle;
mod mailbox;
mod migrate;
mod news;
mod read;
mod reading;
mod state;
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
pub use handing_back::Remains;
pub use idle::Idle;
pub use mailbox::{Mailbox, Wake};
pub(super) use read::Received;
pub use read::{READS_PER_TURN, RECEIVE_BUFFER, Taken};
pub(super) use state::Driver;
use state::{Shutdown, State};
pub(super) use sync::lock;
use write::Writer;

/// Undelivered inbound bytes above which a socket is not read until its owner has collected them. Large enough
/// for a busy owner to find work each time it looks, small enough that 1,000 stalled connections cost 256 MiB.
pub const INBOUND_HIGH_WATER: usize = 256 * 1024;

/// Whose thread it is that does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Owner,
    Thread,
}

/// What the owner of a socket that it drives itself has to see to after each thing that it did with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "facts that hold or not, independently of each other")]
pub struct Interest {
    /// There is something to collect.
    pub deliver: bool,
    /// To be read when readable.
    pub read: bool,
    /// Paused, but to be read when the peer has ended: a paused socket of Node's reads ahead, and so notices a reset, and an
    /// end that nothing is in front of.
    pub read_ahead: bool,
    /// To be written when writable.
    pub write: bool,
}

/// A connection and the descriptor that its bytes go through.
pub struct Socket {
    /// The owner's own number for it.
    token: u64,
    pub(super) state: Mutex<State>,
    /// The write half; `None` once destroyed, or when writing has failed.
    writer: Mutex<Option<Writer>>,
    /// Belongs to the owner, and holds sockets.
    mailbox: Weak<Mailbox>,
}

impl Socket {
    /// Takes over `fd` (a connected, non-blocking stream socket). `head` is what had been read from it before; `keys`
    /// masks the pongs which that may cause. The owner drives: it asks for the [`Socket::interest`] and lets
    /// [`event_loop`](super::event_loop) read and write, or gives the socket to a thread with [`Socket::move_to_thread`];
    /// from then on news comes to `mailbox` under `token`, for as long as the owner keeps the mailbox. `may_pong`:
    /// whether a thread may answer pings.
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

    /// Runs commands on the connection. What they queue goes out with [`Socket::flush`] or
    /// [`Socket::write_now`]. `None` once destroyed.
    pub fn with_connection<R>(&self, command: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        let mut state = lock(&self.state);
        if state.destroyed {
            return None;
        }
        let result = command(&mut state.connection);
        state.note_pending();
        Some(result)
    }

    /// What the owner has to see to if it drives this socket.
    pub fn interest(&self) -> Interest {
        lock(&self.state).interest()
    }

    /// Has the driver write what is queued: the I/O thread soon, or the owner now.
    pub fn flush(self: &Arc<Self>) {
        let driver = lock(&self.state).driver.clone();
        match driver {
            Driver::Owner => {
                self.write_now();
            }
            Driver::Thread(registration) => registration.worker.push(Job::Write(Arc::clone(self))),
        }
    }

    /// Swaps the news into `undelivered`, which must be empty. `false` when there is none to deliver now.
    pub fn collect(self: &Arc<Self>, undelivered: &mut SocketEvents) -> bool {
        debug_assert!(undelivered.is_empty());
        let mut state = lock(&self.state);
        if !news::look(&mut *state) {
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

    /// Takes back a frame that was inflated elsewhere: reading goes on.
    pub fn finish_inflate_job(self: &Arc<Self>, job: InflateJob, keys: &mut dyn MaskingKeys) {
        let mut state = lock(&self.state);
        if state.destroyed {
            return;
        }
        let State { connection, undelivered, .. } = &mut *state;
        connection.finish_inflate_job(job, keys, &mut undelivered.events);
        state.full = state.is_full();
        state.driver.look();
        self.announce(state, Side::Owner);
    }

    /// Stops reading, and delivering what was read. News of the output still comes, and so do a failure and an end that nothing
    /// is in front of: when the peer has ended, a little is [read ahead](Interest::read_ahead).
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
            self.announce(state, Side::Owner);
        }
    }

    /// Whether a thread may answer pings.
    pub fn set_may_pong(&self, may_pong: bool) {
        let mut state = lock(&self.state);
        state.may_pong = may_pong;
        state.choose_pongs();
    }

    /// Whether as much output as `mark` has been pending since none was: then [`SocketEvents::drained`] comes when none is.
    pub fn needs_drain(&self, mark: u64) -> bool {
        lock(&self.state).needs_drain(mark)
    }

    /// From now on says [`SocketEvents::drained`] whenever all output has gone out after as much as `mark` was pending.
    pub fn watch_drain(&self, mark: u64) {
        lock(&self.state).drain_mark = Some(mark);
    }

    /// From now on hands over the received bytes as they came, too, behind the events that they brought.
    pub fn tap(&self) {
        lock(&self.state).tapped = true;
    }

    /// Holds the output back, all but what was being written already, or lets it go again.
    pub fn cork(self: &Arc<Self>, corked: bool) {
        lock(&self.state).corked = corked;
        if !corked {
            self.flush();
        }
    }

    /// Asks for an [`SocketEvents::written`] once all that is queued now has been accepted by the kernel. One may answer
    /// several requests.
    pub fn notify(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        let total = state.connection.queued_total();
        state.notify_at.get_or_insert(total);
        state.notify_last = total;
        state.settle();
        self.announce(state, Side::Owner);
    }

    /// Sends a FIN after all that is queued, then says [`SocketEvents::shut_down`].
    pub fn shutdown(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        if state.shutdown == Shutdown::NotAsked && !state.destroyed {
            state.shutdown = Shutdown::Asked;
            drop(state);
            self.flush();
        }
    }

    /// Drops what is queued and unread, and lets go of the descriptor. Nothing is delivered any more.
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
        // Closing may take its time.
        drop((writer, descriptors));
    }

    /// Before [`Socket::destroy`]: takes the connection away if it waits for a frame that is inflated elsewhere.
    pub fn take_inflating(&self) -> Option<Connection> {
        let mut state = lock(&self.state);
        state.connection.is_inflating().then(|| state.connection.take())
    }

    /// Bytes received so far, the handshake's head included.
    pub fn bytes_read(&self) -> u64 {
        lock(&self.state).bytes_read
    }

    /// Puts the socket into the mailbox if it has news and is not known there; an owner that drives it looks for itself.
    pub(super) fn announce(self: &Arc<Self>, state: MutexGuard<'_, State>, side: Side) {
        let looks_itself = side == Side::Owner && matches!(state.driver, Driver::Owner);
        if looks_itself {
            return;
        }
        news::announce(state, || {
            if let Some(mailbox) = self.mailbox.upgrade() {
                mailbox.push(Arc::clone(self));
            }
        });
    }

    /// Has the task, if a thread drives, wait for what the state now says.
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
