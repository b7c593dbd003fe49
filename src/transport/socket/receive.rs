//! The only place that reads a socket's descriptor: once, into the driver's buffer, and through the connection into the
//! inbox. Who calls it when is the driver's (`event_loop`, `io_threads::task`).

use std::io::{ErrorKind, Read};
use std::sync::Arc;

use super::inbox::{Fault, Inbox};
use super::{Descriptor, Side, Socket, lock};
use crate::connection::MaskingKeys;

/// Bytes that one read takes at most. Fits the L2 cache with room for the payloads copied out of it, and is what Node
/// reads at most.
pub const RECEIVE_BUFFER: usize = 64 * 1024;

/// Full buffers read from one socket before others get their turn.
pub(in crate::transport) const READS_PER_TURN: usize = 4;

/// The read half of a socket. Whoever reads holds its lock until the bytes are parsed, so that they stay in order also
/// while one driver hands over to another.
pub(super) struct Reader {
    /// What is read.
    pub(super) fd: Descriptor,
    /// What the owner's event loop reads when it drives.
    pub(super) home: Descriptor,
}

/// What one read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transport) enum Received {
    /// The buffer was filled; there may be more.
    More,
    /// The kernel has no more for now.
    Drained,
    /// Nothing more is to be read: end, failure, too much waits for the owner, or it does not want any.
    Stop,
}

impl Socket {
    /// Reads once and lets the connection parse. The flag says that the connection has made output by itself
    /// (automatic pongs) which is to be written now.
    pub(in crate::transport) fn receive(
        self: &Arc<Self>,
        buffer: &mut [u8],
        keys: &mut dyn MaskingKeys,
        side: Side,
    ) -> (Received, bool) {
        let reader = lock(&self.reader);
        let Some(half) = reader.as_ref() else { return (Received::Stop, false) };
        let result = (&*half.fd.socket()).read(buffer);
        let mut state = lock(&self.state);
        // From here on the order is kept by the state's lock.
        drop(reader);
        if state.destroyed {
            return (Received::Stop, false);
        }
        match result {
            Ok(0) => {
                state.ended = true;
                state.inbox.ended = true;
                self.announce(state, side);
                (Received::Stop, false)
            }
            Ok(length) => {
                state.parse(&buffer[..length], keys);
                // While the kernel refuses output, writability brings the pongs out.
                let reply = !state.blocked && !state.connection.output().is_empty();
                state.full = state.is_full();
                // A short read means that the kernel's buffer is empty: readiness comes anew with the next byte,
                // so asking once more would only cost a system call.
                let received = match (state.wants_input(), length < buffer.len()) {
                    (false, _) => Received::Stop,
                    (true, true) => Received::Drained,
                    (true, false) => Received::More,
                };
                self.announce(state, side);
                (received, reply)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => (Received::Drained, false),
            Err(error) if error.kind() == ErrorKind::Interrupted => (Received::More, false),
            Err(error) => {
                state.fail(Fault::read(&error));
                self.announce(state, side);
                (Received::Stop, false)
            }
        }
    }

    /// The last look at a paused socket that is about to be destroyed: what Node's own socket would have read ahead and
    /// kept for its user must not be lost. Reads once what the kernel holds, and swaps all news into `inbox`, which must
    /// be empty. Does nothing for a socket that is not paused: what its owner did not collect before destroying it, it
    /// did not want.
    pub fn last_read(self: &Arc<Self>, buffer: &mut [u8], keys: &mut dyn MaskingKeys, inbox: &mut Inbox) {
        debug_assert!(inbox.is_empty());
        let reader = lock(&self.reader);
        let mut state = lock(&self.state);
        if !state.paused || state.destroyed {
            return;
        }
        if let Some(half) = reader.as_ref().filter(|_| !state.ended)
            && let Ok(length) = (&*half.fd.socket()).read(buffer)
        {
            state.parse(&buffer[..length], keys);
        }
        std::mem::swap(&mut state.inbox, inbox);
    }
}
