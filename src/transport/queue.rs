//! From many threads to one: push, wake once, drain many. An owner's mailbox is one, and so are the jobs of an I/O thread.
//!
//! It can be leased, as `leases` does: then it takes items, and serves, until the last lease is given back.

use super::ref_count::RefCounted;
use super::sync::{Mutex, lock};

/// Tells a thread, from any other, that its queue (an owner's: its mailbox) is no longer empty.
pub trait Wake: Send + Sync {
    /// Must not block and must not call back into the queue. Wakes that come before the thread has looked may be merged
    /// into one.
    fn wake(&self);
}

impl<W: Wake + ?Sized> Wake for Box<W> {
    fn wake(&self) {
        (**self).wake();
    }
}

/// What waits for one thread.
pub(super) struct WakeQueue<T, W> {
    waiting: Mutex<Waiting<T>>,
    waker: W,
}

struct Waiting<T> {
    items: Vec<T>,
    /// 0: closed, for good.
    leases: usize,
}

impl<T, W: Wake> WakeQueue<T, W> {
    /// An empty queue with one lease, whose thread is told by `waker`.
    pub(super) fn new(waker: W) -> Self {
        Self { waiting: Mutex::new(Waiting { items: Vec::new(), leases: 1 }), waker }
    }

    /// What the thread waits by.
    pub(super) fn waker(&self) -> &W {
        &self.waker
    }

    /// Adds an item, and drops it instead when the queue is closed. Only the first one wakes: whoever drains takes all.
    pub(super) fn push(&self, item: T) {
        let is_first = {
            let mut waiting = lock(&self.waiting);
            if waiting.leases == 0 {
                return;
            }
            waiting.items.push(item);
            waiting.items.len() == 1
        };
        // After the push: a thread that is woken before would find nothing, and not be woken again.
        if is_first {
            self.waker.wake();
        }
    }

    /// Moves all items into `into`, which must be empty; its capacity serves the next ones. `false`: there will be no more.
    pub(super) fn drain(&self, into: &mut Vec<T>) -> bool {
        debug_assert!(into.is_empty());
        let mut waiting = lock(&self.waiting);
        std::mem::swap(&mut waiting.items, into);
        waiting.leases > 0
    }

    /// The thread's main future: runs items until the queue is closed. `woken` waits for a wake that has come since it was
    /// called last.
    pub(super) async fn serve<F: Future>(&self, woken: impl Fn() -> F, mut run: impl FnMut(T)) {
        let mut items = Vec::new();
        loop {
            woken().await;
            let is_open = self.drain(&mut items);
            items.drain(..).for_each(&mut run);
            if !is_open {
                return;
            }
        }
    }

    /// How many items wait.
    pub(super) fn len(&self) -> usize {
        lock(&self.waiting).items.len()
    }
}

impl<T, W: Wake> RefCounted for WakeQueue<T, W> {
    fn try_acquire(&self) -> bool {
        let mut waiting = lock(&self.waiting);
        if waiting.leases == 0 {
            return false;
        }
        waiting.leases += 1;
        true
    }

    fn release(&self) {
        let is_last = {
            let mut waiting = lock(&self.waiting);
            waiting.leases -= 1;
            waiting.leases == 0
        };
        if is_last {
            self.waker.wake();
        }
    }
}
