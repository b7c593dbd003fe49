//! Node-API: what the shim can call, and how events reach it. Thin: no protocol decision is taken here, and descriptors are
//! polled, but read and written only by `transport`.
//!
//! * `environment`: one JavaScript environment (main thread, worker): shared memory, masking keys, its
//!   connections. `thread`: the one that all copies of the shim in a thread share.
//! * `functions`: what the shim does with a connection as a rule, by its number; `connection`: the class for what it does rarely;
//!   `channel`: the state behind both.
//! * `sockets`: those that were taken over, and what the event loop does for them; `no_sockets` where there can be none.
//! * `options`: how the shim wants a connection; `compression_jobs`: the work of permessage-deflate that other threads do.
//! * `records`: events -> records in shared memory.
//! * `payload_arena`: the memory that sockets with large messages are read into.
//! * `address`: addresses of TCP, as JavaScript sees them.
//! * `codec`: stateless helpers on single frames and on the opening handshake.
//! * `sys`: the only unsafe code of the crate: Node-API and libuv by hand, on the hot path and where napi has
//!   no safe form.
//!
//! Only the shim's `lib/native.js` calls in. Everything here runs on the environment's own thread, but for the
//! wake-up (`sys::uv`).

#![cfg_attr(not(unix), allow(dead_code, reason = "what only `sockets` needs; on Unix nothing may be dead"))]

mod address;
mod codec;
mod compression_jobs;
mod connection;
mod environment;
mod functions;
mod host;
mod options;
mod payload;
mod records;
#[cfg(unix)]
mod sockets;
mod sys;
// Other modules see no difference: it has the same names.
#[cfg(not(unix))]
#[path = "no_sockets.rs"]
mod sockets;
mod thread;
