//! An owner that drives its sockets itself, as the addon does (`addon::driving`): a poller, what it has told of each
//! socket, and moves to a thread and back. Its loop waits in a poller around the poller, as that of Node does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use super::{OneKey, Owns, Seen, TIMEOUT, config, connection};
use crate::protocol::Role;
use crate::transport::event_loop::{self, Poller, Readiness};
use crate::transport::socket::{Descriptor, OwnedOrBorrowedFd, Idle, SocketEvents, Mailbox, RECEIVE_BUFFER, Socket, Wake};

const POLLER: Token = Token(0);
const MAILBOX: Token = Token(1);

struct Ringer(Waker);

impl Wake for Ringer {
    fn wake(&self) {
        self.0.wake().unwrap();
    }
}

struct Hosted {
    socket: Arc<Socket>,
    on_thread: bool,
    ready: Readiness,
}

impl Hosted {
    fn woken((idle, role): (Idle, Role), token: u64, mailbox: &Arc<Mailbox>) -> Self {
        let socket = idle.wake(Arc::new(config(role, true)), mailbox, token, true);
        Self { socket, on_thread: false, ready: Readiness::default() }
    }

    /// Whether it is to be looked at again though nothing new is told of it.
    fn is_waiting(&self) -> bool {
        let interest = self.socket.interest();
        let is_read = interest.read || (interest.ahead && self.ready.ended);
        !self.on_thread && (interest.news || (is_read && self.ready.read))
    }

    /// Reads and writes what can and may be read and written.
    fn move_bytes(&mut self, buffer: &mut [u8]) {
        if self.on_thread {
            return;
        }
        if self.ready.write && self.socket.interest().write {
            event_loop::write(&self.socket);
        }
        self.ready.write = false;
        let interest = self.socket.interest();
        if self.ready.read && interest.read {
            self.ready.read = event_loop::read(&self.socket, self.ready.ended, buffer, &mut OneKey).more;
        } else if self.ready.read && self.ready.ended && interest.ahead {
            self.ready.read = event_loop::read_ahead(&self.socket, buffer, &mut OneKey).more;
        }
    }
}

pub(in crate::transport) struct Host {
    pub(in crate::transport) poller: Poller,
    poll: Poll,
    mailbox: Arc<Mailbox>,
    hosted: HashMap<u64, Hosted>,
    idle: HashMap<u64, (Idle, Role)>,
    buffer: Vec<u8>,
    undelivered: SocketEvents,
    seen: HashMap<u64, Seen>,
}

impl Host {
    pub(in crate::transport) fn new() -> Self {
        let (poller, poll) = (Poller::new().unwrap(), Poll::new().unwrap());
        poll.registry().register(&mut SourceFd(&poller.fd()), POLLER, Interest::READABLE).unwrap();
        let waker = Waker::new(poll.registry(), MAILBOX).unwrap();
        let mailbox = Arc::new(Mailbox::new(Box::new(Ringer(waker))));
        Self {
            poller,
            poll,
            mailbox,
            hosted: HashMap::new(),
            idle: HashMap::new(),
            buffer: vec![0; RECEIVE_BUFFER],
            undelivered: SocketEvents::default(),
            seen: HashMap::new(),
        }
    }

    /// All that came from a socket so far.
    pub(in crate::transport) fn seen(&mut self, token: u64) -> &Seen {
        self.seen.entry(token).or_default()
    }

    pub(in crate::transport) fn is_on_thread(&self, token: u64) -> bool {
        self.hosted[&token].on_thread
    }

    /// What is known of a socket's descriptor and was not used up.
    pub(in crate::transport) fn ready(&self, token: u64) -> Readiness {
        self.hosted[&token].ready
    }

    pub(in crate::transport) fn give_to_thread(&mut self, token: u64) {
        let hosted = self.hosted.get_mut(&token).unwrap();
        assert!(!hosted.on_thread);
        hosted.socket.move_to_thread().unwrap();
        self.poller.remove(&hosted.socket);
        hosted.on_thread = true;
    }

    pub(in crate::transport) fn take_back(&mut self, token: u64) {
        let hosted = self.hosted.get_mut(&token).unwrap();
        assert!(hosted.on_thread);
        hosted.ready = Readiness::default();
        self.poller.add(&hosted.socket).unwrap();
        hosted.socket.move_to_owner();
        hosted.on_thread = false;
        // The thread may have been asked to and not have come to it.
        event_loop::write(&hosted.socket);
    }

    /// Makes the owner believe that a socket's descriptor is ready.
    pub(in crate::transport) fn believe(&mut self, token: u64, ready: Readiness) {
        self.hosted.get_mut(&token).unwrap().ready = ready;
    }

    /// Notes what the poller tells. Tokens that nobody has are nobody's.
    pub(in crate::transport) fn listen(&mut self) -> Vec<u64> {
        let mut told = Vec::new();
        self.poller.turn(|token, ready| {
            // Whoever has nothing to write need not know that he may.
            if ready.read
                && let Some(idle) = self.idle.remove(&token)
            {
                self.hosted.insert(token, Hosted::woken(idle, token, &self.mailbox));
            }
            if let Some(hosted) = self.hosted.get_mut(&token) {
                hosted.ready = hosted.ready.or(ready);
                told.push(token);
            }
        });
        told
    }

