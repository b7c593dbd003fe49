//! Changes of a socket's driver: from the owner to an I/O thread and back, to its idle form and back, and back to the host.
//! In a migration only the descriptor moves: received bytes, queued output and open requests stay in the state, and the
//! locks of the two halves make the new driver begin where the old one has stopped. Called by the owner.

use std::io::{self, Read};
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::sync::{Arc, PoisonError};

use super::handoff::{Unlocked, lock_unread, read_unlocked};
use super::state::State;
use super::write::Writer;
use super::{
    Borrowed, Descriptor, Driver, Fault, Idle, Mailbox, Side, Socket, SocketEvents, local_and_peer_addr, lock,
};
use crate::connection::{Config, Connection, MaskingKeys};
use crate::transport::io_threads::{self, Driven, Job, Registration};
use crate::transport::turn::{Interest, Received, Stop};

/// Clones of its descriptor that a socket has while its owner drives: two in the state, one in the writer.
const OWN_CLONES: usize = 3;

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

    /// Has an I/O thread drive a socket of the owner, on a duplicate of the descriptor.
    ///
    /// # Errors
    /// If there is no descriptor or no thread left; nothing has changed then.
    pub fn move_to_thread(self: &Arc<Self>) -> io::Result<()> {
        let mut writer = lock(&self.writer);
        let mut state = lock(&self.state);
        let Some(owner_fd) = &state.owner_fd else { return Ok(()) };
        debug_assert!(matches!(state.driver, Driver::Owner), "the owner gives away sockets that it drives");
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
        // Queued output and uncollected events must be known to the new driver and to the mailbox.
        if !state.blocked && state.connection.has_output() {
            worker.push(Job::Write(socket));
        }
        self.announce(state, Side::Owner);
        Ok(())
    }

    /// Has the owner drive a socket of an I/O thread. The owner then writes queued output, because the thread may not
    /// have got to it. The thread may finish a read, and announces its events through the mailbox.
    pub fn move_to_owner(&self) {
        let mut writer = self.lock_writer();
        let mut state = lock(&self.state);
        let Some(owner_fd) = state.owner_fd.clone() else { return };
        debug_assert!(
            matches!(state.driver, Driver::Thread(_)),
            "a thread drives until the socket is taken back"
        );
        if let Some(writer) = writer.as_mut() {
            writer.fd = owner_fd.clone();
        }
        drop(writer);
        state.fd = Some(owner_fd);
        let before = mem::replace(&mut state.driver, Driver::Owner);
        state.choose_pongs();
        drop(state);
        before.look();
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
        writer.as_ref().is_some_and(Writer::is_done)
            && state.is_idle()
            && state.owner_fd.as_ref().is_some_and(|fd| fd.has_clones_up_to(OWN_CLONES))
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

/// Operations of an I/O thread.
impl Driven for Socket {
    fn interest_of(&self, registration: &Arc<Registration>) -> Option<Interest> {
        let state = lock(&self.state);
        (!state.destroyed && state.driver.is(registration)).then(|| state.interest())
    }

    /// The state is not locked during the read, but marked as being read: bytes stay in order even if the owner takes the
    /// socket back.
    fn receive(
        &self,
        registration: &Arc<Registration>,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
    ) -> (Received, bool) {
        let source = |state: &State| if state.driver.is(registration) { state.fd.clone() } else { None };
        let (mut state, result) =
            match read_unlocked(&self.state, source, |fd: Descriptor| (&*fd.socket()).read(buffer)) {
                Unlocked::Read(state, result) => (state, result),
                Unlocked::Busy => return (Received::More, false),
                Unlocked::Refused => return (Received::Stop, false),
            };
        let received = state.take_in(result, buffer, keys, State::parse_copied);
        // While the kernel refuses output, writability triggers the write.
        let reply = !state.blocked && state.connection.has_output();
        self.announce(state, Side::Thread);
        (received, reply)
    }

    fn write_turn(&self) -> Stop {
        self.write_on_thread()
    }

    fn wake(&self) {
        self.wake_task();
    }

    fn abandon(&self, registration: &Arc<Registration>) {
        let mut state = lock(&self.state);
        if state.driver.is(registration) && !state.destroyed {
            state.fail(Fault { errno: libc::EIO, write: false });
            self.announce(state, Side::Thread);
        }
    }
}
