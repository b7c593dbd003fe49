//! An environment's sockets: which there are and do not rest (those that do are in `resting`), which have output or news, and when they get their turn.
//!
//! * The loop is about to wait for readiness: news that is known already is delivered, and output written, before anything
//!   is read that came later.
//! * A descriptor is ready (`stages`): its socket is read, its news delivered, its own output written soon.
//! * The turn of the loop ends: sockets that wait for another look get it, and what was queued for other connections is
//!   written, in one write each.
//! * An I/O thread has woken the loop: its sockets are delivered, and the output goes to whoever drives.

use std::cell::{Cell, OnceCell, RefCell};
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use napi::{Env, Error, Result, sys};

use super::arriving::Host;
use super::attachment::Attachment;
use super::delivery::Deliver;
use super::line::{Callbacks, Line};
use super::stages::ReadyList;
use crate::addon::environment::Shared;
use crate::addon::raw::{can_call, in_handle_scope, on_cleanup, thread_running};
use crate::protocol::Role;
use crate::transport::event_loop::Ready;
use crate::transport::listener::{Arrival, Arrivals};
use crate::transport::policy::Policy;
use crate::transport::socket::{Home, Socket};

/// The sockets of one environment. Lives on its thread.
pub(in crate::addon) struct Rounds {
    pub(super) deliver: RefCell<Option<Rc<Deliver>>>,
    line: OnceCell<Line>,
    /// The attachments there are: of connections that do not rest.
    pub(super) attachments: RefCell<Vec<Rc<Attachment>>>,
    /// How many of these, from the first one on, are to be looked at in this round of resting.
    pub(super) to_look_at: Cell<usize>,
    /// Attachments with output that nobody was told of.
    dirty: RefCell<Vec<Rc<Attachment>>>,
    /// Attachments that the loop drives and that get another look at the end of the turn.
    pub(super) waiting: RefCell<Vec<Rc<Attachment>>>,
    /// Memory for the lists that are worked on: of a stage, and of a flush.
    pub(super) stage: Cell<Vec<Rc<Attachment>>>,
    spare: Cell<Vec<Rc<Attachment>>>,
    /// What is ready.
    pub(super) ready: Cell<ReadyList>,
    woken: Cell<Vec<Arc<Socket>>>,
    kept: Cell<u32>,
    ended: Cell<bool>,
    /// Whether there were connections of a server, and of a client to this machine.
    has_servers: Cell<bool>,
    has_local_clients: Cell<bool>,
    /// Turns of the loop so far.
    pub(super) turn: Cell<u64>,
    pub(super) policy: RefCell<Policy>,
    pub(super) begun: Instant,
    /// Listening sockets, and what comes by them.
    pub(super) arrivals: RefCell<Arrivals<Rc<Host>>>,
    /// What has arrived there and was not delivered.
    pub(super) arrived: RefCell<Vec<Arrival<Rc<Host>>>>,
    /// Whether there are connections that came there and belong to nobody yet.
    pub(super) has_connections: Cell<bool>,
}

