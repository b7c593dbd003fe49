//! Handing a connection's news to JavaScript: one call of `deliver` a connection, with all that was collected.

use std::rc::Rc;

use napi::sys;

use super::attachment::Attachment;
use crate::addon::environment::Shared;
use crate::addon::raw::{Called, call_in_context, in_handle_scope, report_uncaught};

/// How often one delivery may throw or ask for another call before the rest of it is dropped: no honest program comes
/// near, and a `deliver` that always does must not hang the loop.
const MAX_CALLS: usize = 100_000;

impl Shared {
    /// Delivers the news of these sockets, and sees to what comes of it; the list is empty then. What listeners send is
    /// written later, by a flush.
    pub(super) fn deliver_all(&self, attachments: &mut Vec<Rc<Attachment>>) {
        if attachments.is_empty() {
            return;
        }
        // An error says that the environment is ending: nothing is to be delivered then.
        let _ = in_handle_scope(self.env, || {
            let deliver = self.rounds.deliver.borrow().as_ref().and_then(|deliver| deliver.value().ok());
            for attachment in attachments.iter() {
                if let Some(deliver) = deliver.filter(|_| !self.rounds.has_ended()) {
                    self.deliver_and_settle(attachment, deliver);
                }
            }
        });
        attachments.clear();
    }

    fn deliver_and_settle(&self, attachment: &Rc<Attachment>, deliver: sys::napi_value) {
        if attachment.detached.get() {
            return;
        }
        let events = self.deliver(attachment, deliver);
        self.leave_chunk(attachment);
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
    fn deliver(&self, attachment: &Attachment, deliver: sys::napi_value) -> u32 {
        let leftovers = !attachment.inbox.borrow().is_empty();
        if leftovers {
            self.call_deliver(attachment, deliver);
        }
        let mut inbox = attachment.inbox.borrow_mut();
        if !inbox.is_empty() || !attachment.socket.collect(&mut inbox) {
            return 0;
        }
        let events = inbox.events.len() as u32;
        drop(inbox);
        self.call_deliver(attachment, deliver);
        events
    }

    /// Calls `deliver` with what was collected from a socket.
    fn call_deliver(&self, attachment: &Attachment, deliver: sys::napi_value) {
        let Ok(mut count) = self.batch(|batch| attachment.fill(batch)) else { return };
        for _ in 0..MAX_CALLS {
            match call_in_context(self.env, &attachment.context, deliver, &attachment.owner, count) {
                Called::Threw(error) if report_uncaught(self.env, error).is_ok() => {}
                // Ticks and microtasks have run; now the rest.
                Called::Returned(true) => {}
                _ => return,
            }
            count = 0;
        }
    }
}
