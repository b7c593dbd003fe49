//! What an environment keeps for a connection whose socket it has taken over. What is asked of it: `commands`.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::landing::Landing;
use crate::addon::raw::Reference;
use crate::transport::event_loop::Ready;
use crate::transport::policy::{Choice, Traffic};
use crate::transport::socket::{Inbox, Socket, Standing};

/// Ties a socket to its connection's number until the socket is destroyed.
pub(in crate::addon) struct Attachment {
    /// The socket itself.
    pub(super) socket: Arc<Socket>,
    /// What was collected from the socket and not put into a batch yet.
    pub(super) inbox: RefCell<Inbox>,
    /// Whether output was queued since the last flush.
    pub(super) dirty: Cell<bool>,
    /// Whether an I/O thread drives; else the event loop does.
    pub(super) on_thread: Cell<bool>,
    /// What the event loop, while it drives, knows of the descriptor.
    pub(super) ready: Cell<Ready>,
    /// What the event loop, while it drives, had to see to when it last looked: only what is done here changes it.
    pub(super) standing: Cell<Standing>,
    /// Whether the last read brought large messages, whole: the next one goes to the bulk.
    pub(super) is_bulk: Cell<bool>,
    /// What was received in place and messages are still in.
    pub(super) chunk: RefCell<Option<Chunk>>,
    /// A large frame that is being received.
    pub(super) landing: RefCell<Option<Landing>>,
    /// Whether it is on the list of those that get another look at the end of the turn.
    pub(super) waiting: Cell<bool>,
    /// The turn of the loop in which the end of the peer is to be told, which was read behind other news. 0: none.
    pub(super) end_due: Cell<u64>,
    /// Who is to drive.
    pub(super) choice: Choice,
    /// What that is judged by.
    pub(super) traffic: Cell<Traffic>,
    /// Whether the socket was destroyed.
    pub(super) detached: Cell<bool>,
    /// Where it is on the list of those that are awake.
    pub(super) place: Cell<usize>,
    /// Bytes that had gone through it when that was last looked at.
    pub(super) looked_at: Cell<u64>,
}

impl Attachment {
    /// The number of the connection, which `deliver` gets, and the reactor.
    pub(super) fn id(&self) -> u32 {
        // It was one when the socket was made.
        self.socket.token() as u32
    }

    /// Collects the socket's news, if none is left from before. Returns whether there is some. An end that was read behind other
    /// news is told a turn later, as libuv tells it, but for one that comes when both sides have ended; `turn` is the present
    /// one, `None` where there are no turns.
    pub(super) fn collect(&self, turn: Option<u64>) -> bool {
        let mut inbox = self.inbox.borrow_mut();
        if !inbox.is_empty() || !self.socket.collect(&mut inbox) {
            return false;
        }
        if let Some(turn) = turn
            && inbox.ended
            && !inbox.events.is_empty()
            && !self.ready.get().hung_up
        {
            inbox.ended = false;
            self.end_due.set(turn + 1);
        }
        true
    }

    /// Whether another look in this turn finds something. `reads`: whether it reads.
    pub(super) fn is_due(&self, turn: u64, reads: bool) -> bool {
        let standing = self.standing.get();
        let may_read = reads && (self.end_due.get() == 0 || self.end_due.get() <= turn);
        may_read || standing.news
    }

    /// An end that was held back is news now, if its turn has come.
    pub(super) fn tell_end(&self, turn: u64) {
        let due = self.end_due.get();
        if due != 0 && due <= turn {
            self.end_due.set(0);
            self.inbox.borrow_mut().ended = true;
        }
    }

    /// The event loop drives it, and nothing is known of it.
    pub(super) fn new(socket: Arc<Socket>, choice: Choice) -> Self {
        Self {
            socket,
            inbox: RefCell::default(),
            dirty: Cell::new(false),
            on_thread: Cell::new(false),
            ready: Cell::default(),
            standing: Cell::default(),
            is_bulk: Cell::new(false),
            chunk: RefCell::default(),
            landing: RefCell::default(),
            waiting: Cell::new(false),
            end_due: Cell::new(0),
            choice,
            traffic: Cell::default(),
            detached: Cell::new(false),
            place: Cell::new(usize::MAX),
            looked_at: Cell::new(u64::MAX),
        }
    }
}

/// Memory that messages lie in which were received in place.
pub(super) enum Chunk {
    /// The bulk, from here on, until it is released.
    Bulk(usize),
    /// An `ArrayBuffer` of the message's own.
    Landed(Reference),
}
