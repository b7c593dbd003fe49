//! Node's loop, and descriptors of its handles, borrowed or duplicated: the one place where a number becomes a descriptor.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use napi::{Env, Error, Result};

use crate::transport::socket::Borrowed;
use crate::transport::uv::Loop;

/// The loop of an environment.
pub(in crate::addon) fn uv_loop(env: Env) -> Result<Loop> {
    let raw = env.get_uv_event_loop()?;
    // SAFETY: Node runs it on this thread, and ends it after the environment's cleanup hooks are done, which close all
    // handles (`sockets/host.rs`).
    unsafe { Loop::from_raw(raw.cast()) }.ok_or_else(|| Error::from_reason("the environment has no loop"))
}

/// Borrows the descriptor of a socket whose `net.Socket` stays in JavaScript. Node keeps it and closes it.
///
/// # Errors
/// `EBADF` if `fd` is negative.
pub(in crate::addon) fn borrow_fd(fd: RawFd) -> io::Result<Borrowed> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: it is not -1. It names the same open socket whenever it is used. That is only on the
    // environment's thread (I/O threads get a duplicate), and there either
    // * in a call from JavaScript. Node closes a handle by its methods `close` and `reset`, or gives it away
    //   by setting `_handle` to null; each of these has the addon let go of the descriptor first
    //   (handle-guard.js, detached-socket.js). Or
    // * in a callback of the event loop. Each begins by checking that JavaScript can be called (`can_call`).
    //   An ending environment can't call JavaScript from before Node closes its handles, which happens on
    //   this thread, outside of any callback.
    Ok(Borrowed::new(unsafe { BorrowedFd::borrow_raw(fd) }))
}

/// Duplicates the descriptor of one of Node's handles. The caller owns the duplicate; Node may close its own
/// at any time.
///
/// # Errors
/// If `fd` is not open, or the process has no descriptors left.
pub(in crate::addon) fn duplicate_fd(fd: RawFd) -> io::Result<OwnedFd> {
    borrow_fd(fd)?.duplicate()
}
