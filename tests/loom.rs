//! Model checks of the modules that threads share: loom runs each model in every interleaving. A lost wake-up
//! shows as a deadlock.
//!
//! The modules are the files of `src/transport`, compiled here with loom's primitives, which they take from
//! `super::sync`. An ordinary `cargo test` runs the checks, without a compiler flag that would affect tokio.
//! Stand-ins here replace the modules' users: the state of a socket, tokio's `Notify`, the loop of an owner.

#![cfg(all(unix, feature = "transport"))]

/// Replaces `src/transport/sync.rs`.
mod sync {
    use std::sync::PoisonError;

    pub(super) use loom::sync::atomic::{AtomicUsize, Ordering};
    pub(super) use loom::sync::{Arc, Mutex, MutexGuard};
    pub(super) use loom::thread::yield_now;

    pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[path = "../src/transport/socket/handoff.rs"]
mod handoff;
#[path = "../src/transport/queue.rs"]
#[allow(unreachable_pub, reason = "the library exports it")]
mod queue;
#[path = "../src/transport/ref_count.rs"]
mod ref_count;

use std::convert::Infallible;
use std::future::ready;
use std::pin::pin;
use std::sync::atomic::AtomicUsize as Count;
use std::task::{Context, Waker};

use loom::model::Builder;
use loom::sync::Notify;
use loom::thread::{self, JoinHandle};

use handoff::{PendingEvents, Reading};
use queue::{Wake, WakeQueue};
use ref_count::{LiveGuard, RefCounted, WorkerRef, WorkerSlot};
use sync::{Arc, AtomicUsize, Mutex, Ordering, lock};

/// Runs a model in every interleaving of its threads. `preemptions` bounds the preemptions of a run, for
/// models that would take minutes (`None`: unbounded). Fewer runs than `at_least` mean that the threads
/// hardly interact, and fail the test.
fn explore(preemptions: Option<usize>, at_least: usize, model: impl Fn() + Send + Sync + 'static) {
    let runs = std::sync::Arc::new(Count::new(0));
    let mut builder = Builder::new();
    builder.preemption_bound = preemptions;
    builder.check({
        let runs = std::sync::Arc::clone(&runs);
        move || {
            runs.fetch_add(1, Ordering::Relaxed);
            model();
        }
    });
    let runs = runs.load(Ordering::Relaxed);
    assert!(runs >= at_least, "only {runs} runs");
}

/// Acts as tokio's `Notify` and libuv's async handle do: one ring is kept for a later wait, several may be
/// merged into one, and one may be spurious.
struct Bell {
    notify: Notify,
    rings: Count,
}

impl Bell {
    fn new() -> Self {
        Self { notify: Notify::new(), rings: Count::new(0) }
    }

    fn wait(&self) {
        self.notify.wait();
    }
}

impl Wake for Bell {
    fn wake(&self) {
        self.rings.fetch_add(1, Ordering::Relaxed);
        self.notify.notify();
    }
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("no panic");
    }
}

#[test]
fn items_are_drained_once_and_in_order() {
    explore(Some(3), 1000, || {
        let queue = Arc::new(WakeQueue::new(Bell::new()));
        let push = |pusher: usize| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || (0..2).for_each(|number| queue.push((pusher, number))))
        };
        let pushers = [push(0), push(1)];
        let (mut seen, mut items, mut batches) = ([0, 0], Vec::new(), 0);
        while seen != [2, 2] {
            queue.waker().wait();
            assert!(queue.drain(&mut items));
            batches += usize::from(!items.is_empty());
            for (pusher, number) in items.drain(..) {
                assert_eq!(number, seen[pusher]);
                seen[pusher] += 1;
            }
        }
        join(pushers);
        assert_eq!(queue.len(), 0);
        // One wake-up per batch.
        assert_eq!(queue.waker().rings.load(Ordering::Relaxed), batches);
    });
}

/// The jobs of a worker. Running one rings its bell.
type Jobs = WakeQueue<Arc<Bell>, Bell>;

/// A stand-in for `io_threads::worker`, with one slot.
struct Threads {
    slot: Mutex<WorkerSlot<Jobs>>,
    live: Arc<AtomicUsize>,
    started: Mutex<Vec<JoinHandle<()>>>,
}