impl Rounds {
    /// None yet; `deliver` is what will be called with their news.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(in crate::addon) fn new(env: Env, deliver: sys::napi_value) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            deliver: RefCell::new(Some(Rc::new(Deliver::new(env, deliver)?))),
            line: OnceCell::new(),
            attachments: RefCell::default(),
            to_look_at: Cell::new(0),
            dirty: RefCell::default(),
            waiting: RefCell::default(),
            stage: Cell::default(),
            spare: Cell::default(),
            ready: Cell::default(),
            woken: Cell::default(),
            kept: Cell::new(0),
            ended: Cell::new(false),
            has_servers: Cell::new(false),
            has_local_clients: Cell::new(false),
            turn: Cell::new(0),
            policy: RefCell::new(Policy::new(cores, std::process::id())),
            begun: Instant::now(),
            arrivals: RefCell::default(),
            arrived: RefCell::default(),
            has_connections: Cell::new(false),
        })
    }

    /// Whether JavaScript can't be called any more: a state of its own, in which nothing is read, written or polled. See
    /// [`Shared::is_running`].
    pub(super) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// Whether one of its connections may have both ends here: it has both roles, and a client that is connected to this machine.
    pub(super) fn may_hold_both_ends(&self) -> bool {
        self.has_servers.get() && self.has_local_clients.get()
    }

    /// Notes the role of a connection that has just been taken over.
    pub(super) fn note_role(&self, role: Role, home: &Home) {
        match role {
            Role::Server => self.has_servers.set(true),
            Role::Client if !self.has_local_clients.get() => self.has_local_clients.set(home.is_local()),
            Role::Client => {}
        }
    }

    /// JavaScript could not be called.
    pub(super) fn set_ended(&self) {
        self.ended.set(true);
    }

    /// The line, once there is a socket.
    pub(super) fn line(&self) -> Option<&Line> {
        self.line.get()
    }

    /// How many connections do not rest.
    pub(in crate::addon) fn awake(&self) -> usize {
        self.attachments.borrow().len()
    }

    /// Takes an attachment in.
    pub(super) fn add(&self, attachment: &Rc<Attachment>) {
        let mut awake = self.attachments.borrow_mut();
        attachment.place.set(awake.len());
        awake.push(Rc::clone(attachment));
    }

    /// Takes it off the list again.
    pub(super) fn forget(&self, attachment: &Attachment) {
        let mut awake = self.attachments.borrow_mut();
        let place = attachment.place.replace(usize::MAX);
        if place < awake.len() {
            awake.swap_remove(place);
            if let Some(moved) = awake.get(place) {
                moved.place.set(place);
            }
        }
    }

    /// Notes that `attachment` has output to be flushed.
    pub(super) fn mark_dirty(&self, attachment: &Rc<Attachment>) {
        if !attachment.dirty.replace(true) {
            self.dirty.borrow_mut().push(Rc::clone(attachment));
        }
    }

    /// Notes that `attachment`, which the loop drives, wants another look at the end of this turn.
    pub(super) fn mark_waiting(&self, attachment: &Rc<Attachment>) {
        if !attachment.waiting.replace(true) {
            self.waiting.borrow_mut().push(Rc::clone(attachment));
            if let Some(line) = self.line() {
                line.hurry(true);
            }
        }
    }

    /// Writes all queued output from this thread, as far as the kernel takes it.
    pub(in crate::addon) fn flush_sync(&self) {
        if self.has_ended() {
            return;
        }
        for attachment in self.attachments.borrow().iter() {
            attachment.socket.write_now();
        }
    }

    /// Counts what keeps the loop alive, up or down.
    pub(in crate::addon) fn keep(&self, up: bool) {
        let before = self.kept.get();
        let after = if up { before + 1 } else { before.saturating_sub(1) };
        self.kept.set(after);
        if let Some(line) = self.line()
            && (before == 0) != (after == 0)
        {
            line.keep_alive(after > 0);
        }
    }

    /// Ends a socket and forgets it.
    pub(super) fn detach(&self, attachment: &Attachment) {
        if attachment.detached.replace(true) {
            return;
        }
        self.stop_polling(attachment);
        attachment.socket.destroy();
        attachment.landing.take();
        self.forget(attachment);
    }

    /// Has the reactor forget the descriptor, if it knows it.
    pub(super) fn stop_polling(&self, attachment: &Attachment) {
        if !attachment.on_thread.get()
            && let Some(reactor) = self.line().and_then(Line::reactor)
        {
            reactor.remove(&attachment.socket);
        }
    }

    /// Ends everything. JavaScript is not called from here on.
    fn end(&self) {
        self.ended.set(true);
        self.dirty.borrow_mut().clear();
        self.waiting.borrow_mut().clear();
        let awake = self.attachments.borrow().clone();
        for attachment in awake {
            self.detach(&attachment);
        }
        self.arrived.borrow_mut().clear();
        self.arrivals.take();
        *self.deliver.borrow_mut() = None;
    }
}

