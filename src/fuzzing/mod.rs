//! Bodies of the fuzz targets: each takes any bytes, makes a case of them, and panics if a property of the core does not hold.
//!
//! `fuzz/` hands them to libFuzzer, and the test here replays the seeds that are kept there. They know `protocol` and
//! `connection` alone, as those who use these do. Examples that show one thing are ordinary tests, beside what they test.

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

/// A target: its name, that of its folder of seeds and of its file in `fuzz/targets/`, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
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
