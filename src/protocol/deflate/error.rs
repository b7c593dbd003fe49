//! Errors in compressed data. Programs see zlib's messages, so they are reproduced here.

/// A violation of the DEFLATE format (RFC 1951). `Display` is zlib's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what they stand for")]
pub enum InflateError {
    #[error("invalid block type")]
    BlockType,
    #[error("invalid stored block lengths")]
    StoredLengths,
    #[error("too many length or distance symbols")]
    TooManySymbols,
    #[error("invalid code lengths set")]
    CodeLengths,
    #[error("invalid bit length repeat")]
    BitLengthRepeat,
    #[error("invalid code -- missing end-of-block")]
    NoEndOfBlock,
    #[error("invalid literal/lengths set")]
    LiteralLengths,
    #[error("invalid distances set")]
    Distances,
    #[error("invalid literal/length code")]
    LiteralLengthCode,
    #[error("invalid distance code")]
    DistanceCode,
    #[error("invalid distance too far back")]
    TooFarBack,
    /// Any other error.
    #[error("invalid data")]
    Other,
}

impl InflateError {
    /// Converts the backend's message, which differs from zlib's in one case.
    pub(super) fn from_message(message: Option<&str>) -> Self {
        const ALL: [InflateError; 11] = [
            InflateError::BlockType,
            InflateError::StoredLengths,
            InflateError::TooManySymbols,
            InflateError::CodeLengths,
            InflateError::BitLengthRepeat,
            InflateError::NoEndOfBlock,
            InflateError::LiteralLengths,
            InflateError::Distances,
            InflateError::LiteralLengthCode,
            InflateError::DistanceCode,
            InflateError::TooFarBack,
        ];
        let message = message.unwrap_or_default().trim_end_matches('\0');
        if message == "invalid distance code too far back" {
            return Self::TooFarBack;
        }
        ALL.into_iter().find(|error| error.to_string() == message).unwrap_or(Self::Other)
    }
}