impl Shared {
    /// The line; made when there is none.
    ///
    /// # Errors
    /// When the loop takes no handle, or the environment is ending.
    pub(super) fn line(self: &Rc<Self>) -> Result<&Line> {
        if self.rounds.line.get().is_none() {
            let callback = |run: fn(&Self)| -> Box<dyn Fn()> {
                let shared = Rc::clone(self);
                // The event loop calls without a scope for handles. An error says that the environment is ending.
                Box::new(move || {
                    if !shared.rounds.has_ended() {
                        let running = || {
                            if shared.is_running() {
                                run(&shared);
                            }
                        };
                        drop(in_handle_scope(shared.env, running));
                    }
                })
            };
            let callbacks = Callbacks {
                woken: callback(Self::woken),
                begun: callback(Self::turn_begun),
                ready: callback(Self::sockets_ready),
                turned: callback(Self::turn_ended),
            };
            let line = Line::new(self.env, callbacks)?;
            line.keep_alive(self.rounds.kept.get() > 0);
            let ending = Rc::clone(self);
            let hooked = on_cleanup(
                self.env,
                Box::new(move |done| {
                    ending.rounds.end();
                    ending.release_resting();
                    if let Some(line) = ending.rounds.line() {
                        line.close(done);
                    }
                }),
            );
            if let Err(error) = hooked {
                // A handle that nobody closes would stop its loop from ending.
                line.close(());
                return Err(error);
            }
            // Just seen to be empty.
            let _ = self.rounds.line.set(line);
        }
        self.rounds.line().ok_or_else(|| Error::from_reason("unreachable: the line was just made"))
    }

    /// Whether JavaScript can be called. To be asked whenever the event loop calls, before anything is read, written or polled:
    /// at its end Node closes the descriptors of an environment, whose numbers other threads get at once, and runs the loop
    /// again before it calls cleanup hooks. It does so on this thread and never inside of a callback, so that an answer is
    /// good until the callback returns.
    pub(super) fn is_running(&self) -> bool {
        if !self.rounds.has_ended() && !can_call(self.env) {
            self.rounds.set_ended();
        }
        !self.rounds.has_ended()
    }

    /// Has all queued output written: now where the loop drives, soon where a thread does.
    pub(in crate::addon) fn flush(&self) {
        if self.rounds.has_ended() || self.rounds.dirty.borrow().is_empty() {
            return;
        }
        let mut dirty = self.rounds.spare.take();
        mem::swap(&mut dirty, &mut *self.rounds.dirty.borrow_mut());
        for attachment in dirty.drain(..) {
            self.flush_one(&attachment);
        }
        self.rounds.spare.set(dirty);
    }

    /// An I/O thread has woken the loop.
    fn woken(&self) {
        let Some(line) = self.rounds.line() else { return };
        let (mut sockets, mut attachments) = (self.rounds.woken.take(), self.rounds.stage.take());
        line.mailbox.drain(&mut sockets);
        attachments
            .extend(sockets.drain(..).filter_map(|socket| self.awake(socket.token(), Ready::default())));
        self.deliver_all(&mut attachments);
        self.rounds.woken.set(sockets);
        self.rounds.stage.set(attachments);
        self.flush();
    }

    /// The loop is about to wait for readiness.
    fn turn_begun(&self) {
        self.look_again(false);
        self.flush();
    }

    /// Gives sockets that wait for it another look: delivers their news and, where `reads` says so, reads on and tells of an end
    /// that was held back until this turn.
    pub(super) fn look_again(&self, reads: bool) {
        if self.rounds.waiting.borrow().is_empty() {
            return;
        }
        let (mut waiting, turn) = (self.rounds.waiting.take(), self.rounds.turn.get());
        waiting.retain(|attachment| {
            let is_due = attachment.is_due(turn, reads);
            if !is_due {
                self.rounds.waiting.borrow_mut().push(Rc::clone(attachment));
                return false;
            }
            attachment.waiting.set(false);
            if reads {
                attachment.tell_end(turn);
                self.move_bytes(attachment);
            }
            true
        });
        self.deliver_all(&mut waiting);
    }

    /// The loop has looked at everything that was ready.
    fn turn_ended(&self) {
        let now = u64::try_from(self.rounds.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if self.rounds.policy.borrow().is_due(now) {
            self.rounds.policy.borrow_mut().turn(now, thread_running());
        }
        let is_unfinished = self.arrivals_turn_ended();
        self.look_again(true);
        self.flush();
        self.rounds.turn.set(self.rounds.turn.get() + 1);
        if let Some(line) = self.rounds.line() {
            line.hurry(is_unfinished || !self.rounds.waiting.borrow().is_empty());
        }
        self.go_on_resting();
    }
}
