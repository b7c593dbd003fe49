//! ferrows: the `ws` API of Node.js on a Rust core.
//!
//! The crate is four layers, and an arrow only ever points down:
//!
//! * `addon` (feature `addon`): Node-API, what the JavaScript shim can call.
//! * `transport` (feature `transport`): where bytes come from and go to.
//! * [`connection`]: one WebSocket connection as a state machine without I/O.
//! * [`protocol`]: RFC 6455 and RFC 7692: frames, masking, UTF-8, messages, DEFLATE, close codes, errors.
//!
//! The two lower layers know neither Node nor tokio, hold no descriptor, read no clock and draw no
//! random number; `cargo test --no-default-features` builds them alone and so proves it.

pub mod connection;
pub mod protocol;

/// Bodies of the fuzz targets in `fuzz/`, whose seeds are tests, too.
#[cfg(any(test, fuzzing))]
pub mod fuzzing;

#[cfg(feature = "transport")]
pub mod transport;

// Node-API needs a Node around it: this layer is tested from JavaScript, and left out of Rust's own tests.
#[cfg(all(feature = "addon", not(test)))]
mod addon;
