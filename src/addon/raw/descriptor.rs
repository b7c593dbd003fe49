//! A descriptor of Node's, duplicated: the one place where a number becomes an owned descriptor.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};

/// A duplicate of `fd` (close-on-exec), owned by the caller. Node keeps and closes its own.
///
/// # Errors
/// When `fd` is no open descriptor, or the process may have no more of them.
pub(in crate::addon) fn duplicate(fd: RawFd) -> io::Result<socket2::Socket> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: borrowed for this call only, on the thread that owns the Node handle and in the same JavaScript call that
    // read its number, so nobody closes it meanwhile. A number that is not open makes `dup` fail with EBADF.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    borrowed.try_clone_to_owned().map(socket2::Socket::from)
}
