//! Stateless helpers on single frames and on the opening handshake, for the parts of the ws API that expose them
//! (`Sender.frame`, the server's 101).

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

/// A frame header as bytes, the masking key included (RFC 6455 section 5.2). Throws for an unknown opcode or a key that
/// is not four bytes long.
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
    // A JavaScript length is an integer of 53 bits.
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

/// The version of the package that this was built for: the shim loads no other.
#[napi]
#[allow(unreachable_pub, reason = "napi takes no other")]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How many I/O threads run in this process.
#[napi(js_name = "threads", catch_unwind)]
pub(super) fn live_threads() -> u32 {
    threads() as u32
}

/// Whether `attach` can take sockets over on this system. Where it can't, every connection is one over a stream.
#[napi(catch_unwind)]
pub(super) fn takes_sockets() -> bool {
    TAKES_SOCKETS
}

/// Whether a `Listener` can be made here.
#[napi(catch_unwind)]
pub(super) fn listens() -> bool {
    can_listen()
}

/// Reads a masking key.
pub(super) fn masking_key(bytes: &[u8]) -> Result<MaskingKey> {
    let key =
        bytes.try_into().map_err(|_| Error::new(Status::InvalidArg, "A masking key must have four bytes"))?;
    Ok(MaskingKey(key))
}
