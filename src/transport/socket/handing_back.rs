//! A socket whose descriptor the host is to read and write again: what has been received and not delivered, and what has been
//! queued and not sent, goes along with the connection. Called by the owner.

use std::mem;
use std::sync::Arc;

use super::reading::lock_unread;
use super::{Socket, SocketEvents, lock};
use crate::connection::Connection;

/// Leftovers of a socket for the transport that carries the connection's bytes from now on.
#[derive(Debug)]
pub struct Remains {
    /// The connection in the middle of whatever it was doing. Its output is all that was not sent.
    pub connection: Connection,
    /// News that was not collected.
    pub undelivered: SocketEvents,
    /// Bytes received.
    pub bytes_read: u64,
    /// Whether the owner waits until all output has gone out.
    pub awaits_drain: bool,
}

impl Socket {
    /// Stops reading and writing, lets go of the descriptor, and gives away everything else. The socket is as one that was
    /// [destroyed](Socket::destroy). `None`: it was destroyed before.
    pub fn hand_back(self: &Arc<Self>) -> Option<Remains> {
        // A thread that writes has the lock until the kernel refuses.
        let writer = lock(&self.writer).take();
        // What a thread has begun to read belongs to the connection.
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
        // Closing may take its time.
        drop((writer, descriptors));
        Some(remains)
    }
}
