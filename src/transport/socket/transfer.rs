//! Transfers of a socket: from the owner to an I/O thread, when it is adopted; of its descriptor to the host; and back to the
//! host, with all that was read and not sent. Called by the owner.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::sync::Arc;

use super::handoff::lock_unread;
use super::{Borrowed, Descriptor, Driver, Socket, SocketEvents, local_and_peer_addr, lock};
use crate::connection::Connection;
use crate::transport::io_threads::{Job, Registration};

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
        let mut writer = lock(&self.writer);
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
        let registration = Registration::new()?;
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
        worker.push(Job::Adopt { socket: Arc::clone(self), fd: duplicate, registration });
        // The events of a head, and the rest of a response.
        if !state.connection.output().is_empty() {
            worker.push(Job::Write(Arc::clone(self)));
        }
        self.announce(state);
        Ok(())
    }

    /// Stops reading and writing, and gives up all but the descriptor, which is released; the socket is as if
    /// [destroyed](Socket::destroy). `None` if it was destroyed before.
    pub fn hand_back(self: &Arc<Self>) -> Option<Remains> {
        // A thread that writes holds the lock until the kernel refuses.
        let writer = lock(&self.writer).take();
        // Bytes that a thread is reading belong to the connection.
        let mut state = lock_unread(&self.state);
        if state.destroyed {
            return None;
        }
        state.destroyed = true;
        let mut connection = state.connection.take();
        connection.requeue_output(writer.as_ref().map_or(&[], |writer| writer.unsent()));
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
}
