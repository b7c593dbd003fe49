//! An owner with a real [`EventLoop`], whose host has a loop of its own around the poller, as Node has, and keeps all
//! events.
//!
//! Tests may use a socket directly. The event loop then looks at it at the beginning of the next cycle, as it does
//! after its own commands.

use std::any::Any;
use std::cell::{Cell, RefCell, RefMut};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use super::{Event, OneKey, Owns, Seen, TIMEOUT, config};
use crate::connection::{EventBatch, EventRef, MaskingKeys};
use crate::protocol::Role;
use crate::transport::event_loop::{
    ARENA_SIZE, ActiveConnection, AdoptRequest, Delivered, EventLoop, Host, InPlace, LoopControl, Poller,
    Readiness, Source,
};
use crate::transport::listener::AcceptedConnection;
use crate::transport::socket::{Socket, SocketEvents, Wake};
use crate::transport::transports::{Backend, Totals, Transport};

const POLLER: Token = Token(0);
const MAILBOX: Token = Token(1);

/// Memory of a large frame, or of a program.
pub(in crate::transport) type Memory = Rc<RefCell<Vec<u8>>>;

#[derive(Clone)]
struct Ringer(Arc<Waker>);

impl Wake for Ringer {
    fn wake(&self) {
        self.0.wake().unwrap();
    }
}

/// Requests of the event loop to the loop around it.
#[derive(Default)]
pub(in crate::transport) struct LoopRequests {
    pub(in crate::transport) is_kept_alive: Cell<bool>,
    polls_without_blocking: Cell<bool>,
}

struct TestLoop(Ringer, Rc<LoopRequests>);

impl LoopControl for TestLoop {
    fn waker(&self) -> Box<dyn Wake> {
        Box::new(self.0.clone())
    }

    fn set_ref(&self, on: bool) {
        self.1.is_kept_alive.set(on);
    }

    fn poll_without_blocking(&self, on: bool) {
        self.1.polls_without_blocking.set(on);
    }

    fn close(self: Box<Self>, _: Box<dyn Any>) {}
}

/// The host of a test.
pub(in crate::transport) struct TestHost {
    keys: RefCell<OneKey>,
    arena: RefCell<Vec<u8>>,
    /// The batch that was written last.
    batch: RefCell<SocketEvents>,
    batch_events: RefCell<Vec<Event>>,
    seen: RefCell<HashMap<u64, Seen>>,
    /// Ids in the order of deliveries.
    pub(in crate::transport) deliveries: RefCell<Vec<u32>>,
    /// Allocations that were made for large frames.
    pub(in crate::transport) allocations: Cell<usize>,
    pub(in crate::transport) has_memory: Cell<bool>,
    pub(in crate::transport) is_running: Cell<bool>,
    pub(in crate::transport) reports_end_with_bytes: Cell<bool>,
}

impl TestHost {
    fn new() -> Self {
        Self {
            keys: RefCell::new(OneKey),
            arena: RefCell::new(vec![0; ARENA_SIZE]),
            batch: RefCell::default(),
            batch_events: RefCell::default(),
            seen: RefCell::default(),
            deliveries: RefCell::default(),
            allocations: Cell::new(0),
            has_memory: Cell::new(true),
            is_running: Cell::new(true),
            reports_end_with_bytes: Cell::new(false),
        }
    }

    fn take_batch(&self) -> (Vec<Event>, SocketEvents) {
        (self.batch_events.take(), self.batch.take())
    }
}

impl Host for TestHost {
    const WRITE_TURN: usize = 48 * 1024;

    type Memory = Memory;
    type Server = ();
    type Scope<'a> = ();

    fn is_running(&self) -> bool {
        self.is_running.get()
    }

    fn with_scope(&self, deliver: impl FnOnce(&())) {
        deliver(&());
    }

    fn write_batch(&self, events: &mut SocketEvents, in_place: Option<&InPlace<Memory>>) -> u32 {
        let mut written = self.batch_events.borrow_mut();
        written.clear();
        while let Some(event) = events.events.peek() {
            let event = match event {
                EventRef::InChunk { binary, start, length } => {
                    let data = match in_place.expect("memory that the message lies in") {
                        InPlace::Arena(offset) => self.arena.borrow()[offset + start..][..length].to_vec(),
                        InPlace::Frame(memory) => memory.borrow()[start..][..length].to_vec(),
                    };
                    if binary { Event::Binary(data) } else { Event::Text(String::from_utf8(data).unwrap()) }
                }
                event => event.into(),
            };
            written.push(event);
            events.events.advance();
        }
        let rest = SocketEvents { events: std::mem::take(&mut events.events), ..SocketEvents::default() };
        let batch = std::mem::replace(events, rest);
        *self.batch.borrow_mut() = SocketEvents { events: EventBatch::default(), ..batch };
        written.len() as u32
    }

