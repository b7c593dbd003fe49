//! One plain TCP or Unix socket and its connection, driven by the owner's event loop (`event_loop`) or by an I/O
//! thread (`io_threads`) for its whole life. All operations of the owner are here; when a socket is read is up to its driver.
//!
//! * Received: `read` (descriptor) -> connection -> [`SocketEvents`] -> owner; from an I/O thread by way of the
//!   [`Mailbox`].
//! * Sent: owner -> the connection's output -> `write` (descriptor).
//!
//! Files:
//!
//! * `state`: the part shared by the owner and an I/O thread, and undelivered events. `read`, `write`: system calls.
//! * `fd`: descriptors, borrowed from the host or owned. `transfer`: from the owner to an I/O thread, to and from idle, and
//!   back to the host.
//! * `mailbox`: how an I/O thread announces events. `handoff`: the rules between threads.
//! * `idle`: a socket with nothing in flight.
//!
//! Lock order: `writer`, then `state`, then a mailbox or a job queue. No lock that the owner may wait for is held
//! during a wake-up, and no JavaScript runs under a lock.

mod fd;
mod handoff;
mod idle;
mod mailbox;
mod read;
mod state;
mod transfer;
mod write;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use super::io_threads::Job;
use super::sync;
use crate::connection::{Connection, EventBatch, EventMemory, MaskingKeys, Output};
use crate::protocol::deflate::InflateJob;

pub(in crate::transport) use fd::local_and_peer_addr;
pub use fd::{Borrowed, Descriptor, OwnedOrBorrowedFd};
#[cfg(test)]
use handoff::Reading;
use handoff::lock_unread;

pub(super) use super::turn::Side;
pub use super::turn::{Interest, READS_PER_TURN, RECEIVE_BUFFER, Stop};
pub use idle::Idle;
pub use mailbox::{Mailbox, Wake};
pub use read::Taken;
pub(super) use state::Driver;
pub use state::{Fault, INBOUND_HIGH_WATER, SocketEvents};
use state::{Shutdown, State};
pub(super) use sync::lock;
pub use transfer::Remains;
use write::{LOST_MEMORY, THREAD_TURN, Writer};
pub use write::{SentExternal, WRITE_TURN, Written};

