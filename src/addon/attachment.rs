//! What an environment keeps for a connection whose socket is on an I/O thread.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use napi::Result;

use super::batch::{BatchWriter, Parts};
use super::raw::{AsyncContext, Reference};
use crate::transport::io_threads::{Inbox, Socket};

/// Ties a socket to its JavaScript owner until the socket is destroyed.
#[derive(Debug)]
pub(super) struct Attachment {
    /// The socket itself.
    pub(super) socket: Arc<Socket>,
    /// What `deliver` gets.
    pub(super) owner: Reference,
    /// Where `deliver` runs.
    pub(super) context: AsyncContext,
    /// What the connection's object is asked for one by one.
    pub(super) parts: Rc<RefCell<Parts>>,
    /// What was collected from the socket and not put into a batch yet.
    pub(super) inbox: RefCell<Inbox>,
    /// Whether output was queued since the last flush.
    pub(super) dirty: Cell<bool>,
}

impl Attachment {
    /// Moves collected news into a batch. Returns whether something remains.
    ///
    /// # Errors
    /// When JavaScript has no memory, or the environment is ending.
    pub(super) fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<bool> {
        batch.take_inbox(&mut self.inbox.borrow_mut())
    }
}
