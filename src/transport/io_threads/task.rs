//! The task of one socket on its I/O thread: waits for readiness and has the socket read and write, until the
//! socket is destroyed or handed back to the host.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::Ready;
use tokio::io::unix::AsyncFd;

use super::raw;
use super::worker::{Driven, Registration, Scratch};
use crate::transport::sync::lock;
use crate::transport::turn::{Interest, READS_PER_TURN, Received, Stop};

/// Starts the task. Called on the worker's thread, inside its runtime.
pub(super) fn start(socket: Arc<dyn Driven>, fd: Arc<socket2::Socket>, registration: Arc<Registration>) {
    // Made before the descriptor is registered: if that fails, dropping the task reports a fault to the
    // owner.
    let task = Task { socket, registration, may_have_input: AtomicBool::new(false) };
    if let Ok(fd) = raw::register(fd) {
        tokio::spawn(async move {
            poll_fn(|context| task.poll(&fd, context)).await;
            // Deregisters and closes the descriptor before the thread may end.
            drop(fd);
            drop(task);
        });
    }
}

/// Writes queued output for one turn. The task writes the rest.
pub(super) fn write(socket: &dyn Driven) {
    if matches!(socket.write_turn(), Stop::Refused | Stop::More) {
        socket.wake();
    }
}

struct Task {
    socket: Arc<dyn Driven>,
    registration: Arc<Registration>,
    /// Input may be waiting that the poller has reported and will not report again.
    may_have_input: AtomicBool,
}

impl Drop for Task {
    /// Also runs when the task unwinds: the owner then gets a fault, instead of a socket that hangs.
    fn drop(&mut self) {
        self.registration.finish();
        self.socket.abandon();
    }
}

impl Task {
    /// Ready when the socket was destroyed or handed back.
    fn poll(&self, fd: &AsyncFd<Arc<socket2::Socket>>, context: &mut Context<'_>) -> Poll<()> {
        self.registration.waker.register(context.waker());
        let Some(Interest { read, read_ahead, write, .. }) = self.socket.thread_interest() else {
            return Poll::Ready(());
        };
        if write {
            self.poll_write(fd, context);
        }
        if read {
            self.poll_read(fd, context);
        } else if read_ahead {
            self.poll_read_ahead(fd, context);
        }
        Poll::Pending
    }

    fn poll_write(&self, fd: &AsyncFd<Arc<socket2::Socket>>, context: &mut Context<'_>) {
        while let Poll::Ready(Ok(mut guard)) = fd.poll_write_ready(context) {
            match self.socket.write_turn() {
                Stop::Refused => guard.clear_ready(),
                // Other sockets of the thread come first, and an owner that waits for the lock.
                Stop::More => return context.waker().wake_by_ref(),
                Stop::All | Stop::External(_) | Stop::Failed => return,
            }
        }
    }

    /// For a paused socket: waits until the peer closes its side, then reads up to that end.
    fn poll_read_ahead(&self, fd: &AsyncFd<Arc<socket2::Socket>>, context: &mut Context<'_>) {
        while let Poll::Ready(Ok(mut guard)) = fd.poll_read_ready(context) {
            if guard.ready().is_read_closed() {
                for _ in 0..READS_PER_TURN {
                    let received = self.receive().0;
                    let interest = self.socket.thread_interest();
                    if received == Received::Empty || !interest.is_some_and(|interest| interest.read_ahead) {
                        return;
                    }
                }
                return;
            }
            // From now on only the end is waited for. `poll_read` finds the input after the pause.
            self.may_have_input.store(true, Ordering::Relaxed);
            guard.clear_ready_matching(Ready::READABLE);
        }
    }

    fn poll_read(&self, fd: &AsyncFd<Arc<socket2::Socket>>, context: &mut Context<'_>) {
        if self.may_have_input.swap(false, Ordering::Relaxed) {
            let (received, reply) = self.receive();
            if reply {
                write(&*self.socket);
            }
            match received {
                Received::More | Received::Drained => {
                    self.may_have_input.store(true, Ordering::Relaxed);
                    context.waker().wake_by_ref();
                    return;
                }
                // The rest is read when input is wanted again.
                Received::Stop => {
                    self.may_have_input.store(true, Ordering::Relaxed);
                    return;
                }
                Received::Empty => {}
            }
        }
        for _ in 0..READS_PER_TURN {
            let Poll::Ready(Ok(mut guard)) = fd.poll_read_ready(context) else { return };
            let (received, reply) = self.receive();
            if reply {
                write(&*self.socket);
            }
            match received {
                Received::More => {}
                // Urgent data cuts a read short.
                Received::Drained if is_urgent(fd, context) => {}
                Received::Drained | Received::Empty => guard.clear_ready(),
                Received::Stop => return,
            }
        }
        context.waker().wake_by_ref();
    }

    fn receive(&self) -> (Received, bool) {
        let mut scratch = lock(&self.registration.worker.scratch);
        let Scratch { buffer, keys } = &mut *scratch;
        self.socket.receive(buffer, keys)
    }
}

/// True if urgent data has come since the last call.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_urgent(fd: &AsyncFd<Arc<socket2::Socket>>, context: &mut Context<'_>) -> bool {
    use std::future::Future;
    use std::pin::pin;

    match pin!(fd.ready(tokio::io::Interest::PRIORITY)).poll(context) {
        Poll::Ready(Ok(mut guard)) => {
            guard.clear_ready();
            true
        }
        _ => false,
    }
}

/// Other systems do not report urgent data.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_urgent(_: &AsyncFd<Arc<socket2::Socket>>, _: &mut Context<'_>) -> bool {
    false
}