/// A connection and its descriptor.
pub struct Socket {
    /// The owner's number for the socket.
    token: u64,
    state: Mutex<State>,
    /// The write half; `None` once destroyed, or when writing has failed.
    writer: Mutex<Option<Writer>>,
    /// True while the owner waits for the write half; an I/O thread does not begin another system call then.
    owner_waits: AtomicBool,
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
        Arc::new(Self {
            token,
            state: Mutex::new(state),
            writer,
            owner_waits: AtomicBool::new(false),
            mailbox: Arc::downgrade(mailbox),
        })
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
            Driver::Thread(registration) => registration.worker.push(Job::Write(Arc::<Self>::clone(self))),
        }
    }

    /// Reads on the owner's thread, up to [`READS_PER_TURN`] full buffers, and parses. `ended`: the end is not
    /// reported again, so reading goes on until it is found. `memory` is for the events.
    pub fn receive_on_owner(
        &self,
        ended: bool,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
        memory: &mut EventMemory,
    ) -> Taken {
        let mut state = lock(&self.state);
        memory.lend(&mut state.undelivered.events);
        let taken = state.receive(ended, buffer, keys);
        memory.reclaim(&mut state.undelivered.events);
        taken
    }

    /// As [`Socket::receive_on_owner`], but reads once and in place: large messages stay in `buffer`, see
    /// [`Connection::receive_in_place`](crate::connection::Connection::receive_in_place).
    pub(super) fn receive_in_place(
        &self,
        ended: bool,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
        memory: &mut EventMemory,
    ) -> Taken {
        let mut state = lock(&self.state);
        memory.lend(&mut state.undelivered.events);
        let taken = state.receive_once(ended, buffer, keys, State::parse_in_place);
        memory.reclaim(&mut state.undelivered.events);
        taken
    }

    /// Reads once into `rest`, the remaining memory of a detached frame; nothing is parsed.
    pub(super) fn receive_detached(&self, ended: bool, rest: &mut [u8], keys: &mut dyn MaskingKeys) -> Taken {
        lock(&self.state).receive_once(ended, rest, keys, State::note)
    }

    /// Reads up to one buffer from a paused socket whose peer has ended.
    pub(super) fn receive_ahead(&self, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> Taken {
        lock(&self.state).receive_ahead(buffer, keys)
    }

    /// Reads once from a paused socket that is about to be destroyed, and swaps all events into `undelivered`, which
    /// must be empty: Node's socket would have read these bytes ahead and kept them for its user. Does nothing for a
    /// socket that is not paused, whose owner has collected all that it needs.
    pub fn last_read(&self, buffer: &mut [u8], keys: &mut dyn MaskingKeys, undelivered: &mut SocketEvents) {
        debug_assert!(undelivered.is_empty());
        // Bytes that a thread is reading come first.
        lock_unread(&self.state).last_read(buffer, keys, undelivered);
    }

    /// True while an I/O thread is reading.
    #[cfg(test)]
    pub(super) fn is_being_read(&self) -> bool {
        lock(&self.state).is_being_read()
    }

    /// Runs `access` on the connection and its undelivered events, for messages received into memory of the owner.
    pub(super) fn with_events<R>(&self, access: impl FnOnce(&mut Connection, &mut EventBatch) -> R) -> R {
        let State { connection, undelivered, .. } = &mut *lock(&self.state);
        access(connection, &mut undelivered.events)
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

    /// Chooses whether an I/O thread answers pings. False if it may not yet: the owner has not collected an unanswered ping, whose
    /// pong must precede those of the thread.
    pub fn set_may_pong(&self, may_pong: bool) -> bool {
        let mut state = lock(&self.state);
        if may_pong && state.undelivered.events.has_unanswered_ping() {
            return false;
        }
        state.may_pong = may_pong;
        state.choose_pongs();
        true
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
        let writer = self.lock_writer().take();
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

    /// Locks the write half on the owner's thread. A thread that is writing stops after its present system call, and
    /// begins again later.
    fn lock_writer(&self) -> MutexGuard<'_, Option<Writer>> {
        // A thread holds the lock while it writes; one that finds it set does not begin.
        self.owner_waits.store(true, Ordering::Relaxed);
        let writer = lock(&self.writer);
        self.owner_waits.store(false, Ordering::Relaxed);
        writer
    }

    /// Has threads find the owner waiting for the write half, or not.
    #[cfg(test)]
    pub(super) fn set_owner_waits(&self, waits: bool) {
        self.owner_waits.store(waits, Ordering::Relaxed);
    }

    /// Writes queued output on the owner's thread, as much as the kernel accepts now in one turn, up to an external
    /// segment. Returns the bytes still pending.
    pub fn write_now(&self) -> u64 {
        // After a refusal, the driver writes when the descriptor is writable; until then a try is a wasted call.
        let blocked = lock(&self.state).blocked;
        if !blocked {
            let mut turn = WRITE_TURN;
            if matches!(self.write(&mut turn, &[]).stop, Stop::Refused | Stop::More) {
                self.wake_task();
            }
        }
        self.with_connection(|connection| connection.pending()).unwrap_or(0)
    }

    /// Sends an unmasked message behind all output. If the socket is free (nothing that was taken is unsent, and the kernel
    /// has refused nothing) and `turn` is not 0, output is written up to the end of the message, as by
    /// [`Socket::write`]. The rest of the payload becomes an external segment.
    pub fn send_external(&self, binary: bool, fin: bool, payload: &[u8], mut turn: usize) -> SentExternal {
        let mut guard = lock(&self.writer);
        let Some(writer) = guard.as_mut() else { return SentExternal::Nothing };
        let mut state = lock(&self.state);
        if !matches!(state.driver, Driver::Owner) || state.destroyed {
            return SentExternal::Nothing;
        }
        let is_free = turn > 0 && !(state.blocked || state.corked) && writer.is_done();
        if !is_free {
            state.connection.send_external(binary, fin, payload.len());
            state.note_pending();
            return SentExternal::Queued;
        }
        state.connection.send_header(binary, fin, payload.len());
        state.note_pending();
        if writer.begin_external(&mut state, payload, &mut turn) {
            return SentExternal::All;
        }
        SentExternal::Part(self.write_locked(guard, state, Side::Owner, &mut turn, payload))
    }

    /// Turns external segments into bytes; see [`Output::copy_externals`](crate::connection::Output::copy_externals). If that fails, so does the socket.
    pub fn copy_externals(&self, mut copy: impl FnMut(usize, &mut Vec<u8>) -> bool) {
        let mut guard = self.lock_writer();
        let mut state = lock(&self.state);
        let is_taken = guard.as_mut().is_none_or(|writer| writer.output().copy_externals(&mut copy));
        if !(state.connection.copy_externals(|length, bytes| is_taken && copy(length, bytes)) && is_taken) {
            *guard = None;
            state.fail(LOST_MEMORY);
        }
    }

    /// Ends the socket with a fault: the memory of an external segment is gone.
    pub fn fail_external(&self) -> Written {
        *self.lock_writer() = None;
        let mut state = lock(&self.state);
        state.fail(LOST_MEMORY);
        Written::nothing(Stop::Failed, &state)
    }

    /// Writes queued output on the owner's thread until nothing is left, the kernel refuses, `turn` bytes are written
    /// (it is reduced by those that are), or memory of an external segment is needed. `external` ends with the bytes that
    /// are left of the segment that is next.
    pub fn write(&self, turn: &mut usize, external: &[u8]) -> Written {
        self.write_out(Side::Owner, turn, external)
    }

    /// As [`Socket::write`] on an I/O thread, for one turn.
    pub(in crate::transport) fn write_on_thread(&self) -> Stop {
        self.write_out(Side::Thread, &mut { THREAD_TURN }, &[]).stop
    }

    fn write_out(&self, side: Side, turn: &mut usize, external: &[u8]) -> Written {
        let guard = if side == Side::Owner { self.lock_writer() } else { lock(&self.writer) };
        let state = lock(&self.state);
        self.write_locked(guard, state, side, turn, external)
    }

    /// The write lock is held throughout, so bytes never interleave.
    fn write_locked<'a>(
        &'a self,
        mut guard: MutexGuard<'a, Option<Writer>>,
        state: MutexGuard<'a, State>,
        side: Side,
        turn: &mut usize,
        external: &[u8],
    ) -> Written {
        // Dropped last: to free large memory takes milliseconds, for which no other thread waits.
        let mut freed = Output::default();
        let Some(writer) = guard.as_mut() else { return Written::nothing(Stop::Failed, &state) };
        let locked = (&self.state, state);
        let (state, written) = writer.write(locked, side, &self.owner_waits, turn, external, &mut freed);
        if written.stop == Stop::Failed {
            *guard = None;
        }
        drop(guard);
        self.announce(state);
        drop(freed);
        written
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
    pub(super) fn announce(&self, state: MutexGuard<'_, State>) {
        if matches!(state.driver, Driver::Owner) {
            return;
        }
        handoff::announce(state, || {
            if let Some(mailbox) = self.mailbox.upgrade() {
                mailbox.push(self.token);
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
