//! ferrows: the `ws` API of Node.js on a Rust core.
//!
//! The crate has four layers, each of which may use those below it:
//!
//! * `addon` (feature `addon`): Node-API, the interface of the JavaScript shim.
//! * `transport` (feature `transport`): moves bytes between connections and the world.
//! * [`connection`]: one WebSocket connection as a state machine without I/O.
//! * [`protocol`]: RFC 6455 and RFC 7692: frames, masking, UTF-8, messages, DEFLATE, close codes, errors.
//!
//! The two lower layers have no I/O, no clock and no random source, and know neither Node nor tokio; `cargo test
//! --no-default-features` builds them alone.

pub mod connection;
pub mod protocol;

/// Bodies of the fuzz targets in `fuzz/`; their seeds run as tests.
#[cfg(any(test, fuzzing))]
pub mod fuzzing;

#[cfg(feature = "transport")]
pub mod transport;

// Node-API needs a Node process: this layer is tested from JavaScript.
#[cfg(all(feature = "addon", not(test)))]
mod addon;
