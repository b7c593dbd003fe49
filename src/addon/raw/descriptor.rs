//! A descriptor of Node's, borrowed: the one place where a number becomes a descriptor.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};

use crate::transport::socket::Borrowed;

/// The descriptor of a parked socket, which Node keeps and closes.
///
/// # Errors
/// When `fd` is no number of a descriptor.
pub(in crate::addon) fn borrow(fd: RawFd) -> io::Result<Borrowed> {
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
