//! The lifetime of an I/O thread, by reference counting: the first reference starts the thread, dropping the
//! last one lets it end. `io_threads::worker` decides how many threads run and implements their loop.

use std::ops::Deref;

use super::sync::{Arc, AtomicUsize, Ordering};

/// The count of references to a worker. Begins at one.
pub(super) trait RefCounted {
    /// Adds a reference. Returns `false` if the count has reached zero, which is final.
    fn try_ref(&self) -> bool;

    /// Removes a reference. Without references the thread finishes the jobs that are queued and ends.
    fn unref(&self);
}

/// A counted reference: keeps the thread running until dropped.
pub(super) struct WorkerRef<W: RefCounted>(Arc<W>);

impl<W: RefCounted> WorkerRef<W> {
    /// The worker. A clone of this `Arc` keeps its memory, not its thread.
    pub(super) fn worker(&self) -> &Arc<W> {
        &self.0
    }
}

impl<W: RefCounted> Drop for WorkerRef<W> {
    fn drop(&mut self) {
        self.0.unref();
    }
}

/// A place for one running worker at a time. The caller provides the lock around it.
pub(super) struct WorkerSlot<W>(Option<Arc<W>>);

impl<W: RefCounted> WorkerSlot<W> {
    /// A slot without a worker.
    pub(super) const EMPTY: Self = Self(None);

    /// Returns a reference to the running worker, or to the one that `start` starts if none runs.
    ///
    /// # Errors
    /// Those of `start`.
    pub(super) fn get_or_start<E>(
        &mut self,
        start: impl FnOnce() -> Result<Arc<W>, E>,
    ) -> Result<WorkerRef<W>, E> {
        if let Some(worker) = self.0.as_ref().filter(|worker| worker.try_ref()) {
            return Ok(WorkerRef(Arc::clone(worker)));
        }
        let worker = start()?;
        self.0 = Some(Arc::clone(&worker));
        Ok(WorkerRef(worker))
    }
}

/// Counts a running thread until dropped.
pub(super) struct LiveGuard<C: Deref<Target = AtomicUsize>>(C);

impl<C: Deref<Target = AtomicUsize>> LiveGuard<C> {
    pub(super) fn new(count: C) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl<C: Deref<Target = AtomicUsize>> Drop for LiveGuard<C> {
    fn drop(&mut self) {
        let before = self.0.fetch_sub(1, Ordering::SeqCst);
        debug_assert!(before > 0, "every guard was counted");
    }
}
