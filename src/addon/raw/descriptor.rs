//! A descriptor of Node's, borrowed or duplicated: the one place where a number becomes a descriptor.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use crate::transport::socket::Home;

/// The descriptor of a parked socket, which Node keeps and closes.
///
/// # Errors
/// When `fd` is no number of a descriptor.
pub(in crate::addon) fn borrow(fd: RawFd) -> io::Result<Home> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: it is -1 that must not be borrowed. The number names the same open socket for as long as it is used: the shim
    // has parked the `net.Socket` that has it and destroys the connection before Node closes it (ParkedSocket._destroy,
    // and the setter of `_handle` for whoever takes the handle away), and the cleanup hook of the environment lets go of
    // it. It is used on the environment's own thread only; threads get a duplicate.
    Ok(Home::Borrowed(unsafe { BorrowedFd::borrow_raw(fd) }))
}

/// A duplicate of the descriptor of a handle of Node's, which is the caller's own: Node may close its one at any time.
///
/// # Errors
/// When `fd` is not open, or there are no more descriptors.
pub(in crate::addon) fn duplicate(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: it is not -1, and it is borrowed for this one system call only, which fails if the number names nothing. The shim reads
    // the number from a handle of Node's in the same turn of JavaScript, on the thread that alone may close it.
    unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned()
}
