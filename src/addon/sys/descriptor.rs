//! A descriptor of Node's, borrowed or duplicated: the one place where a number becomes a descriptor.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use crate::transport::socket::Borrowed;

/// The descriptor of a parked socket, which Node keeps and closes.
///
/// # Errors
/// When `fd` is no number of a descriptor.
pub(in crate::addon) fn borrow_fd(fd: RawFd) -> io::Result<Borrowed> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: it is -1 that must not be borrowed. The number names the same open socket whenever it is used, which is only on
    // the environment's own thread (I/O threads get a duplicate), and there either
    // * in a call of JavaScript's. Node closes a handle by its methods `close` and `reset`, or gives it away by setting `_handle`
    //   to null: each of them has the addon let go first (handle-guard.js, the setter of ParkedSocket). Or
    // * in a callback of the event loop. All begin with `Shared::is_running`. An environment that is ending can't call JavaScript
    //   from before its handles are closed, which happens on this thread, outside of any callback.
    Ok(Borrowed::new(unsafe { BorrowedFd::borrow_raw(fd) }))
}

/// A duplicate of the descriptor of a handle of Node's, which is the caller's own: Node may close its one at any time.
///
/// # Errors
/// When `fd` is not open, or there are no more descriptors.
pub(in crate::addon) fn duplicate_fd(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: it is not -1, and it is borrowed for this one system call only, which fails if the number names nothing. The shim reads
    // the number from a handle of Node's in the same turn of JavaScript, on the thread that alone may close it.
    unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned()
}
