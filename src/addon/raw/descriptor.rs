//! A descriptor of Node's, borrowed: the one place where a number becomes a descriptor.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};

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
