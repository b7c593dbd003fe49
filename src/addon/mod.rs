//! The Node-API binding: the functions that the shim calls, and the delivery of events to it. The only caller
//! is `lib/native.js`.
//!
//! * `environment`: one JavaScript environment (main thread or worker) and its parts. `thread`: the
//!   environment that all copies of the shim in a thread share. `host`: memory and masking keys for its event
//!   loop.
//! * `functions`: operations on connections by number. `connection`: a class for the less frequent ones.
//! * `sockets`: the event loop over libuv; `no_sockets` takes its place on systems whose sockets are no
//!   descriptors.
//! * `options`: options of a connection. `compression_jobs`: permessage-deflate on the thread pool. `codec`:
//!   stateless functions.
//! * `records`: events in shared memory. `payload`: payloads to send. `address`: TCP addresses.
//! * `sys`: the only unsafe code: Node-API, libuv and libc called by hand.
//!
//! Everything runs on the environment's thread, except for `compression_jobs` and wake-ups (`sys::uv`). No
//! protocol decision belongs here, and no reading or writing of descriptors: `transport` does that.

#![cfg_attr(not(unix), allow(dead_code, reason = "only `sockets` uses some; on Unix nothing may be dead"))]

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
mod sys;
mod thread;

#[cfg(unix)]
mod sockets;
// Has the same names as `sockets`.
#[cfg(not(unix))]
#[path = "no_sockets.rs"]
mod sockets;
