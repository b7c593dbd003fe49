//! The last look at a paused socket that is about to be destroyed: what Node's own socket would have read ahead and
//! kept for its user must not be lost. From the owner's thread.

use std::io::Read;
use std::sync::Arc;

use super::inbox::Inbox;
use super::lock;
use super::shard::Scratch;
use super::socket::Socket;

impl Socket {
    /// Reads once what the kernel holds, and swaps all news into `inbox`, which must be empty. Does nothing for a socket
    /// that is not paused: what its owner did not collect before destroying it, it did not want.
    pub fn last_read(self: &Arc<Self>, inbox: &mut Inbox) {
        debug_assert!(inbox.is_empty());
        let fd = lock(&self.writer).as_ref().map(super::writer::Writer::fd);
        // Taken before the state, as the task does: whoever has it has no read of this socket under way elsewhere.
        let mut scratch = lock(&self.shard.scratch);
        let Scratch { buffer, keys } = &mut *scratch;
        let mut state = lock(&self.state);
        if !state.paused || state.destroyed {
            return;
        }
        if let Some(fd) = fd.filter(|_| !state.ended)
            && let Ok(length) = fd.as_ref().read(buffer)
        {
            state.parse(&buffer[..length], keys);
        }
        std::mem::swap(&mut state.inbox, inbox);
    }
}