impl Threads {
    fn start(&self) -> Arc<Jobs> {
        let jobs = Arc::new(WakeQueue::new(Bell::new()));
        let counted = LiveGuard::new(Arc::clone(&self.live));
        let inside = Arc::clone(&jobs);
        let thread = thread::spawn(move || {
            // Waits when called, so that the future is ready when polled.
            let woken = || {
                inside.waker().wait();
                ready(())
            };
            let run = |done: Arc<Bell>| done.wake();
            let served = pin!(inside.serve(woken, run));
            assert!(served.poll(&mut Context::from_waker(Waker::noop())).is_ready());
            drop(counted);
        });
        lock(&self.started).push(thread);
        jobs
    }

    fn acquire(&self) -> WorkerRef<Jobs> {
        let Ok(worker_ref) = lock(&self.slot).get_or_start(|| Ok::<_, Infallible>(self.start()));
        worker_ref
    }

    /// Acquires a reference, queues a job and drops the reference.
    fn work(&self, waits: bool) -> Arc<Bell> {
        let done = Arc::new(Bell::new());
        let worker_ref = self.acquire();
        worker_ref.worker().push(Arc::clone(&done));
        if waits {
            // Deadlocks if the thread has ended.
            done.wait();
            assert!(self.live.load(Ordering::SeqCst) > 0);
        }
        drop(worker_ref);
        done
    }
}

fn threads() -> Arc<Threads> {
    Arc::new(Threads {
        slot: Mutex::new(WorkerSlot::EMPTY),
        live: Arc::new(AtomicUsize::new(0)),
        started: Mutex::new(Vec::new()),
    })
}

/// Two owners acquire and drop references concurrently. Those that wait check that the thread lives while
/// they hold one.
fn acquire_concurrently(waits: [bool; 2]) {
    let threads = threads();
    let other = {
        let threads = Arc::clone(&threads);
        thread::spawn(move || threads.work(waits[1]))
    };
    let done = [threads.work(waits[0]), other.join().expect("no panic")];
    let started = std::mem::take(&mut *lock(&threads.started));
    assert!((1..=2).contains(&started.len()));
    join(started);
    assert!(done.iter().all(|done| done.rings.load(Ordering::Relaxed) == 1));
    assert_eq!(threads.live.load(Ordering::SeqCst), 0);
}

// Four threads have too many interleavings to try all. A race of two threads needs at most two preemptions.

#[test]
fn a_thread_lives_while_it_is_referenced() {
    explore(Some(2), 1000, || acquire_concurrently([true, false]));
}

#[test]
fn a_job_is_run_before_its_thread_ends() {
    explore(Some(2), 1000, || acquire_concurrently([false, false]));
}

#[test]
fn concurrent_references_share_a_thread() {
    explore(None, 1, || {
        let threads = threads();
        let worker_ref = threads.acquire();
        threads.work(true);
        assert_eq!(lock(&threads.started).len(), 1);
        drop(worker_ref);
        join(std::mem::take(&mut *lock(&threads.started)));
    });
}

#[test]
fn a_closed_queue_drops_items_and_refuses_references() {
    explore(None, 1, || {
        let queue = WakeQueue::new(Bell::new());
        assert!(queue.try_ref());
        queue.unref();
        queue.push(1);
        queue.unref();
        queue.push(2);
        assert!(!queue.try_ref());
        let mut items = Vec::new();
        assert!(!queue.drain(&mut items));
        assert_eq!(items, [1]);
        assert_eq!(queue.waker().rings.load(Ordering::Relaxed), 2);
    });
}

/// Replaces a socket's state: its events are a count.
#[derive(Default)]
struct SocketEvents {
    news: usize,
    announced: bool,
    is_paused: bool,
}

impl PendingEvents for SocketEvents {
    fn has_events(&self) -> bool {
        self.news > 0 && !self.is_paused
    }

    fn is_announced(&mut self) -> &mut bool {
        &mut self.announced
    }
}

/// Replaces a socket and its owner's mailbox, which holds no other socket.
struct Line {
    undelivered: Mutex<SocketEvents>,
    mailbox: WakeQueue<(), Bell>,
}

impl Line {
    fn new() -> Arc<Self> {
        Arc::new(Self { undelivered: Mutex::default(), mailbox: WakeQueue::new(Bell::new()) })
    }

    /// Changes the state, and announces events.
    fn change(&self, change: impl FnOnce(&mut SocketEvents)) {
        let mut undelivered = lock(&self.undelivered);
        change(&mut undelivered);
        handoff::announce(undelivered, || self.mailbox.push(()));
    }

    /// A thread that adds `count` events, one after the other.
    fn bring(this: &Arc<Self>, count: usize) -> JoinHandle<()> {
        let line = Arc::clone(this);
        thread::spawn(move || (0..count).for_each(|_| line.change(|undelivered| undelivered.news += 1)))
    }

