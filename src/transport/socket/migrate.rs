//! From one driver to the other, at any moment. Nothing moves but the descriptor: what was read, what is to be written
//! and what is asked for stays where it is, in the state, and the locks of the two halves see to it that the new driver
//! begins where the old one has stopped. Called by the owner.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::sync::Arc;

use super::{Borrowed, Descriptor, Driver, Side, Socket, local_and_peer_addr, lock};
use crate::transport::io_threads::{Job, Registration};

impl Socket {
    /// The number of the descriptor that the owner's event loop is to poll; -1 once destroyed.
    pub fn owner_fd(&self) -> RawFd {
        lock(&self.state).owner_fd.as_ref().map_or(-1, Descriptor::number)
    }

    /// Gives the owner's descriptor away to the host, which closes it from now on: `borrowed` is the same number. A thread that
    /// drives has a duplicate. Nothing changes where it is the host's already.
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
            // The host has it.
            Some(socket) => drop(socket.into_raw_fd()),
            None => debug_assert!(false, "a thread has no clone of the owner's descriptor"),
        }
    }

    /// The addresses of the ends of a connection over TCP, here and there.
    pub fn local_and_peer_addr(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        lock(&self.state)
            .owner_fd
            .as_ref()
            .map_or((None, None), |owner_fd| local_and_peer_addr(&owner_fd.socket()))
    }

    /// Gives a socket that the owner drives to an I/O thread, which gets a descriptor of its own.
    ///
    /// # Errors
    /// When a descriptor or a thread is not to be had; nothing has changed then.
    pub fn move_to_thread(self: &Arc<Self>) -> io::Result<()> {
        let mut writer = lock(&self.writer);
        let mut state = lock(&self.state);
        let Some(owner_fd) = &state.owner_fd else { return Ok(()) };
        let registration = Registration::new()?;
        let duplicate = Arc::new(owner_fd.socket().try_clone()?);
        // A duplicate shares the mode; a descriptor of an owner that is no event loop may block.
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
        // What is queued, and news that the owner has not collected, have nobody else who knows of them.
        if !state.blocked && !state.connection.output().is_empty() {
            worker.push(Job::Write(Arc::clone(self)));
        }
        self.announce(state, Side::Owner);
        Ok(())
    }

    /// Takes a socket back from its I/O thread: from now on the owner drives it. It writes what is queued first, which the
    /// thread may have been asked to do and not have done. The thread may finish a read that it has begun, and tells of it
    /// through the mailbox.
    pub fn move_to_owner(&self) {
        let mut writer = lock(&self.writer);
        let mut state = lock(&self.state);
        let Some(owner_fd) = state.owner_fd.clone() else { return };
        if let Some(writer) = writer.as_mut() {
            writer.fd = owner_fd.clone();
        }
        drop(writer);
        state.fd = Some(owner_fd);
        let before = std::mem::replace(&mut state.driver, Driver::Owner);
        state.choose_pongs();
        drop(state);
        before.look();
    }
}
