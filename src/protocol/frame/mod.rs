//! One frame: its header and its masking. What a sequence of frames means is for
//! [`MessageAssembler`](super::MessageAssembler) and the connection.

mod header;
pub mod mask;

pub use header::{FrameHeader, FrameRules, HeaderReader, MAX_CONTROL_PAYLOAD, MAX_HEADER_LENGTH};
pub use mask::MaskingKey;
