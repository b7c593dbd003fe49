//! The phases of the owner's loop, called by the host: [`EventLoop::before_poll`], [`EventLoop::on_readable`],
//! [`EventLoop::on_wake`], [`EventLoop::after_poll`]. Sockets are read, delivered and written in batches, because the code of one
//! step stays in the processor's caches while it repeats. Known events and queued output go out before anything is read.
//! No system call and no command of JavaScript here.

use std::rc::Rc;

use super::accept::{ACCEPT_BATCH, Acceptors};
use super::connection::ActiveConnection;
use super::event_loop::{EventLoop, List};
use super::poller::Readiness;
use super::{Delivered, Host, timers};
use crate::transport::listener::Listeners;
use crate::transport::timers::Due;

/// Sockets that are read, and bytes of them, before they are delivered: enough for the code to stay in the caches, few enough that
/// the bytes stay there, too.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 256 * 1024;

/// Ready sockets up to which they are served one after the other, each with its output, where both ends of a connection may be in this
/// process: in libuv's order, so that one may read in this cycle the bytes that another has sent. Elsewhere the order cannot be observed,
/// and batches take less time.
const FEW: usize = 16;

/// Calls for one delivery before the rest of it is dropped: no honest consumer comes near, and one that always fails must not hang
/// the loop.
const MAX_CALLS: usize = 100_000;

impl<H: Host> EventLoop<H> {
    /// The owner's loop is about to poll, without blocking.
    pub fn before_poll(&self) {
        if self.is_running() {
            self.serve_waiting(false);
            self.flush();
        }
    }

    /// The poller's descriptor is readable.
    pub fn on_readable(&self) {
        if !self.is_running() {
            return;
        }
        let Some(poller) = self.poller() else { return };
        self.update_clock();
        self.serve_waiting(false);
        self.flush();
        let mut ready = self.ready.take();
        self.take_due(&mut ready.list);
        poller.poll(|token, state| ready.list.push((token, state)));
        let is_few = ready.list.len() <= FEW && self.may_hold_both_ends();
        if is_few {
            ready.order(self.cycle.get());
        }
        let mut batch = self.batch.take();
        let mut bytes = 0;
        for (token, state) in ready.list.drain(..) {
            if self.has_ended() || self.accept_ready(token) {
                continue;
            }
            let Some(connection) = self.note_ready(token, state) else { continue };
            if connection.reads_in_place.get() && !self.arena.has_room() {
                // Delivered messages release the arena.
                self.deliver_all(&mut batch);
                self.flush();
            }
            bytes += self.move_bytes(&connection);
            batch.push(connection);
            if is_few || batch.len() >= BATCH || bytes >= BATCH_BYTES {
                bytes = 0;
                self.deliver_all(&mut batch);
                self.flush();
            }
        }
        self.deliver_all(&mut batch);
        self.batch.set(batch);
        self.ready.set(ready);
        self.deliver_accepted();
        self.flush();
    }

    /// An I/O thread has put sockets into the mailbox.
    pub fn on_wake(&self) {
        if !self.is_running() {
            return;
        }
        let Some(io) = self.io() else { return };
        let (mut tokens, mut batch) = (self.woken.take(), self.batch.take());
        io.mailbox.drain(&mut tokens);
        let connections =
            tokens.drain(..).filter_map(|token| self.activate_ready(token, &mut Readiness::default()));
        batch.extend(connections);
        let count = batch.len();
        self.deliver_all(&mut batch);
        self.transports().event_memory().pass_on(&mut io.mailbox.event_memory(), count);
        self.woken.set(tokens);
        self.batch.set(batch);
        self.flush();
    }

    /// The owner's loop has handled all that was ready.
    pub fn after_poll(&self) {
        if !self.is_running() {
            return;
        }
        if self.acceptors.has_unaccepted() {
            self.with_acceptors(Listeners::resume_accepting);
        }
        self.deliver_accepted();
        let has_accepted = self.acceptors.has_unaccepted() || self.acceptors.undelivered() > 0;
        self.serve_waiting(true);
        self.flush();
        self.cycle.set(self.cycle.get() + 1);
        self.poll_without_blocking(has_accepted || !self.waiting.borrow().is_empty());
    }

    /// Looks at the connections whose time limits may have passed, and pings those that are silent. Called by the host's timer, after
    /// the loop has polled: input that had arrived when the limit passed must be read first. Returns those that the host acts on.
    pub fn check_timers(&self) -> Vec<Due> {
        if !self.is_running() {
            return Vec::new();
        }
        self.update_clock();
        let due = self.liveness.take_due().into_iter();
        let due = due.filter_map(|id| timers::check(self, id).map(|action| Due { id, action })).collect();
        self.flush();
        due
    }

    /// Milliseconds after which [`EventLoop::check_timers`] is to be called. `None` if no deadline is set, or if the timer that the
    /// host has, according to `is_armed`, is early enough.
    pub fn timer_delay(&self, is_armed: bool) -> Option<u32> {
        self.liveness.delay(self.host.now(), is_armed)
    }

    /// Notes bytes that the host has received for a transport over a stream.
    pub fn note_received(&self, id: u32) {
        if self.liveness.is_used() {
            self.update_clock();
            self.liveness.note(id);
        }
    }

    /// Notes another sign of the peer, whose silence the host has found not to be one.
    pub fn note_alive(&self, id: u32) {
        timers::note_alive(self, id);
    }

