//! The end of an incomplete head, for heads that arrive a few bytes at a time: bytes that only
//! lengthen a target, a name or a value need no parse of the whole head.

/// The part of a head in which its received bytes end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tail {
    /// Any: more bytes require a parse.
    #[default]
    Other,
    /// The target of the request line.
    Target,
    /// The name of a field.
    Name,
    /// The value of a field.
    Value,
}

impl Tail {
    /// Returns the tail of a head that [`parse_upgrade_request`](super::parse_upgrade_request) found
    /// incomplete.
    pub fn of(head: &[u8]) -> Self {
        let line_start = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = &head[line_start..];
        if line_start == 0 {
            let is_target = line.starts_with(b"GET /") && !line[4..].contains(&b' ');
            return if is_target { Self::Target } else { Self::Other };
        }
        if line.is_empty() || line.contains(&b'\r') {
            Self::Other
        } else if line.contains(&b':') {
            Self::Value
        } else {
            Self::Name
        }
    }

    /// True if an incomplete head with this tail stays incomplete, and keeps the tail, with these
    /// bytes behind it. The caller checks the limit of its length. False requires a parse.
    pub fn extends_with(self, bytes: &[u8]) -> bool {
        match self {
            Self::Other => false,
            Self::Target => bytes.iter().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'?' | b'&' | b'=' | b'-' | b'_' | b'.')
            }),
            Self::Name => {
                bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            }
            Self::Value => bytes.iter().all(|byte| !byte.is_ascii_control()),
        }
    }
}
