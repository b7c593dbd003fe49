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
