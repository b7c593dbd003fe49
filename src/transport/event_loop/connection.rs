//! The state of one active connection between cycles. Decides whether and where to read (shared buffer, arena, large
//! frame); system calls are in [`socket`](crate::transport::socket). Called by `cycle`, `event_loop` and `commands`. No lists of
//! connections and no delivery here.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::sync::Arc;

use super::Host;
use super::large_frame::{LARGE_FRAME_FROM, LargeFrame};
use super::payload_arena::PayloadArena;
use super::payloads::Payloads;
use super::poller::Readiness;
use crate::connection::{Connection, EventMemory, MIN_IN_PLACE};
use crate::transport::socket::{Interest, RECEIVE_BUFFER, Socket, SocketEvents, Taken};

/// Memory that holds messages received in place. `M` is that of the [`Host`].
#[derive(Debug)]
pub enum InPlace<M> {
    /// The payload arena, from this offset on, until it is released.
    Arena(usize),
    /// Memory of one message.
    Frame(M),
}

impl<M> InPlace<M> {
    /// The offset in the payload arena. `None` for memory of one message.
    pub fn arena_offset(&self) -> Option<usize> {
        match self {
            Self::Arena(offset) => Some(*offset),
            Self::Frame(_) => None,
        }
    }
}

/// A connection of the event loop that is not idle; also one whose socket an I/O thread drives.
pub struct ActiveConnection<M> {
    pub(super) socket: Arc<Socket>,
    /// Events that were collected from the socket and are not in a batch yet.
    pub(super) events: RefCell<SocketEvents>,
    /// On the list of connections with output to flush.
    pub(super) is_dirty: Cell<bool>,
    /// On the list of connections that are looked at again in this cycle.
    pub(super) is_waiting: Cell<bool>,
    /// An I/O thread drives the socket, not the event loop.
    pub(super) is_on_thread: bool,
    pub(super) is_destroyed: Cell<bool>,
    /// Readiness that was reported and not used up. Unused if an I/O thread drives the socket, as is `interest`.
    pub(super) ready: Cell<Readiness>,
    /// The interest after the last operation on the owner's thread: nothing else changes it.
    pub(super) interest: Cell<Interest>,
    /// The last read ended with whole large messages: the next one goes to the payload arena.
    pub(super) reads_in_place: Cell<bool>,
    /// Memory of messages that are not delivered yet.
    pub(super) in_place: RefCell<Option<InPlace<M>>>,
    /// A large frame that is being received.
    large_frame: RefCell<Option<LargeFrame<M>>>,
    /// Memory of the external segments of the output.
    pub(super) payloads: Payloads<M>,
    /// The last look has read bytes.
    has_read_bytes: Cell<bool>,
    /// The cycle in which the peer's end is delivered, if it was read behind bytes; 0 if none is held back.
    pub(super) end_due: Cell<u64>,
    /// Index in the list of active connections.
    pub(super) position: Cell<usize>,
    /// Bytes that had passed at the last sweep.
    total_at_sweep: Cell<u64>,
}

impl<M> ActiveConnection<M> {
    /// With no readiness known.
    pub(super) fn new(socket: Arc<Socket>, is_on_thread: bool) -> Self {
        Self {
            socket,
            events: RefCell::default(),
            is_dirty: Cell::new(false),
            is_waiting: Cell::new(false),
            is_on_thread,
            is_destroyed: Cell::new(false),
            ready: Cell::default(),
            interest: Cell::default(),
            reads_in_place: Cell::new(false),
            in_place: RefCell::new(None),
            large_frame: RefCell::new(None),
            payloads: Payloads::default(),
            has_read_bytes: Cell::new(false),
            end_due: Cell::new(0),
            position: Cell::new(usize::MAX),
            total_at_sweep: Cell::new(u64::MAX),
        }
    }

    /// The id of the connection, which is the token of its socket.
    pub fn id(&self) -> u32 {
        debug_assert!(
            u32::try_from(self.socket.token()).is_ok(),
            "the token of a socket is its connection's id"
        );
        self.socket.token() as u32
    }

