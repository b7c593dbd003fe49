//! Transfers of a socket: from the owner to an I/O thread, when it is adopted; to its idle form and back; of its descriptor to
//! the host; and back to the host, with all that was read and not sent. Called by the owner.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::handoff::{lock_unread, read_unlocked};
use super::state::State;
use super::write::Writer;
use super::{
    Borrowed, Descriptor, Driver, Fault, Idle, Mailbox, Socket, SocketEvents, local_and_peer_addr, lock,
};
use crate::connection::{Config, Connection, MaskingKeys};
use crate::transport::io_threads::{self, Driven, Job};
use crate::transport::turn::{Interest, Received, Stop};

/// The parts of a [detached](Socket::hand_back) socket, for the transport that carries the bytes from then on.
#[derive(Debug)]
pub struct Remains {
    /// The connection, in any state. Its output is all that was not sent.
    pub connection: Connection,
    /// Events that were not collected.
    pub undelivered: SocketEvents,
    /// Bytes received.
    pub bytes_read: u64,
    /// True if the owner is to be told when all output has gone out.
    pub awaits_drain: bool,
}

impl Socket {
    /// The number of the descriptor for the owner's event loop; -1 once destroyed.
    pub fn owner_fd(&self) -> RawFd {
        lock(&self.state).owner_fd.as_ref().map_or(-1, Descriptor::number)
    }

    /// Passes the owner's descriptor to the host, which closes it from now on; `borrowed` is the same number. An I/O
    /// thread has a duplicate. No effect if the host owns it already.
    pub fn lend(&self, borrowed: Borrowed) {
        let mut writer = self.lock_writer();
        let mut state = lock(&self.state);
        if state.destroyed {
            return;
        }
        let descriptor = Descriptor::Borrowed(borrowed);
        let Some(Descriptor::Owned(owned)) = state.owner_fd.replace(descriptor.clone()) else { return };
        debug_assert_eq!(owned.as_raw_fd(), descriptor.number());
        let is_same = |fd: &Descriptor| fd.number() == descriptor.number();
        if state.fd.as_ref().is_some_and(is_same) {
            state.fd = Some(descriptor.clone());
        }
        if let Some(writer) = writer.as_mut()
            && is_same(&writer.fd)
        {
            writer.fd = descriptor.clone();
        }
        match Arc::into_inner(owned) {
            // The host owns it now.
            Some(socket) => drop(socket.into_raw_fd()),
            None => debug_assert!(false, "a thread has no clone of the owner's descriptor"),
        }
    }

    /// The addresses of a TCP socket: local, and of the peer.
    pub fn local_and_peer_addr(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        lock(&self.state)
            .owner_fd
            .as_ref()
            .map_or((None, None), |owner_fd| local_and_peer_addr(&owner_fd.socket()))
    }

    /// Has an I/O thread drive the socket from now on, on a duplicate of the descriptor. Called once, before the owner
    /// reads or writes.
    ///
    /// # Errors
    /// If there is no descriptor or no thread left; nothing has changed then.
    pub fn drive_on_thread(self: &Arc<Self>) -> io::Result<()> {
        let mut writer = lock(&self.writer);
        let mut state = lock(&self.state);
        let Some(owner_fd) = &state.owner_fd else { return Ok(()) };
        debug_assert!(matches!(state.driver, Driver::Owner), "a driver is chosen once");
        let registration = io_threads::register()?;
        let duplicate = Arc::new(owner_fd.socket().try_clone()?);
        // A duplicate shares the mode, and the descriptor of an owner without an event loop may block.
        duplicate.set_nonblocking(true)?;
        let fd = Descriptor::Owned(Arc::clone(&duplicate));
        if let Some(writer) = writer.as_mut() {
            writer.fd = fd.clone();
        }
        drop(writer);
        state.fd = Some(fd);
        state.drive(Driver::Thread(Arc::clone(&registration)));
        let worker = Arc::clone(&registration.worker);
        let socket: Arc<dyn Driven> = Arc::<Self>::clone(self);
        worker.push(Job::Adopt { socket: Arc::clone(&socket), fd: duplicate, registration });
        // The events of a head, and the rest of a response.
        if state.connection.has_output() {
            worker.push(Job::Write(socket));
        }
        self.announce(state);
        Ok(())
    }