    /// Takes all events.
    fn collect(&self) -> usize {
        let mut undelivered = lock(&self.undelivered);
        if handoff::begin_collecting(&mut *undelivered) { std::mem::take(&mut undelivered.news) } else { 0 }
    }

    /// Drains the mailbox, which may hold the socket `at_most` times.
    fn drain(&self, at_most: usize) -> usize {
        let mut items = Vec::new();
        assert!(self.mailbox.drain(&mut items));
        assert!(items.len() <= at_most);
        items.iter().map(|()| self.collect()).sum()
    }

    /// Collects until `all` events were seen. Then the mailbox is empty.
    fn until(&self, mut seen: usize, all: usize, at_most: usize) {
        while seen < all {
            self.mailbox.waker().wait();
            seen += self.drain(at_most);
        }
        assert_eq!(seen, all);
    }
}

#[test]
fn events_are_announced_once_until_collected() {
    explore(Some(3), 1000, || {
        let line = Line::new();
        line.change(|_| ());
        assert_eq!(line.mailbox.len(), 0);
        let threads = [Line::bring(&line, 2), Line::bring(&line, 1)];
        line.until(0, 3, 1);
        join(threads);
        assert_eq!(line.mailbox.len(), 0);
        assert!(!lock(&line.undelivered).announced);
    });
}

#[test]
fn events_of_a_paused_socket_are_announced_on_resume() {
    explore(None, 500, || {
        let line = Line::new();
        let threads = [Line::bring(&line, 2)];
        line.change(|undelivered| undelivered.is_paused = true);
        assert_eq!(line.drain(1), 0);
        line.change(|undelivered| undelivered.is_paused = false);
        line.until(0, 2, 1);
        join(threads);
        assert_eq!(line.mailbox.len(), 0);
    });
}

/// The socket may be in the mailbox twice then, which costs a look and no more.
#[test]
fn events_are_not_lost_if_the_owner_collects_by_itself() {
    explore(Some(3), 1000, || {
        let line = Line::new();
        let threads = [Line::bring(&line, 2), Line::bring(&line, 1)];
        let seen = line.collect();
        line.until(seen, 3, 2);
        join(threads);
        assert_eq!(line.drain(1), 0);
    });
}

/// Replaces a socket's state.
#[derive(Default)]
struct Stream {
    is_open: bool,
    is_being_read: bool,
    parsed: Vec<usize>,
}

impl Reading for Stream {
    fn is_being_read(&self) -> bool {
        self.is_being_read
    }

    fn set_being_read(&mut self, is_being_read: bool) {
        self.is_being_read = is_being_read;
    }
}

/// Replaces a socket: each byte in the kernel is one more than the one before.
struct Source {
    stream: Mutex<Stream>,
    kernel: AtomicUsize,
}

impl Source {
    fn new() -> Arc<Self> {
        let stream = Stream { is_open: true, ..Stream::default() };
        Arc::new(Self { stream: Mutex::new(stream), kernel: AtomicUsize::new(0) })
    }

    /// Four bytes come, read by an I/O thread until the owner closes the socket.
    fn read_on_thread(this: &Arc<Self>) -> JoinHandle<()> {
        let source = Arc::clone(this);
        thread::spawn(move || {
            for _ in 0..4 {
                let may_read = |stream: &Stream| stream.is_open.then_some(());
                let read = handoff::read_unlocked(&source.stream, may_read, |()| source.next());
                let Some((mut stream, byte)) = read else { return };
                stream.parsed.push(byte);
            }
        })
    }

    fn next(&self) -> usize {
        self.kernel.fetch_add(1, Ordering::SeqCst)
    }

    /// All bytes that were read, in order.
    fn read_so_far(&self) -> Vec<usize> {
        (0..self.kernel.load(Ordering::SeqCst)).collect()
    }
}

#[test]
fn the_last_read_of_the_owner_follows_that_of_the_thread() {
    explore(None, 100, || {
        let source = Source::new();
        let thread = Source::read_on_thread(&source);
        let mut stream = handoff::lock_unread(&source.stream);
        stream.parsed.push(source.next());
        drop(stream);
        join([thread]);
        assert_eq!(lock(&source.stream).parsed, source.read_so_far());
    });
}

#[test]
fn an_owner_that_takes_the_socket_back_gets_all_bytes() {
    explore(None, 100, || {
        let source = Source::new();
        let thread = Source::read_on_thread(&source);
        let mut stream = handoff::lock_unread(&source.stream);
        stream.is_open = false;
        let taken = std::mem::take(&mut stream.parsed);
        drop(stream);
        join([thread]);
        assert_eq!(taken, source.read_so_far());
    });
}