    fn deliver(&self, (): &(), id: u32, _count: u32) -> Delivered {
        let (events, mut rest) = self.take_batch();
        assert!(!(events.is_empty() && rest.is_empty()), "a delivery without events");
        self.deliveries.borrow_mut().push(id);
        self.seen.borrow_mut().entry(id.into()).or_default().add_batch(events, &mut rest);
        Delivered::Done
    }

    fn allocate(&self, length: usize) -> Option<Memory> {
        self.allocations.set(self.allocations.get() + 1);
        self.has_memory.get().then(|| Rc::new(RefCell::new(vec![0xEE; length])))
    }

    fn with_memory<R>(&self, memory: &Memory, access: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        self.is_running.get().then(|| access(&mut memory.borrow_mut()))
    }

    fn with_arena<R>(&self, access: impl FnOnce(&mut [u8]) -> R) -> R {
        access(&mut self.arena.borrow_mut())
    }

    fn masking_keys(&self) -> RefMut<'_, impl MaskingKeys> {
        self.keys.borrow_mut()
    }

    fn now(&self) -> u64 {
        0
    }

    fn reports_end_with_bytes(&self) -> bool {
        self.reports_end_with_bytes.get()
    }

    fn should_fall_back(&self, (): &()) -> bool {
        false
    }

    fn deliver_accepted(&self, _: Vec<AcceptedConnection<()>>, _: impl Fn() -> bool, _: impl Fn(u32)) {
        panic!("nothing listens here")
    }
}

/// An owner with an event loop.
pub(in crate::transport) struct LoopOwner {
    pub(in crate::transport) event_loop: EventLoop<TestHost>,
    pub(in crate::transport) poller: Rc<Poller>,
    /// The loop around the event loop.
    poll: Poll,
    pub(in crate::transport) requests: Rc<LoopRequests>,
    /// I/O threads drive the sockets that are adopted.
    on_threads: bool,
}

impl LoopOwner {
    pub(in crate::transport) fn new() -> Self {
        let (poller, poll) = (Rc::new(Poller::new().unwrap()), Poll::new().unwrap());
        poll.registry().register(&mut SourceFd(&poller.fd()), POLLER, Interest::READABLE).unwrap();
        let waker = Waker::new(poll.registry(), MAILBOX).unwrap();
        let event_loop = EventLoop::new(TestHost::new());
        let requests = Rc::<LoopRequests>::default();
        let handles = Box::new(TestLoop(Ringer(Arc::new(waker)), Rc::clone(&requests)));
        event_loop.start(Some(Rc::clone(&poller)), handles);
        Self { event_loop, poller, poll, requests, on_threads: false }
    }

    /// An owner whose sockets I/O threads drive.
    pub(in crate::transport) fn on_threads() -> Self {
        Self { on_threads: true, ..Self::new() }
    }

    pub(in crate::transport) fn host(&self) -> &TestHost {
        self.event_loop.host()
    }

    /// Runs `access` on the transport of a token.
    pub(in crate::transport) fn with_transport<R>(
        &self,
        token: u64,
        access: impl FnOnce(&mut Transport<Memory>, &EventLoop<TestHost>) -> R,
    ) -> R {
        let transport = self.event_loop.transports().get(token as u32).unwrap();
        access(&mut transport.borrow_mut(), &self.event_loop)
    }

    fn active(&self, token: u64) -> Option<Rc<ActiveConnection<Memory>>> {
        self.event_loop.transports().get(token as u32)?.borrow().active().cloned()
    }

    fn expect_active(&self, token: u64) -> Rc<ActiveConnection<Memory>> {
        self.active(token).expect("an active connection")
    }

    /// All events of a socket so far.
    pub(in crate::transport) fn seen(&mut self, token: u64) -> &Seen {
        let seen = self.event_loop.host_mut().seen.get_mut();
        seen.entry(token).or_default()
    }

    pub(in crate::transport) fn seen_mut(&mut self, token: u64) -> &mut Seen {
        self.event_loop.host_mut().seen.get_mut().entry(token).or_default()
    }

    pub(in crate::transport) fn is_on_thread(&self, token: u64) -> bool {
        self.expect_active(token).is_on_thread()
    }

    /// Readiness that was not used up.
    pub(in crate::transport) fn ready(&self, token: u64) -> Readiness {
        self.expect_active(token).readiness()
    }

    /// Replaces the readiness of a socket's descriptor.
    pub(in crate::transport) fn set_ready(&mut self, token: u64, ready: Readiness) {
        self.expect_active(token).set_readiness(ready);
    }

    /// Notes reported readiness, without reading. Returns the tokens of connections.
    pub(in crate::transport) fn poll_readiness(&mut self) -> Vec<u64> {
        let mut ready = Vec::new();
        self.poller.poll(|token, state| ready.push((token, state)));
        ready.retain(|(token, state)| self.event_loop.note_ready(*token, *state).is_some());
        ready.into_iter().map(|(token, _)| token).collect()
    }