    /// Reads and writes, without collecting.
    pub(in crate::transport) fn move_bytes(&mut self, token: u64) {
        self.hosted.get_mut(&token).unwrap().move_bytes(&mut self.buffer);
    }

    /// Collects from one socket. Returns whether there was anything.
    pub(in crate::transport) fn collect(&mut self, token: u64) -> bool {
        let has_news = self.hosted[&token].socket.collect(&mut self.undelivered);
        if has_news {
            assert!(!self.undelivered.is_empty(), "news without contents");
            self.seen.entry(token).or_default().add(&mut self.undelivered);
        }
        has_news
    }

    /// One turn of the loop, without waiting: all that is ready, all that is in the mailbox, all that waits for
    /// another look.
    pub(in crate::transport) fn turn(&mut self) {
        let mut due = self.listen();
        let mut ready = Vec::new();
        self.mailbox.drain(&mut ready);
        due.extend(ready.iter().map(|socket| socket.token()));
        due.extend(self.hosted.iter().filter(|(_, hosted)| hosted.is_waiting()).map(|(token, _)| *token));
        for token in due {
            if self.hosted.contains_key(&token) {
                self.move_bytes(token);
                self.collect(token);
            }
        }
    }

    /// Waits until there is something to do for a turn.
    pub(in crate::transport) fn wait(&mut self) {
        let is_hurried = self.hosted.values().any(Hosted::is_waiting);
        let mut events = Events::with_capacity(2);
        self.poll.poll(&mut events, Some(if is_hurried { Duration::ZERO } else { TIMEOUT })).unwrap();
        let counts = || self.seen.values().map(|seen| seen.events.len()).collect::<Vec<_>>();
        assert!(is_hurried || !events.is_empty(), "nothing came; so far, events: {:?}", counts());
    }

    /// Takes over a socket that nothing is to be done with yet.
    pub(in crate::transport) fn take_idle(&mut self, fd: socket2::Socket, role: Role, token: u64) {
        fd.set_nonblocking(true).unwrap();
        let idle = Idle::new(OwnedOrBorrowedFd::Owned(fd));
        self.poller.add_home(&idle, token).unwrap();
        assert!(self.idle.insert(token, (idle, role)).is_none(), "two sockets have one number");
    }

    /// What is left of a socket that is idle now.
    pub(in crate::transport) fn idle(&self, token: u64) -> Option<&Idle> {
        self.idle.get(&token).map(|(idle, _)| idle)
    }

    /// Makes a socket idle, if it has nothing in flight. Returns whether it is.
    pub(in crate::transport) fn rest(&mut self, token: u64, role: Role) -> bool {
        let hosted = &self.hosted[&token];
        let is_idle = hosted.socket.is_idle() && !hosted.ready.read;
        if is_idle {
            let idle = self.hosted.remove(&token).unwrap().socket.into_idle().unwrap();
            self.idle.insert(token, (idle, role));
        }
        is_idle
    }

    /// The socket of a number; it is awake then.
    pub(in crate::transport) fn wake(&mut self, token: u64) -> Arc<Socket> {
        if let Some(idle) = self.idle.remove(&token) {
            self.hosted.insert(token, Hosted::woken(idle, token, &self.mailbox));
        }
        Arc::clone(&self.hosted[&token].socket)
    }

    /// Lets go of an idle socket.
    pub(in crate::transport) fn drop_idle(&mut self, token: u64) {
        assert!(self.idle.remove(&token).is_some());
    }

    /// Takes what a paused socket has left.
    pub(in crate::transport) fn last_read(&mut self, socket: &Arc<Socket>) {
        socket.last_read(&mut self.buffer, &mut OneKey, &mut self.undelivered);
        self.seen.entry(socket.token()).or_default().add_left(&mut self.undelivered);
    }
}

impl Owns for Host {
    fn begin() -> Self {
        Self::new()
    }

    fn take(&mut self, fd: socket2::Socket, role: Role, head: &[u8], token: u64) -> Arc<Socket> {
        fd.set_nonblocking(true).unwrap();
        let fd = Descriptor::Owned(Arc::new(fd));
        let socket = Socket::new(fd, connection(role, true), head, &mut OneKey, &self.mailbox, token, true);
        self.poller.add(&socket).unwrap();
        let hosted = Hosted { socket: Arc::clone(&socket), on_thread: false, ready: Readiness::default() };
        assert!(self.hosted.insert(token, hosted).is_none(), "two sockets have one number");
        socket
    }

    fn until(&mut self, token: u64, done: impl Fn(&Seen) -> bool) -> &Seen {
        self.turn();
        while !done(self.seen(token)) {
            self.wait();
            self.turn();
        }
        self.seen(token)
    }

    fn give_up(&mut self, socket: &Arc<Socket>) {
        if let Some(hosted) = self.hosted.remove(&socket.token()) {
            if !hosted.on_thread {
                self.poller.remove(socket);
            }
            socket.destroy();
        }
    }
}
