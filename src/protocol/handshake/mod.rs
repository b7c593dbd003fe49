//! Opening handshake, server side, on bytes in memory: detection of upgrade requests (`request`),
//! also in parts (`tail`), and the accept key (`accept`).
//!
//! Used by `transport::listener` and `addon`. Composes no response: the shim and Node do.

mod accept;
mod request;
mod tail;

pub use accept::accept_key;
pub use request::{Field, MAX_HEAD_LENGTH, RequestHead, parse_upgrade_request};
pub use tail::Tail;

#[cfg(test)]
mod tests;
