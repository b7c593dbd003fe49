//! The unsafe corner of this transport: registering a descriptor with tokio.

use std::io;
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// What the poller tells of it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE).add(Interest::PRIORITY);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// A socket's descriptor in the poller of the runtime that this is called in.
///
/// # Errors
/// When the poller refuses it.
pub(super) fn register(socket: Arc<socket2::Socket>) -> io::Result<AsyncFd<Arc<socket2::Socket>>> {
    // SAFETY: the descriptor must stay the same open one for as long as it is registered. `Arc<Socket>` always names the
    // descriptor of the `Socket` that it keeps alive, which closes it only when dropped: after the `AsyncFd`.
    let registered = unsafe { AsyncFd::register_with_interest(socket, INTEREST) };
    registered.map_err(|error| error.into_parts().1)
}
