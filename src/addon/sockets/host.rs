//! Handing a connection's news to JavaScript: one call of `deliver` a connection, with all that was collected.

use std::ptr;
use std::rc::Rc;

use napi::{Env, Result, sys};

use super::attachment::Attachment;
use crate::addon::environment::Shared;
use crate::addon::sys::{
    AsyncContext, Outcome, Reference, in_handle_scope, make_callback_in_context, report_uncaught,
    run_in_close_phase,
};

/// How often one delivery may throw or ask for another call before the rest of it is dropped: no honest program comes
/// near, and a `deliver` that always does must not hang the loop.
const MAX_CALLS: usize = 100_000;

/// That as a value of the current handle scope.
type Function<'a> = (sys::napi_value, &'a AsyncContext);

/// What is called with the news of connections, and where it runs.
pub(super) struct Deliver {
    function: Reference,
    context: AsyncContext,
}

impl Deliver {
    /// # Errors
    /// When the environment is ending.
    pub(super) fn new(env: Env, function: sys::napi_value) -> Result<Self> {
        Ok(Self { function: Reference::new(env, function)?, context: AsyncContext::new(env, function)? })
    }
}

impl Shared {
    /// Delivers the news of these sockets, and sees to what comes of it; the list is empty then. What listeners send is
    /// written later, by a flush.
    pub(super) fn deliver_all(&self, attachments: &mut Vec<Rc<Attachment>>) {
        if attachments.is_empty() {
            return;
        }
        // An error says that the environment is ending: nothing is to be delivered then.
        let _ = in_handle_scope(self.env, || {
            let Some(deliver) = self.rounds.deliver.borrow().clone() else { return };
            let Ok(function) = deliver.function.value() else { return };
            for attachment in attachments.iter() {
                if !self.rounds.has_ended() {
                    self.deliver_and_settle(attachment, (function, &deliver.context));
                }
            }
        });
        attachments.clear();
    }

    fn deliver_and_settle(&self, attachment: &Rc<Attachment>, deliver: Function<'_>) {
        if attachment.detached.get() {
            self.leave_chunk(attachment);
            return;
        }
        let events = self.deliver(attachment, deliver);
        if attachment.end_due.get() != 0 {
            self.rounds.mark_waiting(attachment);
        }
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
    fn deliver(&self, attachment: &Attachment, deliver: Function<'_>) -> u32 {
        let leftovers = !attachment.inbox.borrow().is_empty();
        if leftovers {
            self.call_deliver(attachment, deliver);
        }
        if !attachment.collect(self.turn()) {
            return 0;
        }
        let events = attachment.inbox.borrow().events.len() as u32;
        self.call_deliver(attachment, deliver);
        events
    }

    /// The present turn of the loop, where there is another look at its end.
    pub(super) fn turn(&self) -> Option<u64> {
        self.rounds.line()?.poller()?;
        Some(self.rounds.turn.get())
    }

    /// Calls `deliver` with what was collected from a socket.
    fn call_deliver(&self, attachment: &Attachment, (function, context): Function<'_>) {
        let mut count = self.batch(|batch| attachment.fill(batch));
        for _ in 0..MAX_CALLS {
            match make_callback_in_context(self.env, context, function, attachment.id(), count) {
                Outcome::Threw(error) if report_uncaught(self.env, error).is_ok() => {}
                // Ticks and microtasks have run; now the rest.
                Outcome::Returned(true) => {}
                Outcome::EnvironmentEnding => return self.rounds.set_ended(),
                _ => return,
            }
            if !self.is_known(attachment) {
                return;
            }
            count = 0;
        }
    }

    /// Calls `deliver` with the number 0, which is no connection's, and `number`, when this turn of the loop closes handles. Each call has a
    /// handle of its own: the loop closes handles in an order that depends on all of them.
    ///
    /// # Errors
    /// When the loop takes no handle.
    pub(in crate::addon) fn call_when_closing(self: &Rc<Self>, number: u32) -> Result<()> {
        let shared = Rc::clone(self);
        // The event loop calls without a scope for handles. An error says that the environment is ending.
        let closing = move || drop(in_handle_scope(shared.env, || shared.closing(number)));
        run_in_close_phase(self.env, Box::new(closing))
    }

    fn closing(&self, number: u32) {
        if !self.is_running() {
            return;
        }
        let Some(deliver) = self.rounds.deliver.borrow().clone() else { return };
        let Ok(function) = deliver.function.value() else { return };
        if let Outcome::Threw(error) =
            make_callback_in_context(self.env, &deliver.context, function, 0, number)
        {
            // An error says that the environment is ending.
            let _ = report_uncaught(self.env, error);
        }
    }

    /// Whether the connection still has its number: while ticks ran it may have gone, and the number been given to another.
    fn is_known(&self, attachment: &Attachment) -> bool {
        let channels = self.channels.borrow();
        let channel = channels.get(attachment.id() as usize).map(|channel| channel.borrow());
        channel.is_some_and(|channel| {
            channel.attachment().is_some_and(|own| ptr::eq(Rc::as_ptr(own), attachment))
        })
    }
}
