//! An owner whose sockets I/O threads drive: a mailbox, the bell that it rings, and all collected events.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};

use super::{Event, OneKey, Owns, TIMEOUT, connection};
use crate::protocol::Role;
use crate::transport::socket::{Descriptor, Fault, Mailbox, RECEIVE_BUFFER, Socket, SocketEvents, Wake};

/// Counts wake-ups.
#[derive(Default)]
pub(in crate::transport) struct Bell {
    rings: Mutex<usize>,
    rung: Condvar,
}

impl Bell {
    fn rings(&self) -> MutexGuard<'_, usize> {
        self.rings.lock().unwrap()
    }
}

struct Ringer(Arc<Bell>);

impl Wake for Ringer {
    fn wake(&self) {
        *self.0.rings() += 1;
        self.0.rung.notify_one();
    }
}

/// All events of one socket.
#[derive(Debug, Default)]
pub(in crate::transport) struct Seen {
    pub(in crate::transport) events: Vec<Event>,
    pub(in crate::transport) written: Vec<u64>,
    pub(in crate::transport) drained: usize,
    pub(in crate::transport) shut_down: usize,
    pub(in crate::transport) ended: usize,
    pub(in crate::transport) faults: Vec<Fault>,
}

impl Seen {
    /// Adds events that a paused socket has left: they precede a failure that was reported before.
    pub(super) fn add_left(&mut self, events: Vec<Event>, rest: &mut SocketEvents) {
        let faults = std::mem::take(&mut self.faults);
        self.add_batch(events, rest);
        self.faults.splice(..0, faults);
    }

    pub(super) fn add(&mut self, undelivered: &mut SocketEvents) {
        let events = events_of(undelivered);
        self.add_batch(events, undelivered);
    }

    /// Adds the events of a connection, and those of its socket in `rest`.
    pub(super) fn add_batch(&mut self, events: Vec<Event>, rest: &mut SocketEvents) {
        assert!(self.ended == 0 || events.is_empty(), "events after the end");
        assert!(self.faults.is_empty(), "events after a failure");
        self.events.extend(events);
        self.written.extend(rest.written.take());
        self.drained += usize::from(rest.drained);
        self.shut_down += usize::from(rest.shut_down);
        self.ended += usize::from(rest.ended);
        assert!(self.ended <= 1, "the end was delivered twice");
        self.faults.extend(rest.fault.take());
        *rest = SocketEvents { events: std::mem::take(&mut rest.events), ..SocketEvents::default() };
    }
}

fn events_of(undelivered: &mut SocketEvents) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = undelivered.events.peek() {
        events.push(event.into());
        undelivered.events.advance();
    }
    events
}

pub(in crate::transport) struct Owner {
    pub(in crate::transport) mailbox: Arc<Mailbox>,
    bell: Arc<Bell>,
    /// Rings that were answered.
    answered: usize,
    undelivered: SocketEvents,
    seen: HashMap<u64, Seen>,
    sockets: RefCell<HashMap<u64, Weak<Socket>>>,
}

impl Owner {
    pub(in crate::transport) fn new() -> Self {
        let bell = Arc::new(Bell::default());
        let mailbox = Arc::new(Mailbox::new(Box::new(Ringer(Arc::clone(&bell)))));
        Self {
            mailbox,
            bell,
            answered: 0,
            undelivered: SocketEvents::default(),
            seen: HashMap::new(),
            sockets: RefCell::default(),
        }
    }

    /// Hands a socket to the threads; it answers pings by itself.
    pub(in crate::transport) fn adopt(
        &self,
        fd: socket2::Socket,
        role: Role,
        head: &[u8],
        token: u64,
    ) -> Arc<Socket> {
        fd.set_nonblocking(true).unwrap();
        let fd = Descriptor::Owned(Arc::new(fd));
        let socket = Socket::new(fd, connection(role, true), head, &mut OneKey, &self.mailbox, token, true);
        self.add(&socket);
        socket
    }

    /// Hands a socket with this mailbox to the threads.
    pub(in crate::transport) fn add(&self, socket: &Arc<Socket>) {
        self.sockets.borrow_mut().insert(socket.token(), Arc::downgrade(socket));
        socket.drive_on_thread().unwrap();
    }

    /// Number of times that the mailbox has woken this owner.
    pub(in crate::transport) fn rings(&self) -> usize {
        *self.bell.rings()
    }

    /// All events of a socket so far.
    pub(in crate::transport) fn seen(&mut self, token: u64) -> &Seen {
        self.seen.entry(token).or_default()
    }

    /// Waits until the mailbox has rung since the last look at it.
    pub(in crate::transport) fn wait(&mut self) {
        let unanswered = |rings: &mut usize| *rings == self.answered;
        let (rings, waited) =
            self.bell.rung.wait_timeout_while(self.bell.rings(), TIMEOUT, unanswered).unwrap();
        assert!(!waited.timed_out(), "nothing arrived; so far: {:?}", self.seen);
        self.answered = *rings;
    }

    /// Collects from all sockets in the mailbox. Returns their number.
    pub(in crate::transport) fn collect(&mut self) -> usize {
        let mut ready = Vec::new();
        self.mailbox.drain(&mut ready);
        for token in &ready {
            let socket = self.sockets.borrow().get(token).and_then(Weak::upgrade);
            if socket.is_some_and(|socket| socket.collect(&mut self.undelivered)) {
                assert!(!self.undelivered.is_empty(), "events without contents");
                self.seen.entry(*token).or_default().add(&mut self.undelivered);
            }
        }
        ready.len()
    }

    /// Collects the events that a paused socket has left.
    pub(in crate::transport) fn last_read(&mut self, socket: &Arc<Socket>) {
        socket.last_read(&mut vec![0; RECEIVE_BUFFER], &mut OneKey, &mut self.undelivered);
        let events = events_of(&mut self.undelivered);
        self.seen.entry(socket.token()).or_default().add_left(events, &mut self.undelivered);
    }

    /// Collects events until `done` holds for all events of a socket.
    pub(in crate::transport) fn until(&mut self, token: u64, done: impl Fn(&Seen) -> bool) -> &Seen {
        while !done(self.seen(token)) {
            self.wait();
            self.collect();
        }
        self.seen(token)
    }
}

impl Owns for Owner {
    fn begin() -> Self {
        Self::new()
    }

    fn take(&mut self, fd: socket2::Socket, role: Role, head: &[u8], token: u64) -> Arc<Socket> {
        self.adopt(fd, role, head, token)
    }

    fn until(&mut self, token: u64, done: impl Fn(&Seen) -> bool) -> &Seen {
        Self::until(self, token, done)
    }

    fn destroy_socket(&mut self, socket: &Arc<Socket>) {
        socket.destroy();
    }
}
