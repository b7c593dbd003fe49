//! A queue from many threads to one: `push` wakes the consumer once, `drain` takes all items. Mailboxes
//! (`socket::mailbox`) and the job queues of I/O threads (`io_threads::worker`) are such queues.
//!
//! The queue is reference-counted (see `ref_count`): without references it is closed, and drops what is
//! pushed.

use super::ref_count::RefCounted;
use super::sync::{Mutex, lock};

/// Notifies a thread, from any other, that its queue is not empty.
pub trait Wake: Send + Sync {
    /// Must not block or call into the queue. Calls before the thread drains its queue may be merged into
    /// one.
    fn wake(&self);
}

impl<W: Wake + ?Sized> Wake for Box<W> {
    fn wake(&self) {
        (**self).wake();
    }
}

/// Items for one consumer.
pub(super) struct WakeQueue<T, W> {
    state: Mutex<State<T>>,
    waker: W,
}

struct State<T> {
    items: Vec<T>,
    /// Zero: closed for good.
    refs: usize,
}

impl<T, W: Wake> WakeQueue<T, W> {
    /// An empty queue with one reference, whose consumer is woken by `waker`.
    pub(super) fn new(waker: W) -> Self {
        Self { state: Mutex::new(State { items: Vec::new(), refs: 1 }), waker }
    }

    /// The waker, for a consumer that waits on it.
    pub(super) fn waker(&self) -> &W {
        &self.waker
    }

    /// Adds an item, or drops it if the queue is closed. Only the first item since the last drain wakes the
    /// consumer, which takes all of them.
    pub(super) fn push(&self, item: T) {
        let is_first = {
            let mut state = lock(&self.state);
            if state.refs == 0 {
                return;
            }
            state.items.push(item);
            state.items.len() == 1
        };
        // After the push: a consumer woken before it would find an empty queue and not be woken again.
        if is_first {
            self.waker.wake();
        }
    }

    /// Moves all items into `into`, which must be empty and whose capacity the queue reuses. Returns `false`
    /// if the queue is closed, so that these items were the last.
    pub(super) fn drain(&self, into: &mut Vec<T>) -> bool {
        debug_assert!(into.is_empty(), "drained items would be queued again");
        let mut state = lock(&self.state);
        std::mem::swap(&mut state.items, into);
        state.refs > 0
    }

    /// Runs items until the queue is closed. `woken` returns a future that completes after a wake since the
    /// last call.
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

    /// The number of queued items.
    pub(super) fn len(&self) -> usize {
        lock(&self.state).items.len()
    }
}

impl<T, W: Wake> RefCounted for WakeQueue<T, W> {
    fn try_ref(&self) -> bool {
        let mut state = lock(&self.state);
        if state.refs == 0 {
            return false;
        }
        state.refs += 1;
        true
    }

    fn unref(&self) {
        let is_last = {
            let mut state = lock(&self.state);
            debug_assert!(state.refs > 0, "every reference is removed once");
            state.refs -= 1;
            state.refs == 0
        };
        if is_last {
            self.waker.wake();
        }
    }
}
