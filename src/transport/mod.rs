//! Transports: they move bytes between a connection and the network, and fill batches of events. Generic over
//! their owner, which is a JavaScript environment in the addon; no Node-API, JavaScript value or protocol
//! decision belongs here. Backpressure is decided here.
//!
//! * [`transports`]: the transports of an owner, by connection.
//! * [`stream`]: the caller moves the bytes (a Node Duplex, through the addon), on its own thread.
//! * [`socket`]: a plain socket whose bytes are moved here. Its driver is chosen when it is adopted:
//!   [`event_loop`], the owner's thread, or [`io_threads`], tokio threads of this library.
//! * [`listener`]: listening sockets, and their connections until the opening handshake has been read.
//! * [`records`]: events in memory that JavaScript reads. [`send_queue`]: messages in memory that it writes. [`compression`]: permessage-deflate of an owner.
//! * [`uv`]: libuv handles, for owners with a loop of libuv. `turn`: terms that drivers and sockets share.
//! * [`masking_keys`]: random masking keys. [`slab`]: values by number. `queue`, `ref_count`: shared between
//!   threads, made of `sync`. [`housekeeping`]: idling and freeing memory, in slices of [`pacer`].
//!   [`timers`]: time limits of connections. [`heap`]: freed memory of the process.
//!
//! All drive the same [`Connection`](crate::connection::Connection) and fill the same
//! [`EventBatch`](crate::connection::EventBatch).

pub mod compression;
#[cfg(unix)]
pub mod event_loop;
// Has the same names as `event_loop`.
#[cfg(not(unix))]
#[path = "no_event_loop.rs"]
pub mod event_loop;
pub mod heap;
pub mod housekeeping;
#[cfg(unix)]
pub mod io_threads;
#[cfg(unix)]
pub mod listener;
pub mod masking_keys;
pub mod pacer;
#[cfg(unix)]
mod queue;
pub mod records;
#[cfg(unix)]
mod ref_count;
pub mod send_queue;
pub mod slab;
#[cfg(unix)]
pub mod socket;
pub mod stream;
#[cfg(unix)]
mod sync;
#[cfg(test)]
#[cfg(unix)]
mod tests;
#[cfg_attr(not(unix), allow(dead_code, reason = "only `event_loop` uses some; on Unix nothing may be dead"))]
pub mod timers;
#[cfg_attr(not(unix), allow(dead_code, reason = "only `event_loop` uses some; on Unix nothing may be dead"))]
pub mod transports;
#[cfg(unix)]
mod turn;
#[cfg(unix)]
pub mod uv;

pub use masking_keys::RandomKeys;
