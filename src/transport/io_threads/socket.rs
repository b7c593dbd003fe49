//! One socket on an I/O thread: the state it shares with its owner, and everything the owner may do with it.
//!
//! The owner never waits for the network here; it may wait for a moment while the thread holds a lock.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use atomic_waker::AtomicWaker;

use super::inbox::{Fault, Inbox};
use super::mailbox::Mailbox;
use super::shard::{self, Job, Shard};
use super::writer::Writer;
use super::{INBOUND_HIGH_WATER, lock};
use crate::connection::{Connection, MaskingKeys};

/// What a shutdown of the write side waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shutdown {
    NotAsked,
    /// All output must go out first.
    Asked,
    Done,
}

/// What both threads look at.
#[allow(clippy::struct_excessive_bools, reason = "facts that hold or not, independently of each other")]
pub(super) struct State {
    pub(super) connection: Connection,
    pub(super) inbox: Inbox,
    /// In the mailbox, and not collected since.
    pub(super) announced: bool,
    /// The owner wants nothing read, and nothing delivered of what was read.
    pub(super) paused: bool,
    /// The inbox is over its high-water mark.
    pub(super) full: bool,
    /// The kernel refused output; the task waits until the descriptor is writable.
    pub(super) blocked: bool,
    /// The owner wants the received bytes, too.
    pub(super) tapped: bool,
    /// The owner holds the output back.
    pub(super) corked: bool,
    /// Much output was refused since the inbox last said `drained`.
    pub(super) over_mark: bool,
    /// Nothing more is to be read: FIN, or a system call failed.
    pub(super) ended: bool,
    /// A system call failed; the owner has been told, or finds it in the inbox.
    pub(super) failed: bool,
    pub(super) destroyed: bool,
    /// Output total at which the owner is told next.
    pub(super) notify_at: Option<u64>,
    /// The last output total that it asked for. Kept apart: an owner that asks again and again is told on the way.
    pub(super) notify_last: u64,
    pub(super) shutdown: Shutdown,
    pub(super) bytes_read: u64,
}

impl State {
    /// Parses received bytes into the inbox.
    pub(super) fn parse(&mut self, chunk: &[u8], keys: &mut dyn MaskingKeys) {
        self.bytes_read += chunk.len() as u64;
        self.connection.receive(chunk, keys, &mut self.inbox.events);
        if self.tapped {
            self.inbox.raw.extend_from_slice(chunk);
        }
    }

    /// Whether the inbox holds as much as it may.
    pub(super) fn is_full(&self) -> bool {
        let Inbox { events, raw, .. } = &self.inbox;
        // An event without payload still costs a record.
        events.payload_bytes() + 32 * events.len() + raw.len() > INBOUND_HIGH_WATER
    }

    /// Notes in the inbox what the owner asked to be told about the output, now that some of it went out.
    pub(super) fn settle(&mut self) {
        let written = self.connection.written_total();
        if self.notify_at.is_some_and(|at| written >= at) {
            self.notify_at = (written < self.notify_last).then_some(self.notify_last);
            self.inbox.written = Some(written);
        }
        if self.over_mark && self.connection.pending() == 0 {
            self.over_mark = false;
            self.inbox.drained = true;
        }
    }

    /// Whether the owner is to be handed something now.
    fn has_news(&self) -> bool {
        let waiting = if self.paused { self.inbox.has_urgent() } else { !self.inbox.is_empty() };
        waiting && !self.destroyed
    }
}

/// A connection whose descriptor is read and written by an I/O thread.
pub struct Socket {
    /// The owner's own number for it.
    token: u64,
    pub(super) state: Mutex<State>,
    /// The write half; `None` once destroyed.
    pub(super) writer: Mutex<Option<Writer>>,
    /// Wakes the task on the shard.
    pub(super) waker: AtomicWaker,
    pub(super) shard: Arc<Shard>,
    /// Belongs to the owner, and holds sockets.
    mailbox: Weak<Mailbox>,
}

