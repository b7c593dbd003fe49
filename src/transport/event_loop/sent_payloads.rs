//! Large payloads that the kernel has not accepted yet. They stay where the program has them, and the output of the
//! connection has an external segment for each, in the same order (see [`Output`](crate::connection::Output)). Their
//! memory is looked up for each write, because the program may change, resize or detach it meanwhile.
//!
//! Exists only while the event loop drives the socket: other drivers cannot reach the memory.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::Host;

/// A payload of which a part is unsent: that part is its end.
#[derive(Debug)]
pub(super) enum SentPayload<M> {
    /// It ends at this offset in memory of the host.
    Referenced(M, usize),
    /// It lies in memory that must not be referenced.
    Copied(Box<[u8]>),
}

/// The unsent payloads of one connection, in order.
#[derive(Debug)]
pub(super) struct SentPayloads<M>(RefCell<VecDeque<SentPayload<M>>>);

impl<M> Default for SentPayloads<M> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<M> SentPayloads<M> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    pub(super) fn push(&self, payload: SentPayload<M>) {
        self.0.borrow_mut().push_back(payload);
    }

    /// Removes the first one.
    pub(super) fn pop(&self) {
        let mut payloads = self.0.borrow_mut();
        payloads.pop_front();
        if payloads.is_empty() {
            *payloads = VecDeque::new();
        }
    }

    pub(super) fn clear(&self) {
        self.0.take();
    }

    /// Runs `access` on the last `length` bytes of the first payload. `None` if its memory does not have them any more.
    pub(super) fn with_first<H: Host<Memory = M>, R>(
        &self,
        host: &H,
        length: usize,
        access: impl FnOnce(Option<&[u8]>) -> R,
    ) -> R {
        let payloads = self.0.borrow();
        match payloads.front() {
            Some(SentPayload::Copied(bytes)) => {
                access(bytes.len().checked_sub(length).and_then(|start| bytes.get(start..)))
            }
            Some(SentPayload::Referenced(memory, end)) => {
                let mut access = Some(access);
                let mut run = |bytes: Option<&[u8]>| access.take().map(|access| access(bytes));
                let result = host.with_memory(memory, |bytes| {
                    run(end.checked_sub(length).and_then(|start| bytes.get(start..*end)))
                });
                // Without a result, the host has run nothing, because it is ending.
                result.flatten().or_else(|| run(None)).expect("runs once")
            }
            None => access(None),
        }
    }
}
