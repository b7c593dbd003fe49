//! Frame headers and masking. [`MessageAssembler`](super::MessageAssembler) and `connection` handle
//! sequences of frames.

mod header;
pub mod mask;

pub use header::{FrameHeader, FrameRules, HeaderReader, MAX_CONTROL_PAYLOAD, MAX_HEADER_LENGTH};
pub use mask::MaskingKey;
