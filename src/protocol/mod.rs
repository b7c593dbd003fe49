//! RFC 6455 and RFC 7692 on bytes in memory: frame headers, masking, UTF-8, message assembly,
//! permessage-deflate, close codes, the opening handshake's request and accept key, limits and
//! errors.
//!
//! Used by [`crate::connection`], and by `transport` and `addon` for types. Values and functions on
//! slices only: no I/O, clocks, random numbers or connection state.

#![forbid(unsafe_code)]

mod close_code;
pub mod deflate;
mod error;
pub mod frame;
pub mod handshake;
mod limits;
mod message;
mod opcode;
mod role;
mod utf8;

pub use close_code::CloseCode;
pub use error::{ErrorClass, ProtocolError};
pub use frame::{FrameHeader, MaskingKey};
pub use handshake::accept_key;
pub use limits::Limits;
pub use message::MessageAssembler;
pub use opcode::Opcode;
pub use role::Role;
pub use utf8::Utf8Validator;
