//! Bodies of the fuzz targets. Each takes arbitrary bytes, builds a case from them, and panics if a
//! property of the core does not hold.
//!
//! `fuzz/` passes them to libFuzzer; the test here replays the seeds kept there. They use the
//! public API of `protocol` and `connection` only. Single examples belong in the tests of those
//! modules.

#![forbid(unsafe_code)]

pub mod close;
pub mod connection;
pub mod decoder;
pub mod deflate_round_trip;
pub mod header;
pub mod hostile;
pub mod inflate;
pub mod mask;
pub mod request;
pub mod utf8;

mod event;
mod input;
mod keys;
mod pair;
mod receiver;
mod stream;

use input::Input;

/// A target: the name shared with its folder of seeds and its file in `fuzz/targets/`, and its
/// body.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("close", close::run),
    ("connection", connection::run),
    ("decoder", decoder::run),
    ("deflate_round_trip", deflate_round_trip::run),
    ("header", header::run),
    ("hostile", hostile::run),
    ("inflate", inflate::run),
    ("mask", mask::run),
    ("request", request::run),
    ("utf8", utf8::run),
];

#[cfg(test)]
mod tests;