    /// Has the event loop look at all sockets, after direct operations on them.
    fn refresh(&self) {
        self.event_loop.transports().for_each(|transport| {
            if let Some(connection) = transport.borrow().active() {
                self.event_loop.after_io(connection);
            }
        });
    }

    /// Reads and writes, without delivering.
    pub(in crate::transport) fn move_bytes(&mut self, token: u64) {
        self.refresh();
        self.event_loop.move_bytes(&self.expect_active(token));
    }

    /// Delivers the events of one socket. True if there were any.
    pub(in crate::transport) fn collect(&mut self, token: u64) -> bool {
        let before = self.host().deliveries.borrow().len();
        self.event_loop.deliver(&self.expect_active(token), &());
        let after = self.host().deliveries.borrow().len();
        after > before
    }

    /// One cycle of the loop, without blocking.
    pub(in crate::transport) fn cycle(&mut self) {
        self.refresh();
        if self.requests.polls_without_blocking.get() {
            self.event_loop.before_poll();
        }
        self.event_loop.on_readable();
        self.event_loop.on_wake();
        self.event_loop.after_poll();
    }

    /// Waits until there is something to do for a cycle.
    pub(in crate::transport) fn wait(&mut self) {
        self.refresh();
        let is_non_blocking = self.requests.polls_without_blocking.get();
        let mut events = Events::with_capacity(2);
        self.poll.poll(&mut events, Some(if is_non_blocking { Duration::ZERO } else { TIMEOUT })).unwrap();
        let counts = || self.host().seen.borrow().values().map(|seen| seen.events.len()).collect::<Vec<_>>();
        assert!(is_non_blocking || !events.is_empty(), "nothing arrived; so far, events: {:?}", counts());
    }

    /// Adopts a socket; the connection is idle if nothing is to be done with it.
    pub(in crate::transport) fn adopt(&mut self, fd: socket2::Socket, role: Role, head: &[u8], token: u64) {
        fd.set_nonblocking(true).unwrap();
        let transports = self.event_loop.transports();
        while u64::from(transports.next_id()) < token {
            transports.insert(Rc::new(RefCell::new(Transport::closed())));
        }
        let config = Arc::new(config(role, true));
        let request = AdoptRequest { source: Source::Owned(fd), config, head, on_thread: self.on_threads };
        let id = self.event_loop.adopt(request).unwrap();
        assert_eq!(u64::from(id), token, "two sockets have one number");
    }

    /// The totals of a connection that is idle now.
    pub(in crate::transport) fn idle(&self, token: u64) -> Option<Totals> {
        self.with_transport(token, |transport, _| {
            matches!(transport.backend(), Backend::Idle(_)).then(|| transport.totals())
        })
    }

    /// Makes a connection idle, if it has nothing in flight. True if it is.
    pub(in crate::transport) fn make_idle(&mut self, token: u64) -> bool {
        self.refresh();
        self.with_transport(token, |transport, event_loop| event_loop.make_idle(transport))
    }

    /// The socket of a number; its connection is active then.
    pub(in crate::transport) fn activate(&mut self, token: u64) -> Arc<Socket> {
        self.with_transport(token, |transport, event_loop| {
            Arc::clone(event_loop.activate(transport).expect("a socket").socket())
        })
    }

    /// Destroys the connection of a number.
    pub(in crate::transport) fn destroy(&mut self, token: u64) {
        self.with_transport(token, |transport, event_loop| {
            transport.destroy(event_loop);
        });
    }

    /// Collects the events that a paused socket has left.
    pub(in crate::transport) fn last_read(&mut self, socket: &Arc<Socket>) {
        let token = socket.token();
        self.with_transport(token, |transport, event_loop| {
            transport.last_read(event_loop);
            transport.next_batch(event_loop);
        });
        let (events, mut rest) = self.host().take_batch();
        self.host().seen.borrow_mut().entry(token).or_default().add_left(events, &mut rest);
    }
}

impl Owns for LoopOwner {
    fn begin() -> Self {
        Self::new()
    }

    fn take(&mut self, fd: socket2::Socket, role: Role, head: &[u8], token: u64) -> Arc<Socket> {
        self.adopt(fd, role, head, token);
        self.activate(token)
    }

    fn until(&mut self, token: u64, done: impl Fn(&Seen) -> bool) -> &Seen {
        self.cycle();
        while !done(self.seen(token)) {
            self.wait();
            self.cycle();
        }
        self.seen(token)
    }

    fn destroy_socket(&mut self, socket: &Arc<Socket>) {
        self.destroy(socket.token());
        // Lists of the event loop may have held it.
        self.cycle();
    }
}
