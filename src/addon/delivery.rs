//! Handing a connection's news to JavaScript: one call of `deliver` a connection, with all that was collected.

use std::rc::Rc;

use super::attachment::Attachment;
use super::environment::Shared;
use super::raw::{Called, call_in_context, in_handle_scope, report_uncaught};

/// How often one delivery may throw or ask for another call before the rest of it is dropped: no honest program comes
/// near, and a `deliver` that always does must not hang the loop.
const MAX_CALLS: usize = 100_000;

impl Shared {
    /// Delivers one socket's news, writes what its listeners have sent to it, and sees to what comes of both.
    pub(super) fn deliver_and_settle(&self, attachment: &Rc<Attachment>) {
        if self.rounds.has_ended() || attachment.detached.get() {
            return;
        }
        // The error says that the environment is ending: nothing is to be delivered then.
        let events = in_handle_scope(self.env, || self.deliver(attachment)).unwrap_or(0);
        // A flush sees to it, too.
        if !attachment.dirty.get() {
            self.settle(attachment);
        }
        if events > 0 {
            self.consider(attachment, events);
        }
    }

    /// Delivers one socket's news. What an earlier delivery left behind, because it failed, goes first. Returns the number
    /// of events.
    fn deliver(&self, attachment: &Rc<Attachment>) -> u32 {
        let leftovers = !attachment.inbox.borrow().is_empty();
        if leftovers {
            self.call_deliver(attachment);
        }
        let mut inbox = attachment.inbox.borrow_mut();
        if !inbox.is_empty() || !attachment.socket.collect(&mut inbox) {
            return 0;
        }
        let events = inbox.events.len() as u32;
        drop(inbox);
        self.call_deliver(attachment);
        events
    }

    /// Calls `deliver` with what was collected from a socket.
    fn call_deliver(&self, attachment: &Rc<Attachment>) {
        let Ok(mut count) = self.batch(&attachment.parts, |batch| attachment.fill(batch)) else { return };
        let deliver = self.rounds.deliver.borrow().as_ref().map(Rc::clone);
        let Some(deliver) = deliver else { return };
        for _ in 0..MAX_CALLS {
            match call_in_context(self.env, &attachment.context, &deliver, &attachment.owner, count) {
                Called::Threw(error) if report_uncaught(self.env, error).is_ok() => {}
                // Ticks and microtasks have run; now the rest.
                Called::Returned(true) => {}
                _ => return,
            }
            count = 0;
        }
    }
}