    /// The socket, for operations that need no event loop.
    pub fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }

    /// True if an I/O thread drives.
    pub fn is_on_thread(&self) -> bool {
        self.is_on_thread
    }

    /// Runs `access` on the connection. `None` once destroyed.
    pub fn with_connection<R>(&self, access: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        self.socket.with_connection(access)
    }

    /// Bytes ever received.
    pub fn bytes_read(&self) -> u64 {
        self.socket.bytes_read()
    }

    /// Chooses whether an I/O thread answers pings. False if it may not yet: an unanswered ping has not been delivered.
    pub fn set_may_pong(&self, may_pong: bool) -> bool {
        (!may_pong || self.is_delivered()) && self.socket.set_may_pong(may_pong)
    }

    /// The addresses of a TCP socket: local, and of the peer.
    pub fn local_and_peer_addr(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        self.socket.local_and_peer_addr()
    }

    /// The number of the owner's descriptor; -1 once destroyed.
    pub fn fd(&self) -> i32 {
        self.socket.owner_fd()
    }

    /// True if at least `mark` bytes have been pending at once since the output was last empty. The owner is then notified when it is
    /// empty again.
    pub fn needs_drain(&self, mark: u64) -> bool {
        self.socket.needs_drain(mark)
    }

    /// From now on, reports when all output has gone out after `mark` bytes or more were pending.
    pub fn watch_drain(&self, mark: u64) {
        self.socket.watch_drain(mark);
    }

    /// True if no collected events wait for a batch.
    pub fn is_delivered(&self) -> bool {
        self.events.borrow().is_empty()
    }

    /// Runs `access` on the memory of the message that was received into memory of its own; `None` if there is none.
    pub fn with_frame_memory<R>(&self, access: impl FnOnce(&M) -> R) -> Option<R> {
        match &*self.in_place.borrow() {
            Some(InPlace::Frame(memory)) => Some(access(memory)),
            _ => None,
        }
    }

    /// Collects the socket's events, if none are left from before. Returns true if there are some. An end that was read behind bytes
    /// is delivered one cycle later, also if these bytes made no event: a level-triggered loop reads a stream once per cycle. The
    /// exception is [`Host::reports_end_with_bytes`]. `cycle`: the present one; `None` where the owner's loop has none.
    pub(super) fn collect<H: Host<Memory = M>>(&self, host: &H, cycle: Option<u64>) -> bool {
        let mut events = self.events.borrow_mut();
        if !events.is_empty() || !self.socket.collect(&mut events) {
            return false;
        }
        if let Some(cycle) = cycle
            && events.ended
            && (self.has_read_bytes.get() || !events.events.is_empty())
            && !(self.ready.get().hung_up && host.reports_end_with_bytes())
        {
            events.ended = false;
            self.end_due.set(cycle + 1);
        }
        !events.is_empty()
    }

    /// True if another look in this cycle finds something. `reads`: bytes are read then.
    pub(super) fn is_due(&self, cycle: u64, reads: bool) -> bool {
        let may_read = reads && (self.end_due.get() == 0 || self.end_due.get() <= cycle);
        may_read || self.interest.get().deliver
    }

    /// Adds an end that was held back to the events, if it is due.
    pub(super) fn add_due_end(&self, cycle: u64) {
        let due = self.end_due.get();
        if due != 0 && due <= cycle {
            self.end_due.set(0);
            self.events.borrow_mut().ended = true;
        }
    }

    /// Reads and writes as readiness and interest allow. Returns the bytes that were read. The event loop must drive, and run.
    pub(super) fn move_bytes<H: Host<Memory = M>>(
        &self,
        host: &H,
        arena: &PayloadArena,
        buffer: &RefCell<Box<[u8]>>,
        memory: &mut EventMemory,
    ) -> usize {
        debug_assert!(!self.is_on_thread, "one thread drives a socket at a time");
        let Readiness { mut read, ended, hung_up, write } = self.ready.get();
        let mut interest = self.interest.get();
        // The turn was too short for the output.
        let mut is_unfinished = false;
        if write && interest.write {
            interest = self.write(host, H::WRITE_TURN);
            is_unfinished = self.ready.get().write;
        }
        let mut bytes = 0;
        if read && (interest.read || (interest.read_ahead && ended)) {
            let taken = if interest.read {
                self.read(ended, host, arena, buffer, memory)
            } else {
                self.reclaim(host);
                self.socket.receive_ahead(&mut buffer.borrow_mut(), &mut *host.masking_keys())
            };
            (read, bytes) = (taken.more, taken.bytes);
        }
        self.has_read_bytes.set(bytes > 0);
        // Writability is reported anew whenever the kernel has refused bytes. A socket with nothing to read has not ended: the end
        // was that of a socket with the same token before.
        self.ready.set(Readiness {
            read,
            ended: ended && read,
            hung_up: hung_up && ended,
            write: is_unfinished,
        });
        bytes
    }

    fn read<H: Host<Memory = M>>(
        &self,
        ended: bool,
        host: &H,
        arena: &PayloadArena,
        buffer: &RefCell<Box<[u8]>>,
        events: &mut EventMemory,
    ) -> Taken {
        // Messages that are not delivered keep their memory.
        let is_free = self.in_place.borrow().is_none();
        if is_free {
            let mut frame = self.large_frame.borrow_mut();
            if let Some((taken, memory)) = LargeFrame::read(&mut frame, &self.socket, ended, host) {
                if let Some(memory) = memory {
                    self.in_place.replace(Some(InPlace::Frame(memory)));
                }
                return taken;
            }
        }
        self.reclaim(host);
        let taken = if self.reads_in_place.get() && is_free && arena.has_room() {
            let (taken, start) = arena.add_chunk(host, RECEIVE_BUFFER, |chunk| {
                let taken = self.socket.receive_in_place(ended, chunk, &mut *host.masking_keys(), events);
                (taken, taken.bytes)
            });
            self.in_place.replace(Some(InPlace::Arena(start)));
            taken
        } else {
            let mut buffer = buffer.borrow_mut();
            self.socket.receive_on_owner(ended, &mut buffer, &mut *host.masking_keys(), events)
        };
        self.reads_in_place.set(taken.is_whole && taken.bytes >= MIN_IN_PLACE);
        if taken.bytes >= LARGE_FRAME_FROM && !taken.is_whole {
            *self.large_frame.borrow_mut() = LargeFrame::begin(&self.socket, host);
        }
        taken
    }

    /// Returns the large frame that is being received, if any, to the connection, which receives the rest as any other.
    pub(super) fn reclaim<H: Host<Memory = M>>(&self, host: &H) {
        if let Some(frame) = self.large_frame.take() {
            frame.abandon(&self.socket, host);
        }
    }

    /// Releases the memory of messages received in place, after a delivery. Those that were not delivered are copied.
    pub(super) fn release_in_place<H: Host<Memory = M>>(&self, host: &H, arena: &PayloadArena) {
        let Some(memory) = self.in_place.take() else { return };
        let keep = |bytes: &[u8]| {
            self.events.borrow_mut().events.copy_out_chunk(bytes);
            self.socket.with_events(|_, events| events.copy_out_chunk(bytes));
        };
        match memory {
            // `None`: the owner is ending, and nothing is delivered any more.
            InPlace::Frame(memory) => drop(host.with_memory(&memory, |bytes| keep(bytes))),
            InPlace::Arena(start) => arena.release_with(host, start, keep),
        }
    }

    /// True if no large frame or message lies in memory outside of the connection.
    pub(super) fn holds_no_memory(&self) -> bool {
        self.in_place.borrow().is_none() && self.large_frame.borrow().is_none()
    }

    /// Lets go of memory of the host: a large frame that is being received, and payloads that are being sent.
    pub(super) fn drop_memory(&self) {
        self.large_frame.take();
        self.payloads.clear();
    }

    /// True if bytes have passed since the last call.
    pub(super) fn was_used(&self) -> bool {
        let total = self.socket.bytes_read() + self.with_connection(|c| c.queued_total()).unwrap_or(0);
        self.total_at_sweep.replace(total) != total
    }

    /// Readiness that was not used up.
    #[cfg(test)]
    pub(in crate::transport) fn readiness(&self) -> Readiness {
        self.ready.get()
    }

    /// Replaces the readiness.
    #[cfg(test)]
    pub(in crate::transport) fn set_readiness(&self, ready: Readiness) {
        self.ready.set(ready);
    }
}
