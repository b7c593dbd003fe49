//! The server's side of the opening handshake, as far as it is bytes in memory: is what a client has sent a request to
//! upgrade (`request`), and what proves that it was understood (`accept`).
//!
//! Used by the `listener` transport and by the addon. What a request is answered is decided by the shim.

mod accept;
mod request;

pub use accept::accept_key;
pub use request::{Field, MAX_HEAD_LENGTH, RequestHead, parse_upgrade_request};

#[cfg(test)]
mod tests;
