//! Output of a socket that the system has accepted and the peer's system has not acknowledged. One system call, by a function that
//! is unsafe. Called by `peer_signs` only. No other unsafe code belongs here.

use std::os::fd::AsRawFd;

/// Bytes in the send queue of a stream socket; for a Unix socket, the memory that they take. 0 if that is unknown.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn unacknowledged(socket: &impl AsRawFd) -> u64 {
    let mut bytes: libc::c_int = 0;
    // SAFETY: `TIOCOUTQ` (the same as `SIOCOUTQ`) writes one `int` to the address, that of a live local. The descriptor is only
    // queried; one that is no socket gives an error.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if status == 0 { u64::try_from(bytes).unwrap_or(0) } else { 0 }
}

/// Other systems are not asked: there, progress is that of the bytes that the system accepts.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn unacknowledged(_: &impl AsRawFd) -> u64 {
    0
}
