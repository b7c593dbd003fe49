//! The news of a socket as records of a batch: what came in as everywhere, and what only a socket that was taken over tells.

use std::mem;

use crate::addon::records::{LARGE, RecordKind, RecordWriter};
use crate::transport::socket::Inbox;

impl RecordWriter<'_> {
    /// Moves all that a socket has told into the batch, until it is full. Returns whether something remains.
    pub(super) fn take_inbox(&mut self, inbox: &mut Inbox) -> bool {
        if self.take_events(&mut inbox.events) {
            return true;
        }
        if !inbox.raw.is_empty() {
            if !self.has_room() {
                return true;
            }
            self.push_large(RecordKind::Raw, LARGE, mem::take(&mut inbox.raw));
        }
        if let Some(total) = inbox.written
            && self.push(RecordKind::Written, 0, total as u32, (total >> 32) as u32)
        {
            inbox.written = None;
        }
        inbox.drained = inbox.drained && !self.push(RecordKind::Drain, 0, 0, 0);
        inbox.shut_down = inbox.shut_down && !self.push(RecordKind::Shutdown, 0, 0, 0);
        inbox.ended = inbox.ended && !self.push(RecordKind::End, 0, 0, 0);
        if let Some(fault) = inbox.fault
            && self.push(RecordKind::Fault, u32::from(fault.write), 0, fault.errno.unsigned_abs())
        {
            inbox.fault = None;
        }
        !inbox.is_empty()
    }
}
