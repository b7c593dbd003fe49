//! How long a thread of this library runs: as long as somebody holds a lease of its queue. The first lease starts the
//! thread, the last one that is given back lets it end, and it is counted while it runs. Which threads there are, and what
//! they do, is in `io_threads::shard`.

use std::ops::Deref;

use super::sync::{Arc, AtomicUsize, Ordering};

/// What a thread serves as long as it is leased. It begins with one lease.
pub(super) trait RefCounted {
    /// Takes one more. `false`: the last one was given back, which is for good.
    fn try_acquire(&self) -> bool;

    /// Gives one back. The last one has the thread end when it has done all that was asked for before.
    fn release(&self);
}

/// Keeps a thread running until dropped.
pub(super) struct WorkerRef<Q: RefCounted>(Arc<Q>);

impl<Q: RefCounted> WorkerRef<Q> {
    /// What is leased.
    pub(super) fn queue(&self) -> &Arc<Q> {
        &self.0
    }
}

impl<Q: RefCounted> Drop for WorkerRef<Q> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// Where one thread at a time is found. The lock around it belongs to whoever has it.
pub(super) struct WorkerSlot<Q>(Option<Arc<Q>>);

impl<Q: RefCounted> WorkerSlot<Q> {
    /// Nobody is there yet.
    pub(super) const EMPTY: Self = Self(None);

    /// A lease of the thread that runs here, or else of one that `start` starts.
    ///
    /// # Errors
    /// Those of `start`.
    pub(super) fn lease<E>(&mut self, start: impl FnOnce() -> Result<Arc<Q>, E>) -> Result<WorkerRef<Q>, E> {
        if let Some(queue) = self.0.as_ref().filter(|queue| queue.try_acquire()) {
            return Ok(WorkerRef(Arc::clone(queue)));
        }
        let queue = start()?;
        self.0 = Some(Arc::clone(&queue));
        Ok(WorkerRef(queue))
    }
}

/// Counts a thread in, and out again when dropped.
pub(super) struct LiveGuard<C: Deref<Target = AtomicUsize>>(C);

impl<C: Deref<Target = AtomicUsize>> LiveGuard<C> {
    pub(super) fn new(count: C) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl<C: Deref<Target = AtomicUsize>> Drop for LiveGuard<C> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