    /// Stops reading and writing, and gives up all but the descriptor, which is released; the socket is as if
    /// [destroyed](Socket::destroy). `None` if it was destroyed before. There must be no external segments.
    pub fn hand_back(self: &Arc<Self>) -> Option<Remains> {
        let mut writer = self.lock_writer().take();
        // Bytes that a thread is reading belong to the connection.
        let mut state = lock_unread(&self.state);
        if state.destroyed {
            return None;
        }
        state.destroyed = true;
        let mut connection = state.connection.take();
        connection.requeue_output(writer.as_mut().map_or(&[], |writer| writer.output().bytes()));
        let remains = Remains {
            connection,
            undelivered: mem::take(&mut state.undelivered),
            bytes_read: state.bytes_read,
            awaits_drain: state.awaits_drain,
        };
        let descriptors = (state.fd.take(), state.owner_fd.take());
        state.driver.look();
        drop(state);
        // Closing may take time: outside of the lock.
        drop((writer, descriptors));
        Some(remains)
    }

    /// Makes a socket of its idle form. `config` must be the configuration that the connection had; the rest is as for
    /// [`Socket::new`].
    pub fn from_idle(
        idle: Idle,
        config: Arc<Config>,
        mailbox: &Arc<Mailbox>,
        token: u64,
        may_pong: bool,
    ) -> Arc<Self> {
        let Idle { fd, written, read } = idle;
        let mut state = State::new(Connection::from_idle(config, written), fd.into(), may_pong);
        state.bytes_read = read;
        Self::from_state(state, mailbox, token)
    }

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

/// Memory of events on an I/O thread.
impl Socket {
    /// Gives the events memory that the owner has [passed on](Mailbox::event_memory), if they have none.
    fn lend_event_memory(&self, state: &mut State) {
        let events = &mut state.undelivered.events;
        if !events.has_memory()
            && let Some(mailbox) = self.mailbox.upgrade()
        {
            mailbox.event_memory().lend(events);
        }
    }

    /// Takes the memory back if it holds no events.
    fn reclaim_event_memory(&self, state: &mut State) {
        let events = &mut state.undelivered.events;
        if events.is_empty()
            && events.has_memory()
            && let Some(mailbox) = self.mailbox.upgrade()
        {
            mailbox.event_memory().reclaim(events);
        }
    }
}

/// Operations of an I/O thread.
impl Driven for Socket {
    fn thread_interest(&self) -> Option<Interest> {
        let state = lock(&self.state);
        (!state.destroyed).then(|| state.interest())
    }

    /// The state is not locked during the read, but marked as being read: the owner waits for these bytes before it takes the
    /// socket back or reads a last time.
    fn receive(&self, buffer: &mut [u8], keys: &mut dyn MaskingKeys) -> (Received, bool) {
        let capacity = buffer.len();
        let source = |state: &State| Some((state.fd.clone()?, state.read_length(capacity)));
        let read = |(fd, length): (Descriptor, usize)| (length, fd.receive(&mut buffer[..length]));
        let Some((mut state, (length, result))) = read_unlocked(&self.state, source, read) else {
            return (Received::Stop, false);
        };
        let buffer = &mut buffer[..length];
        self.lend_event_memory(&mut state);
        if state.connection.time_limits().is_set() && result.as_ref().is_ok_and(|length| *length > 0) {
            state.last_read_at = Some(Instant::now());
        }
        let received = state.take_in(result, buffer, keys, State::parse_copied);
        self.reclaim_event_memory(&mut state);
        // While the kernel refuses output, writability triggers the write.
        let reply = !state.blocked && state.connection.has_output();
        self.announce(state);
        (received, reply)
    }

    fn write_turn(&self) -> Stop {
        self.write_on_thread()
    }

    fn wake(&self) {
        self.wake_task();
    }

    fn abandon(&self) {
        let mut state = lock(&self.state);
        if !state.destroyed {
            state.fail(Fault { errno: libc::EIO, write: false });
            self.announce(state);
        }
    }
}
