//! An environment's sockets on I/O threads: taking them on, delivering their news in rounds, handing their output to
//! the threads, and letting go of all of them when the environment ends.
//!
//! A round is what one wake-up starts: every socket in the mailbox gets one call of `deliver`, and afterwards the output
//! that the listeners queued goes to the threads.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Error, Result, sys};

use super::attachment::Attachment;
use super::batch::Parts;
use super::environment::Shared;
use super::raw::{
    AsyncContext, Called, Reference, Wakeup, call_in_context, duplicate, in_handle_scope, on_cleanup,
    report_uncaught,
};
use crate::connection::Connection;
use crate::transport::io_threads::{Mailbox, Socket};

/// How often one delivery may throw or ask for another call before the rest of it is dropped: no honest program comes
/// near, and a `deliver` that always does must not hang the loop.
const MAX_CALLS: usize = 100_000;

/// The way in which news comes: made with the first socket.
struct Line {
    mailbox: Arc<Mailbox>,
    wakeup: Wakeup,
}

/// The sockets of one environment. Lives on its thread.
pub(super) struct Rounds {
    deliver: RefCell<Option<Rc<Reference>>>,
    line: OnceCell<Line>,
    attachments: RefCell<HashMap<u64, Rc<Attachment>>>,
    next_token: Cell<u64>,
    /// Attachments with output that no thread was told of.
    dirty: RefCell<Vec<Rc<Attachment>>>,
    ready: Cell<Vec<Arc<Socket>>>,
    kept: Cell<u32>,
    ended: Cell<bool>,
}

impl Rounds {
    pub(super) fn new(deliver: Reference) -> Self {
        Self {
            deliver: RefCell::new(Some(Rc::new(deliver))),
            line: OnceCell::new(),
            attachments: RefCell::default(),
            next_token: Cell::new(0),
            dirty: RefCell::default(),
            ready: Cell::default(),
            kept: Cell::new(0),
            ended: Cell::new(false),
        }
    }

    /// Notes that `attachment` has output to be flushed.
    pub(super) fn mark_dirty(&self, attachment: &Rc<Attachment>) {
        if !attachment.dirty.replace(true) {
            self.dirty.borrow_mut().push(Rc::clone(attachment));
        }
    }

    /// Hands all queued output to the I/O threads.
    pub(super) fn flush(&self) {
        for attachment in self.dirty.borrow_mut().drain(..) {
            attachment.dirty.set(false);
            attachment.socket.flush();
        }
    }

    /// Writes all queued output from this thread, as far as the kernel takes it.
    pub(super) fn flush_sync(&self) {
        for attachment in self.attachments.borrow().values() {
            attachment.socket.write_now();
        }
    }

    /// Counts what keeps the loop alive, up or down.
    pub(super) fn keep(&self, up: bool) {
        let before = self.kept.get();
        let after = if up { before + 1 } else { before.saturating_sub(1) };
        self.kept.set(after);
        if let Some(line) = self.line.get()
            && (before == 0) != (after == 0)
        {
            line.wakeup.keep_alive(after > 0);
        }
    }

    /// Ends a socket and forgets it.
    pub(super) fn detach(&self, attachment: &Attachment) {
        attachment.socket.destroy();
        self.attachments.borrow_mut().remove(&attachment.socket.token());
    }

    /// Ends everything. JavaScript is not called from here on.
    fn end(&self) {
        self.ended.set(true);
        self.dirty.borrow_mut().clear();
        let attachments = mem::take(&mut *self.attachments.borrow_mut());
        for attachment in attachments.values() {
            attachment.socket.destroy();
        }
        *self.deliver.borrow_mut() = None;
    }
}

impl Shared {
    /// Puts a duplicate of `fd` on an I/O thread, for a connection that nothing was read for but `head`.
    ///
    /// # Errors
    /// Where that can't be: no libuv, no descriptor, no thread.
    pub(super) fn attach(
        self: &Rc<Self>,
        fd: i32,
        connection: Connection,
        head: &[u8],
        owner: sys::napi_value,
        resource: sys::napi_value,
        parts: &Rc<RefCell<Parts>>,
    ) -> Result<Rc<Attachment>> {
        if self.rounds.ended.get() {
            return Err(Error::from_reason("the environment is ending"));
        }
        let mailbox = Arc::clone(&self.line()?.mailbox);
        let token = self.rounds.next_token.get();
        self.rounds.next_token.set(token + 1);
        let owner = Reference::new(self.env, owner)?;
        let context = AsyncContext::new(self.env, resource)?;
        let adopted = duplicate(fd)
            .and_then(|fd| Socket::adopt(fd, connection, head, &mut *self.keys.borrow_mut(), mailbox, token));
        let socket = adopted.map_err(|error| Error::from_reason(error.to_string()))?;
        let attachment = Rc::new(Attachment {
            socket,
            owner,
            context,
            parts: Rc::clone(parts),
            inbox: RefCell::default(),
            dirty: Cell::new(false),
        });
        self.rounds.attachments.borrow_mut().insert(token, Rc::clone(&attachment));
        Ok(attachment)
    }

    fn line(self: &Rc<Self>) -> Result<&Line> {
        if self.rounds.line.get().is_none() {
            let inside = Rc::clone(self);
            let wakeup = Wakeup::new(self.env, Box::new(move || inside.round()))?;
            let mailbox = Arc::new(Mailbox::new(Box::new(wakeup.handle())));
            wakeup.keep_alive(self.rounds.kept.get() > 0);
            let inside = Rc::clone(self);
            let hooked = on_cleanup(
                self.env,
                Box::new(move |done| {
                    inside.rounds.end();
                    if let Some(line) = inside.rounds.line.get() {
                        line.wakeup.close(Box::new(|| drop(done)));
                    }
                }),
            );
            if let Err(error) = hooked {
                // A handle that nobody closes would stop its loop from ending.
                wakeup.close(Box::new(|| ()));
                return Err(error);
            }
            // Just seen to be empty.
            let _ = self.rounds.line.set(Line { mailbox, wakeup });
        }
        self.rounds.line.get().ok_or_else(|| Error::from_reason("unreachable: the line was just made"))
    }

    /// Delivers the news of every socket in the mailbox.
    fn round(&self) {
        let Some(line) = self.rounds.line.get() else { return };
        let mut ready = self.rounds.ready.take();
        line.mailbox.drain(&mut ready);
        for socket in ready.drain(..) {
            if self.rounds.ended.get() {
                break;
            }
            let attachment = self.rounds.attachments.borrow().get(&socket.token()).cloned();
            if let Some(attachment) = attachment {
                // The error says that the environment is ending: nothing is to be delivered then.
                let _ = in_handle_scope(self.env, || self.deliver(&attachment));
            }
        }
        self.rounds.ready.set(ready);
        self.rounds.flush();
    }

    /// Delivers one socket's news. What an earlier delivery left behind, because it failed, goes first.
    fn deliver(&self, attachment: &Rc<Attachment>) {
        let leftovers = !attachment.inbox.borrow().is_empty();
        if leftovers {
            self.call_deliver(attachment);
        }
        let collected = {
            let mut inbox = attachment.inbox.borrow_mut();
            inbox.is_empty() && attachment.socket.collect(&mut inbox)
        };
        if collected {
            self.call_deliver(attachment);
        }
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
