//! ferrows: the `ws` API of Node.js on a Rust core.
//!
//! Four layers; each may use only those below it:
//!
//! * `addon` (feature `addon`): Node-API functions called by the JavaScript shim.
//! * `transport` (feature `transport`): sockets, event loop and I/O threads that move the bytes.
//! * [`connection`]: one WebSocket connection as a state machine without I/O.
//! * [`protocol`]: RFC 6455 and RFC 7692 on bytes in memory.
//!
//! `fuzzing`, outside the layers, has the bodies of the fuzz targets.
//!
//! `connection` and `protocol` use neither Node nor tokio, descriptors, clocks or random numbers.
//! `cargo test --no-default-features` enforces this by building them alone.

pub mod connection;
pub mod protocol;

/// Bodies of the fuzz targets in `fuzz/`. Their seeds also run as tests.
#[cfg(any(test, fuzzing))]
pub mod fuzzing;

#[cfg(feature = "transport")]
pub mod transport;

// Node-API symbols are only available inside Node: this layer is tested from JavaScript.
#[cfg(all(feature = "addon", not(test)))]
mod addon;
