//! Node-API: what the shim can call, and how events reach it. Thin: no protocol decision is taken here, and descriptors are
//! polled, but read and written only by `transport`.
//!
//! * `environment`: one JavaScript environment (main thread, worker): shared memory, masking keys, its
//!   connections.
//! * `connection`: the class that the shim drives, one object a WebSocket; `channel`: the state behind it.
//! * `rounds`: the sockets of an environment, and when they get their turn; `attachment`: what is kept for each;
//!   `line`: how the event loop comes to look at them; `driving`: who drives them; `stages`: what the loop does when it does;
//!   `delivery`: handing their news over; `landing`: large messages, received into memory of their own.
//! * `options`: how the shim wants a connection; `elsewhere`: the work of permessage-deflate that other threads do.
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
#[cfg(unix)]
mod delivery;
#[cfg(unix)]
mod driving;
mod elsewhere;
mod environment;
mod framing;
#[cfg(unix)]
mod landing;
#[cfg(unix)]
mod line;
mod options;
mod raw;
#[cfg(unix)]
mod rounds;
mod slab;
mod slots;
#[cfg(unix)]
mod stages;
