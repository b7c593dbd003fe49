//! Owned events for comparison.

use crate::connection::{EventBatch, EventRef};
use crate::protocol::ProtocolError;
use crate::protocol::deflate::InflateError;

/// An [`EventRef`] that owns its bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    Message { binary: bool, data: Vec<u8>, fragments: Vec<u32> },
    Ping { data: Vec<u8>, answered: bool },
    Pong(Vec<u8>),
    Close(u16, Vec<u8>),
    Failed(ProtocolError),
    Inflating,
    Flooded,
}

impl Event {
    /// `chunk`: the last one received in place.
    fn new(event: EventRef<'_>, chunk: &[u8]) -> Self {
        match event {
            EventRef::Message { binary, data, fragments } => {
                Self::Message { binary, data: data.into(), fragments: fragments.into() }
            }
            EventRef::InChunk { binary, start, length } => {
                let data = chunk[start..start + length].into();
                Self::Message { binary, data, fragments: Vec::new() }
            }
            EventRef::Ping { data, answered } => Self::Ping { data: data.into(), answered },
            EventRef::Pong(data) => Self::Pong(data.into()),
            EventRef::Close { code, reason } => Self::Close(code, reason.into()),
            // The backend does not always have a message; it depends on the size of the input.
            EventRef::Failed(ProtocolError::InvalidDeflate(_)) => {
                Self::Failed(ProtocolError::InvalidDeflate(InflateError::Other))
            }
            EventRef::Failed(error) => Self::Failed(error),
            EventRef::Inflating => Self::Inflating,
            EventRef::Flooded => Self::Flooded,
        }
    }

    /// Takes the next event from its batch.
    pub(super) fn take(events: &mut EventBatch, chunk: &[u8]) -> Option<Self> {
        let (length, bytes) = (events.len(), events.payload_bytes());
        let event = Self::new(events.peek()?, chunk);
        events.advance();
        assert_eq!(events.len(), length - 1);
        assert_eq!(events.payload_bytes(), bytes - event.payload_length());
        Some(event)
    }

    fn payload_length(&self) -> usize {
        match self {
            Self::Message { data, .. }
            | Self::Ping { data, .. }
            | Self::Pong(data)
            | Self::Close(_, data) => data.len(),
            Self::Failed(_) | Self::Inflating | Self::Flooded => 0,
        }
    }

    /// True if no event may follow.
    pub(super) fn is_last(&self) -> bool {
        matches!(self, Self::Close(..) | Self::Failed(_))
    }
}
