//! Registers a descriptor with tokio, by a function of tokio that is unsafe. Called by `task` only. No other unsafe code belongs here.

use std::io;
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Readiness that the poller reports.
#[cfg(any(target_os = "linux", target_os = "android"))]
const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE).add(Interest::PRIORITY);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// Registers a socket with the poller of the current runtime, until the result is dropped.
///
/// # Errors
/// If the poller refuses the descriptor.
pub(super) fn register(socket: Arc<socket2::Socket>) -> io::Result<AsyncFd<Arc<socket2::Socket>>> {
    // SAFETY: tokio requires that the descriptor stays open, and stays the same, until the `AsyncFd` is
    // dropped. The `AsyncFd` owns this `Arc<Socket>`, and a `Socket` closes its descriptor, which never
    // changes, only when dropped.
    let registered = unsafe { AsyncFd::register_with_interest(socket, INTEREST) };
    registered.map_err(|error| error.into_parts().1)
}
