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

use handoff::{PendingEvents, Reading, Unlocked};
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

/// An owner that has taken a socket back looks for itself, while the thread may still be telling it; and then
/// it gives the socket to another thread. It may be in the mailbox twice then, which costs a look and no
/// more.
#[test]
fn events_are_not_lost_when_a_socket_migrates_back_and_forth() {
    explore(Some(3), 1000, || {
        let line = Line::new();
        let before = Line::bring(&line, 1);
        let seen = line.collect();
        let after = Line::bring(&line, 1);
        line.until(seen, 2, 2);
        join([before, after]);
        assert_eq!(line.drain(1), 0);
    });
}

/// The thread that may read; I/O threads have numbers from 1.
const OWNER: usize = 0;

/// Replaces a socket's state.
#[derive(Default)]
struct Stream {
    driver: usize,
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
    /// Two bytes come, read by this thread if it may.
    fn read_on_thread(this: &Arc<Self>, thread: usize) -> JoinHandle<()> {
        let source = Arc::clone(this);
        let may_read = move |stream: &Stream| (stream.driver == thread).then_some(());
        thread::spawn(move || {
            let mut reads = 0;
            while reads < 2 {
                match handoff::read_unlocked(&source.stream, may_read, |()| source.next()) {
                    Unlocked::Read(mut stream, byte) => {
                        stream.parsed.push(byte);
                        reads += 1;
                    }
                    Unlocked::Busy => thread::yield_now(),
                    Unlocked::Refused => return,
                }
            }
        })
    }

    fn next(&self) -> usize {
        self.kernel.fetch_add(1, Ordering::SeqCst)
    }

    fn give_to(&self, driver: usize) {
        lock(&self.stream).driver = driver;
    }

    fn check(&self) {
        let all: Vec<_> = (0..self.kernel.load(Ordering::SeqCst)).collect();
        assert_eq!(lock(&self.stream).parsed, all);
    }
}

fn source() -> Arc<Source> {
    let stream = Stream { driver: 1, ..Stream::default() };
    Arc::new(Source { stream: Mutex::new(stream), kernel: AtomicUsize::new(0) })
}

#[test]
fn bytes_stay_in_order_from_a_thread_to_the_owner() {
    explore(None, 30, || {
        let source = source();
        let thread = Source::read_on_thread(&source, 1);
        source.give_to(OWNER);
        // A read of the owner in its cycle: not while a thread is reading.
        let mut stream = lock(&source.stream);
        if !stream.is_being_read() {
            stream.parsed.push(source.next());
        }
        drop(stream);
        // The last read of the owner.
        let mut stream = handoff::lock_unread(&source.stream);
        stream.parsed.push(source.next());
        drop(stream);
        join([thread]);
        source.check();
    });
}

#[test]
fn bytes_stay_in_order_from_thread_to_thread() {
    explore(Some(3), 100, || {
        let source = source();
        let threads = [1, 2].map(|thread| Source::read_on_thread(&source, thread));
        source.give_to(2);
        join(threads);
        source.check();
    });
}
