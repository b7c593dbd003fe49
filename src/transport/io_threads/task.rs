//! The task of one socket on its I/O thread: waits for readiness and has the socket read and write, until it is destroyed
//! or its owner takes it back.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::Ready;
use tokio::io::unix::AsyncFd;

use super::raw;
use super::worker::{Registration, Scratch};
use crate::transport::socket::{Fault, READS_PER_TURN, Received, Side, Socket, lock};

/// Starts the task. Runs on the worker's thread, inside its runtime.
pub(super) fn start(socket: Arc<Socket>, fd: Arc<socket2::Socket>, registration: Arc<Registration>) {
    // Also when the descriptor is refused: dropping the task tells the owner.
    let task = Task { socket, registration, is_unread: AtomicBool::new(false) };
    if let Ok(fd) = raw::register(fd) {
        tokio::spawn(async move {
            poll_fn(|context| task.poll(&fd, context)).await;
            // The descriptor leaves the poller, and closes, before the thread may be let go.
            drop(fd);
            drop(task);
        });
    }
}

/// Writes what the owner has queued, as far as the kernel takes it.
pub(super) fn write(socket: &Arc<Socket>) {
    if socket.write_out(Side::Thread).write {
        socket.wake_task();
    }
}

struct Task {
    socket: Arc<Socket>,
    registration: Arc<Registration>,
    /// Whether there may be something to read that the poller has told of while the socket was paused.
    is_unread: AtomicBool,
}

impl Drop for Task {
    /// Also runs when the task unwinds: the owner then sees a socket that failed, not one that hangs.
    fn drop(&mut self) {
        self.registration.leave();
        let mut state = lock(&self.socket.state);
        if state.driver.is(&self.registration) && !state.destroyed {
            state.fail(Fault { errno: libc::EIO, write: false });
            self.socket.announce(state, Side::Thread);
        }
    }
}

impl Task {
    /// Ready when the socket was destroyed or taken back.
    fn poll(&self, fd: &AsyncFd<Arc<socket2::Socket>>, context: &mut Context<'_>) -> Poll<()> {
        self.registration.waker.register(context.waker());
        let (read, ahead, write) = {
            let state = lock(&self.socket.state);
            if state.destroyed || !state.driver.is(&self.registration) {
                return Poll::Ready(());
            }
            (state.wants_input(), state.reads_ahead(), state.blocked)
        };
        if write {
            self.poll_write(fd, context);
        }
        if read {
            self.poll_read(fd, context);
        } else if ahead {
            self.poll_ahead(fd, context);
        }
        Poll::Pending
    }

    fn poll_write(&self, fd: &AsyncFd<Arc<socket2::Socket>>, context: &mut Context<'_>) {
        while let Poll::Ready(Ok(mut guard)) = fd.poll_write_ready(context) {
            if !self.socket.write_out(Side::Thread).write {
                return;
            }
            guard.clear_ready();
        }
    }

    /// Waits for the end of the peer of a paused socket, and reads what there is up to it.
    fn poll_ahead(&self, fd: &AsyncFd<Arc<socket2::Socket>>, context: &mut Context<'_>) {
        while let Poll::Ready(Ok(mut guard)) = fd.poll_read_ready(context) {
            if guard.ready().is_read_closed() {
                for _ in 0..READS_PER_TURN {
                    if self.receive().0 == Received::Empty || !lock(&self.socket.state).reads_ahead() {
                        return;
                    }
                }
                return;
            }
            // It waits for the end from now on; what can be read is found when the pause is over.
            self.is_unread.store(true, Ordering::Relaxed);
            guard.clear_ready_matching(Ready::READABLE);
        }
    }

    fn poll_read(&self, fd: &AsyncFd<Arc<socket2::Socket>>, context: &mut Context<'_>) {
        if self.is_unread.swap(false, Ordering::Relaxed) {
            let (received, reply) = self.receive();
            if reply {
                write(&self.socket);
            }
            if received == Received::More || received == Received::Drained {
                // There may be more, which is not told of again.
                self.is_unread.store(true, Ordering::Relaxed);
                context.waker().wake_by_ref();
                return;
            }
            if received == Received::Stop {
                // What is left is not told of again either: it is found when input is wanted anew.
                self.is_unread.store(true, Ordering::Relaxed);
                return;
            }
        }
        for _ in 0..READS_PER_TURN {
            let Poll::Ready(Ok(mut guard)) = fd.poll_read_ready(context) else { return };
            let (received, reply) = self.receive();
            if reply {
                write(&self.socket);
            }
            match received {
                Received::More => {}
                // Urgent data stops a read short.
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
        self.socket.receive_on_thread(&self.registration, buffer, keys)
    }
}

/// Whether urgent data has come since this was last asked.
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

/// Pollers of other systems do not tell.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_urgent(_: &AsyncFd<Arc<socket2::Socket>>, _: &mut Context<'_>) -> bool {
    false
}
