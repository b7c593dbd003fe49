//! Node-API: the interface of the JavaScript shim, and the way of events to it. No protocol decision, no queue and no
//! system call on a socket is here.
//!
//! * `environment`: the class for an environment (main thread, worker), one per copy of the shim. `context`: its parts,
//!   which all copies in a thread share.
//! * `functions`: frequent operations on connections, by id; `connection`: the class for rare ones. `payload`:
//!   payloads that they get.
//! * `host`: memory and keys of the event loop. `sockets`: its calls of JavaScript; `no_sockets` where sockets cannot
//!   be adopted.
//! * `options`: configurations of connections. `compression_jobs`: permessage-deflate, and its work on other threads.
//! * `codec`: TCP addresses for JavaScript, and stateless helpers on single frames and on the opening handshake.
//! * `sys`: the only unsafe code of this layer: Node-API by hand, on the hot path and where napi has no safe form.
//!
//! Each function that returns a `Result` fails while the environment is ending; `# Errors` names other reasons.
//!
//! Only the shim's `lib/native.js` calls in. All code runs on the environment's own thread, except for the wake-up
//! (`sys::threadsafe_function`).

#![cfg_attr(not(unix), allow(dead_code, reason = "only `sockets` uses some; on Unix nothing may be dead"))]

mod codec;
mod compression_jobs;
mod connection;
mod context;
mod environment;
mod functions;
mod host;
mod options;
mod payload;
mod sys;

#[cfg(unix)]
mod sockets;
// Has the same names as `sockets`.
#[cfg(not(unix))]
#[path = "no_sockets.rs"]
mod sockets;
