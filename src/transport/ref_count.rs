//! How long a thread of this library runs: as long as somebody holds a lease of its queue. The first lease starts the
//! thread, the last one that is given back lets it end, and it is counted while it runs. Which threads there are, and what
//! they do, is in `io_threads::shard`.

use std::ops::Deref;

use super::sync::{Arc, AtomicUsize, Ordering};

/// What a thread serves as long as it is leased. It begins with one lease.
pub(super) trait Leased {
    /// Takes one more. `false`: the last one was given back, which is for good.
    fn take_lease(&self) -> bool;

    /// Gives one back. The last one has the thread end when it has done all that was asked for before.
    fn give_back_lease(&self);
}

/// Keeps a thread running until dropped.
pub(super) struct Lease<Q: Leased>(Arc<Q>);

impl<Q: Leased> Lease<Q> {
    /// What is leased.
    pub(super) fn queue(&self) -> &Arc<Q> {
        &self.0
    }
}

impl<Q: Leased> Drop for Lease<Q> {
    fn drop(&mut self) {
        self.0.give_back_lease();
    }
}

/// Where one thread at a time is found. The lock around it belongs to whoever has it.
pub(super) struct Place<Q>(Option<Arc<Q>>);

impl<Q: Leased> Place<Q> {
    /// Nobody is there yet.
    pub(super) const EMPTY: Self = Self(None);

    /// A lease of the thread that runs here, or else of one that `start` starts.
    ///
    /// # Errors
    /// Those of `start`.
    pub(super) fn lease<E>(&mut self, start: impl FnOnce() -> Result<Arc<Q>, E>) -> Result<Lease<Q>, E> {
        if let Some(queue) = self.0.as_ref().filter(|queue| queue.take_lease()) {
            return Ok(Lease(Arc::clone(queue)));
        }
        let queue = start()?;
        self.0 = Some(Arc::clone(&queue));
        Ok(Lease(queue))
    }
}

/// Counts a thread in, and out again when dropped.
pub(super) struct Counted<C: Deref<Target = AtomicUsize>>(C);

impl<C: Deref<Target = AtomicUsize>> Counted<C> {
    pub(super) fn new(count: C) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl<C: Deref<Target = AtomicUsize>> Drop for Counted<C> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