impl Socket {
    /// Takes over `fd` (a connected stream socket of its own; made non-blocking here). `head` is what had been
    /// read from it before; `keys` masks the pongs which that may cause. News comes to `mailbox` under `token`, for
    /// as long as the owner keeps the mailbox.
    ///
    /// # Errors
    /// When the descriptor or an I/O thread is not to be had; the connection is lost then, so the caller makes
    /// a new one.
    #[allow(clippy::needless_pass_by_value, reason = "only a weak one is kept")]
    pub fn adopt(
        fd: socket2::Socket,
        connection: Connection,
        head: &[u8],
        keys: &mut dyn MaskingKeys,
        mailbox: Arc<Mailbox>,
        token: u64,
    ) -> io::Result<Arc<Self>> {
        fd.set_nonblocking(true)?;
        let lease = shard::lease()?;
        let shard = Arc::clone(lease.shard());
        let fd = Arc::new(fd);
        let mut state = State {
            connection,
            inbox: Inbox::default(),
            announced: false,
            paused: false,
            full: false,
            blocked: false,
            corked: false,
            tapped: false,
            over_mark: false,
            ended: false,
            failed: false,
            destroyed: false,
            notify_at: None,
            notify_last: 0,
            shutdown: Shutdown::NotAsked,
            bytes_read: 0,
        };
        if !head.is_empty() {
            state.parse(head, keys);
            state.full = state.is_full();
        }
        let replies = !state.connection.output().is_empty();
        let socket = Arc::new(Self {
            token,
            state: Mutex::new(state),
            writer: Mutex::new(Some(Writer::new(Arc::clone(&fd)))),
            waker: AtomicWaker::new(),
            shard,
            mailbox: Arc::downgrade(&mailbox),
        });
        socket.shard.push(Job::Adopt(Arc::clone(&socket), fd, lease));
        // The head may have held pings; nobody else knows of their pongs.
        if replies {
            socket.flush();
        }
        socket.announce(lock(&socket.state));
        Ok(socket)
    }

    /// The number given to [`Socket::adopt`].
    pub fn token(&self) -> u64 {
        self.token
    }

    /// Runs commands on the connection. What they queue goes out with [`Socket::flush`] or
    /// [`Socket::write_now`]. `None` once destroyed.
    pub fn with_connection<R>(&self, command: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        let mut state = lock(&self.state);
        if state.destroyed { None } else { Some(command(&mut state.connection)) }
    }

    /// Asks the I/O thread to write what is queued.
    pub fn flush(self: &Arc<Self>) {
        self.shard.push(Job::Write(Arc::clone(self)));
    }

    /// Swaps the news into `inbox`, which must be empty. `false` when there is none to deliver now.
    pub fn collect(self: &Arc<Self>, inbox: &mut Inbox) -> bool {
        debug_assert!(inbox.is_empty());
        let mut state = lock(&self.state);
        state.announced = false;
        if !state.has_news() {
            return false;
        }
        if state.paused {
            *inbox = state.inbox.take_urgent();
        } else {
            std::mem::swap(&mut state.inbox, inbox);
        }
        if state.full && !state.is_full() {
            state.full = false;
            self.shard.push(Job::Look(Arc::clone(self)));
        }
        true
    }

    /// Stops reading, and delivering what was read. News of the output still comes, and so does a failure, behind all
    /// that was read before it.
    pub fn pause(&self) {
        lock(&self.state).paused = true;
    }

    /// Undoes [`Socket::pause`].
    pub fn resume(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        if state.paused && !state.destroyed {
            state.paused = false;
            self.announce(state);
            self.shard.push(Job::Look(Arc::clone(self)));
        }
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

    /// Asks for an [`Inbox::written`] once all that is queued now has been accepted by the kernel. One may answer
    /// several requests.
    pub fn notify(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        let total = state.connection.queued_total();
        state.notify_at.get_or_insert(total);
        state.notify_last = total;
        state.settle();
        self.announce(state);
    }

    /// Sends a FIN after all that is queued, then says [`Inbox::shut_down`].
    pub fn shutdown(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        if state.shutdown == Shutdown::NotAsked && !state.destroyed {
            state.shutdown = Shutdown::Asked;
            drop(state);
            self.flush();
        }
    }

    /// Drops what is queued and unread, and closes the descriptor. Nothing is delivered any more.
    pub fn destroy(self: &Arc<Self>) {
        let writer = lock(&self.writer).take();
        {
            let mut state = lock(&self.state);
            if state.destroyed {
                return;
            }
            state.destroyed = true;
            state.inbox = Inbox::default();
        }
        drop(writer);
        self.shard.push(Job::Look(Arc::clone(self)));
    }

    /// Bytes received so far, the handshake's head included.
    pub fn bytes_read(&self) -> u64 {
        lock(&self.state).bytes_read
    }

    /// Puts the socket into the mailbox if it has news and is not there yet. Gives the lock back first: an owner that
    /// wakes up looks at the state at once.
    pub(super) fn announce(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if state.announced || !state.has_news() {
            return;
        }
        state.announced = true;
        drop(state);
        if let Some(mailbox) = self.mailbox.upgrade() {
            mailbox.push(Arc::clone(self));
        }
    }

    /// A system call failed: nothing more is read or written, and the owner is told once.
    pub(super) fn fail(self: &Arc<Self>, mut state: MutexGuard<'_, State>, fault: Fault) {
        state.ended = true;
        state.blocked = false;
        if !state.failed {
            state.failed = true;
            state.inbox.fault = Some(fault);
        }
        self.announce(state);
    }

    pub(super) fn wake_task(&self) {
        self.waker.wake();
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("token", &self.token).finish_non_exhaustive()
    }
}