    /// Reads the clock, if a connection has time limits.
    fn update_clock(&self) {
        if self.liveness.is_used() {
            self.liveness.set_now(self.host.now());
        }
    }

    /// The present cycle; `None` where the owner's loop cannot poll and nothing is looked at again.
    pub(super) fn cycle(&self) -> Option<u64> {
        self.poller().map(|_| self.cycle.get())
    }

    /// Notes the readiness of a token. Returns its connection, made active; `None` if there is none or it has nothing to do.
    pub(in crate::transport) fn note_ready(
        &self,
        token: u64,
        mut ready: Readiness,
    ) -> Option<Rc<ActiveConnection<H::Memory>>> {
        let connection = self.activate_ready(token, &mut ready)?;
        connection.ready.set(connection.ready.get().or(ready));
        Some(connection)
    }

    /// Delivers the events of connections that wait. If `reads`, reads on, too, and delivers ends that were held back until this
    /// cycle.
    fn serve_waiting(&self, reads: bool) {
        if self.waiting.borrow().is_empty() {
            return;
        }
        let (mut waiting, cycle) = (self.waiting.take(), self.cycle.get());
        waiting.retain(|connection| {
            let is_due = connection.is_due(cycle, reads);
            if !is_due {
                self.waiting.borrow_mut().push(Rc::clone(connection));
                return false;
            }
            connection.is_waiting.set(false);
            if reads {
                connection.add_due_end(cycle);
                self.move_bytes(connection);
            }
            true
        });
        self.deliver_all(&mut waiting);
    }

    /// Treats connections that wait to be read on in this cycle as ready.
    fn take_due(&self, ready: &mut Vec<(u64, Readiness)>) {
        let cycle = self.cycle.get();
        self.waiting.borrow_mut().retain(|connection| {
            let is_due = connection.is_due(cycle, true);
            if is_due {
                connection.is_waiting.set(false);
                connection.add_due_end(cycle);
                ready.push((connection.socket.token(), Readiness::default()));
            }
            !is_due
        });
    }

    /// Reads and writes if the event loop drives. Returns the bytes that were read.
    pub(in crate::transport) fn move_bytes(&self, connection: &ActiveConnection<H::Memory>) -> usize {
        match self.io() {
            Some(io) if !connection.is_on_thread && !self.has_ended() => {
                let mut memory = self.transports().event_memory();
                let bytes = connection.move_bytes(&self.host, &self.arena, &io.buffer, &mut memory);
                if bytes > 0 && self.liveness.is_used() {
                    self.liveness.note(connection.id());
                }
                bytes
            }
            _ => 0,
        }
    }

    /// Delivers the events of connections; the list is empty then. Output of consumers is written later, by a flush.
    fn deliver_all(&self, connections: &mut List<H::Memory>) {
        if connections.is_empty() {
            return;
        }
        self.host.with_scope(|scope| {
            for connection in connections.iter() {
                if !self.has_ended() {
                    self.deliver(connection, scope);
                }
            }
        });
        connections.clear();
        self.update_clock();
    }

    /// Delivers the events of one connection. Those that an earlier delivery has left behind, because it failed, go first.
    pub(in crate::transport) fn deliver(
        &self,
        connection: &Rc<ActiveConnection<H::Memory>>,
        scope: &H::Scope<'_>,
    ) {
        if connection.is_destroyed.get() {
            connection.release_in_place(&self.host, &self.arena);
            return;
        }
        if !connection.is_delivered() {
            self.call_consumer(connection, scope);
        }
        if connection.collect(&self.host, self.cycle()) {
            self.call_consumer(connection, scope);
        }
        if connection.end_due.get() != 0 {
            self.mark_waiting(connection);
        }
        connection.release_in_place(&self.host, &self.arena);
        self.transports().event_memory().reclaim(&mut connection.events.borrow_mut().events);
        // A flush looks at the interest, too.
        if !connection.is_dirty.get() {
            self.after_io(connection);
        }
    }

    fn call_consumer(&self, connection: &ActiveConnection<H::Memory>, scope: &H::Scope<'_>) {
        let mut count = self.write_batch(connection);
        for _ in 0..MAX_CALLS {
            let delivered = self.host.deliver(scope, connection.id(), count);
            self.host.send_queued(self);
            match delivered {
                Delivered::Again => {}
                Delivered::Done => return,
                Delivered::Ended => return self.set_ended(),
            }
            if !self.is_current(connection) {
                return;
            }
            count = 0;
        }
    }

    /// Accepts or reads, if the token is that of a listening socket or an accepted connection. Returns whether it is.
    fn accept_ready(&self, token: u64) -> bool {
        if !Acceptors::<H::Server>::is_token(token) {
            return false;
        }
        if let Some((number, server)) = self.acceptors.listener_of(token) {
            self.acceptors.set_fall_back(number, self.host.should_fall_back(&server));
        }
        self.with_acceptors(|listeners, turn| listeners.on_ready(token, turn));
        if self.acceptors.undelivered() >= ACCEPT_BATCH {
            self.deliver_accepted();
        }
        true
    }

    /// Delivers accepted connections. Those that are accepted meanwhile follow later.
    fn deliver_accepted(&self) {
        if self.acceptors.undelivered() == 0 {
            return;
        }
        let reject = |number| {
            self.with_acceptors(|listeners, _| listeners.discard(number));
        };
        self.host.deliver_accepted(self.acceptors.take_accepted(), || self.has_ended(), reject);
    }
}
