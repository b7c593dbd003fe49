//! Node-API: what the shim can call, and how events reach it. Thin: no protocol decision is taken here, no
//! bytes are moved from or to a socket.
//!
//! * `environment`: one JavaScript environment (main thread, worker): shared memory, masking keys, its
//!   connections.
//! * `connection`: the class that the shim drives, one object a WebSocket; `channel`: the state behind it.
//! * `rounds`, `attachment`: the connections of an environment that are on I/O threads.
//! * `batch`: events -> records in shared memory.
//! * `slots`: connections by number.
//! * `slab`: the memory that small payloads are handed over in.
//! * `framing`: stateless helpers on single frames and on the opening handshake.
//! * `raw`: the only unsafe code of the crate: Node-API and libuv by hand, on the hot path and where napi has
//!   no safe form.
//!
//! Only the shim's `lib/native.js` calls in. Everything here runs on the environment's own thread, but for the
//! wake-up (`raw::uv`).

#[cfg(unix)]
mod attachment;
mod batch;
mod channel;
mod connection;
mod environment;
mod framing;
mod raw;
#[cfg(unix)]
mod rounds;
mod slab;
mod slots;
