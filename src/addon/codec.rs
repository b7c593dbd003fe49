//! Stateless functions for JavaScript: frame headers, masks, accept keys, socket addresses, and constants of this build. No connection
//! state belongs here.

use std::net::SocketAddr;

use napi::bindgen_prelude::{BufferSlice, Uint8Array};
use napi::{Env, Error, Result, Status};
use napi_derive::napi;

use super::sockets::{TAKES_SOCKETS, can_listen, threads};
use crate::protocol::frame::mask;
use crate::protocol::{FrameHeader, MaskingKey, Opcode, accept_key};

/// The value of `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (RFC 6455 section 4.2.2).
#[napi(js_name = "acceptKey", catch_unwind)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands arguments over by value")]
pub(super) fn accept(key: String) -> String {
    accept_key(&key)
}

/// Encodes a frame header with its masking key (RFC 6455 section 5.2). Throws for an unknown opcode, or a key
/// that is not four bytes long.
#[napi(catch_unwind)]
pub(super) fn encode_header(
    env: &Env,
    opcode: u8,
    fin: bool,
    rsv1: bool,
    key: Option<Uint8Array>,
    length: f64,
) -> Result<BufferSlice<'_>> {
    let opcode =
        Opcode::try_from(opcode).map_err(|error| Error::new(Status::InvalidArg, error.to_string()))?;
    let masking_key = key.map(|key| masking_key(&key)).transpose()?;
    // Lengths in JavaScript are integers of at most 53 bits.
    #[allow(clippy::cast_sign_loss, reason = "lengths are not negative")]
    let payload_length = length as u64;
    let mut bytes = Vec::new();
    FrameHeader { fin, rsv1, opcode, masking_key, payload_length }.encode(&mut bytes);
    BufferSlice::copy_from(env, bytes)
}

/// Masks or unmasks `data` in place (RFC 6455 section 5.3). Throws for a key that is not four bytes long.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands arguments over by value")]
pub(super) fn apply_mask(mut data: Uint8Array, key: Uint8Array) -> Result<()> {
    let key = masking_key(&key)?;
    mask::apply(super::sys::bytes_of(&mut data), key, 0);
    Ok(())
}

/// The version of the package that this was built for. The shim loads no other.
#[napi]
#[allow(unreachable_pub, reason = "napi takes no other")]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The number of I/O threads that run in this process.
#[napi(js_name = "threads", catch_unwind)]
pub(super) fn live_threads() -> u32 {
    threads() as u32
}

/// True if `attach` can adopt sockets on this system. Otherwise every connection is over a stream.
#[napi(catch_unwind)]
pub(super) fn takes_sockets() -> bool {
    TAKES_SOCKETS
}

/// True if a `Listener` can listen here: the process has libuv's functions, and sockets are descriptors.
#[napi(catch_unwind)]
pub(super) fn listens() -> bool {
    can_listen()
}

/// Converts a masking key. An error if it is not four bytes long.
pub(super) fn masking_key(bytes: &[u8]) -> Result<MaskingKey> {
    let key =
        bytes.try_into().map_err(|_| Error::new(Status::InvalidArg, "A masking key must have four bytes"))?;
    Ok(MaskingKey(key))
}

/// A TCP address.
#[napi(object)]
pub struct SocketAddress {
    /// The IP address in its usual notation.
    pub address: String,
    /// The family, by Node's name.
    #[napi(ts_type = "'IPv4' | 'IPv6'")]
    pub family: String,
    /// The port.
    pub port: u16,
}

impl From<SocketAddr> for SocketAddress {
    fn from(address: SocketAddr) -> Self {
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        Self { address: address.ip().to_string(), family: family.to_owned(), port: address.port() }
    }
}
