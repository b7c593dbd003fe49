//! The task of one socket on its I/O thread: waits for readiness, reads, lets the connection parse.

use std::future::poll_fn;
use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::unix::AsyncFd;

use super::inbox::Fault;
use super::shard::{Lease, Scratch};
use super::socket::Socket;
use super::writer::Written;
use super::{lock, raw};

/// Full buffers read from one socket before the others of the thread get their turn.
const READS_PER_TURN: usize = 4;

/// Starts the task. Runs on the shard's thread, inside its runtime.
pub(super) fn start(socket: Arc<Socket>, fd: Arc<socket2::Socket>, lease: Lease) {
    match raw::register(fd) {
        Ok(fd) => {
            tokio::spawn(async move {
                let task = Task { socket, lease };
                poll_fn(|context| task.poll(&fd, context)).await;
                // The descriptor leaves the poller, and closes, before the thread may be let go.
                drop(fd);
                drop(task);
            });
        }
        Err(error) => {
            let fault = Fault { errno: error.raw_os_error().unwrap_or(libc::EIO), write: false };
            socket.fail(lock(&socket.state), fault);
        }
    }
}

struct Task {
    socket: Arc<Socket>,
    /// Held, never looked at but for its shard: it keeps the thread alive.
    lease: Lease,
}

impl Drop for Task {
    /// Also runs when the task unwinds: the owner then sees a socket that failed, not one that hangs.
    fn drop(&mut self) {
        // A waker holds the thread's poller, and a socket may live longer than the thread.
        drop(self.socket.waker.take());
        let state = lock(&self.socket.state);
        if !state.destroyed {
            self.socket.fail(state, Fault { errno: libc::EIO, write: false });
        }
    }
}

/// What one read gave.
enum Received {
    /// The buffer was filled; there may be more.
    More,
    /// The kernel has no more for now.
    Drained,
    /// Nothing more is to be read: end, failure, too much waits for the owner, or it does not want any.
    Stop,
}

impl Task {
    /// Ready when the socket was destroyed.
    fn poll(&self, fd: &AsyncFd<Arc<socket2::Socket>>, context: &mut Context<'_>) -> Poll<()> {
        self.socket.waker.register(context.waker());
        let (read, write) = {
            let state = lock(&self.socket.state);
            if state.destroyed {
                return Poll::Ready(());
            }
            (!(state.paused || state.full || state.ended), state.blocked)
        };
        if write {
            self.poll_write(fd, context);
        }
        if read {
            self.poll_read(fd, context);
        }
        Poll::Pending
    }

    fn poll_write(&self, fd: &AsyncFd<Arc<socket2::Socket>>, context: &mut Context<'_>) {
        while let Poll::Ready(Ok(mut guard)) = fd.poll_write_ready(context) {
            match self.socket.write_out() {
                Written::All => return,
                Written::Blocked => guard.clear_ready(),
            }
        }
    }

    fn poll_read(&self, fd: &AsyncFd<Arc<socket2::Socket>>, context: &mut Context<'_>) {
        for _ in 0..READS_PER_TURN {
            let Poll::Ready(Ok(mut guard)) = fd.poll_read_ready(context) else { return };
            let (received, reply) = self.receive(fd.get_ref());
            if reply {
                self.socket.write_from_shard();
            }
            match received {
                Received::More => {}
                Received::Drained => guard.clear_ready(),
                Received::Stop => return,
            }
        }
        context.waker().wake_by_ref();
    }

    /// Reads once and lets the connection parse. The flag says that the connection has made output by itself
    /// (automatic pongs) which is to be written now.
    fn receive(&self, fd: &socket2::Socket) -> (Received, bool) {
        let mut scratch = lock(&self.lease.shard().scratch);
        let Scratch { buffer, keys } = &mut *scratch;
        let mut reader = fd;
        let result = reader.read(buffer);
        let mut state = lock(&self.socket.state);
        if state.destroyed {
            return (Received::Stop, false);
        }
        match result {
            Ok(0) => {
                state.ended = true;
                state.inbox.ended = true;
                self.socket.announce(state);
                (Received::Stop, false)
            }
            Ok(length) => {
                state.parse(&buffer[..length], keys);
                // While the kernel refuses output, writability brings the pongs out.
                let reply = !state.blocked && !state.connection.output().is_empty();
                state.full = state.is_full();
                // A short read means that the kernel's buffer is empty: readiness comes anew with the next byte,
                // so asking once more would only cost a system call.
                let received = match (state.full || state.paused, length < buffer.len()) {
                    (true, _) => Received::Stop,
                    (false, true) => Received::Drained,
                    (false, false) => Received::More,
                };
                drop(scratch);
                self.socket.announce(state);
                (received, reply)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => (Received::Drained, false),
            Err(error) if error.kind() == ErrorKind::Interrupted => (Received::More, false),
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or(libc::EIO);
                self.socket.fail(state, Fault { errno, write: false });
                (Received::Stop, false)
            }
        }
    }
}
