//! The owner of sockets in tests: a mailbox, a bell that it rings, and a list of everything that was collected.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use super::{Event, OneKey, TIMEOUT, connection};
use crate::protocol::Role;
use crate::transport::socket::{Descriptor, Fault, Inbox, Mailbox, RECEIVE_BUFFER, Socket, Wake};

/// Counts wake-ups.
#[derive(Default)]
pub(super) struct Bell {
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

/// All that came from one socket.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) events: Vec<Event>,
    pub(super) raw: Vec<u8>,
    pub(super) written: Vec<u64>,
    pub(super) drained: usize,
    pub(super) shut_down: usize,
    pub(super) ended: usize,
    pub(super) faults: Vec<Fault>,
}

impl Seen {
    fn add(&mut self, inbox: &mut Inbox) {
        assert!(self.ended == 0 || inbox.events.is_empty(), "events after the end");
        assert!(self.faults.is_empty(), "news after a failure");
        while let Some(event) = inbox.events.peek() {
            self.events.push(event.into());
            inbox.events.advance();
        }
        self.raw.append(&mut inbox.raw);
        self.written.extend(inbox.written.take());
        self.drained += usize::from(inbox.drained);
        self.shut_down += usize::from(inbox.shut_down);
        self.ended += usize::from(inbox.ended);
        assert!(self.ended <= 1, "the end came twice");
        self.faults.extend(inbox.fault.take());
        *inbox = Inbox { events: std::mem::take(&mut inbox.events), ..Inbox::default() };
    }
}

pub(super) struct Owner {
    pub(super) mailbox: Arc<Mailbox>,
    bell: Arc<Bell>,
    /// Rings that were answered.
    answered: usize,
    inbox: Inbox,
    seen: HashMap<u64, Seen>,
}

impl Owner {
    pub(super) fn new() -> Self {
        let bell = Arc::new(Bell::default());
        let mailbox = Arc::new(Mailbox::new(Box::new(Ringer(Arc::clone(&bell)))));
        Self { mailbox, bell, answered: 0, inbox: Inbox::default(), seen: HashMap::new() }
    }

    /// Hands a socket to the threads; it answers pings by itself.
    pub(super) fn adopt(&self, fd: socket2::Socket, role: Role, head: &[u8], token: u64) -> Arc<Socket> {
        fd.set_nonblocking(true).unwrap();
        let fd = Descriptor::Owned(Arc::new(fd));
        let socket = Socket::new(fd, connection(role, true), head, &mut OneKey, &self.mailbox, token, true);
        socket.move_to_thread().unwrap();
        socket
    }

    /// How often the mailbox has woken this owner.
    pub(super) fn rings(&self) -> usize {
        *self.bell.rings()
    }

    /// All that came from a socket so far.
    pub(super) fn seen(&mut self, token: u64) -> &Seen {
        self.seen.entry(token).or_default()
    }

    /// Waits until the mailbox has rung since the last look at it.
    pub(super) fn wait(&mut self) {
        let unanswered = |rings: &mut usize| *rings == self.answered;
        let (rings, waited) =
            self.bell.rung.wait_timeout_while(self.bell.rings(), TIMEOUT, unanswered).unwrap();
        assert!(!waited.timed_out(), "nothing came; so far: {:?}", self.seen);
        self.answered = *rings;
    }

    /// Collects from all sockets that are in the mailbox now. Returns how many those were.
    pub(super) fn collect(&mut self) -> usize {
        let mut ready = Vec::new();
        self.mailbox.drain(&mut ready);
        for socket in &ready {
            if socket.collect(&mut self.inbox) {
                assert!(!self.inbox.is_empty(), "news without contents");
                self.seen.entry(socket.token()).or_default().add(&mut self.inbox);
            }
        }
        ready.len()
    }

    /// Takes what a paused socket has left.
    pub(super) fn last_read(&mut self, socket: &Arc<Socket>) {
        socket.last_read(&mut vec![0; RECEIVE_BUFFER], &mut OneKey, &mut self.inbox);
        self.seen.entry(socket.token()).or_default().add(&mut self.inbox);
    }

    /// Collects what comes until `done` holds for all that a socket has told so far.
    pub(super) fn until(&mut self, token: u64, done: impl Fn(&Seen) -> bool) -> &Seen {
        while !done(self.seen(token)) {
            self.wait();
            self.collect();
        }
        self.seen(token)
    }
}
