//! Unsent payloads of one connection, in memory of the host, for the external segments of its output. Used by
//! `output`. Keeps no address: the host looks the memory up for each access.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::Host;

/// A payload of which a part is unsent: that part is its end.
#[derive(Debug)]
pub(super) enum Payload<M> {
    /// It ends at this offset in memory of the host.
    Referenced(M, usize),
    /// It lies in memory that must not be referenced.
    Copied(Box<[u8]>),
}

/// The unsent payloads of one connection, in order.
#[derive(Debug)]
#[allow(clippy::box_collection, reason = "rare: every connection is smaller without")]
pub(super) struct Payloads<M>(RefCell<Option<Box<VecDeque<Payload<M>>>>>);

impl<M> Default for Payloads<M> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<M> Payloads<M> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_none()
    }

    pub(super) fn push(&self, payload: Payload<M>) {
        self.0.borrow_mut().get_or_insert_default().push_back(payload);
    }

    /// Removes the first one.
    pub(super) fn pop(&self) {
        self.0.borrow_mut().take_if(|payloads| {
            payloads.pop_front();
            payloads.is_empty()
        });
    }

    pub(super) fn clear(&self) {
        self.0.take();
    }

    /// Runs `access` on the last `length` bytes of the first payload. `None` if its memory does not have them any more.
    pub(super) fn with_first<H: Host<Memory = M>, R>(
        &self,
        host: &H,
        length: usize,
        mut access: impl FnMut(Option<&[u8]>) -> R,
    ) -> R {
        let payloads = self.0.borrow();
        match payloads.as_ref().and_then(|payloads| payloads.front()) {
            Some(Payload::Copied(bytes)) => {
                access(bytes.len().checked_sub(length).and_then(|start| bytes.get(start..)))
            }
            Some(Payload::Referenced(memory, end)) => {
                // `None`: the host is ending.
                host.with_memory(memory, |bytes| {
                    access(end.checked_sub(length).and_then(|start| bytes.get(start..*end)))
                })
                .unwrap_or_else(|| access(None))
            }
            None => access(None),
        }
    }
}
