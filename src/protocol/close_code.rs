//! Status codes of close frames.

/// A status code allowed in a close frame (RFC 6455 section 7.4 and the IANA registry): 1000 to
/// 1003, 1007 to 1014, 3000 to 4999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// Normal closure.
    pub const NORMAL: Self = Self(1000);
    /// The endpoint is going away.
    pub const GOING_AWAY: Self = Self(1001);
    /// Protocol error.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// Unacceptable kind of data.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// Text message or close reason that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// Policy violation, such as too many fragments.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// Message too big.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);

    /// Reported for an empty close frame. Never sent.
    pub const NO_STATUS: u16 = 1005;
    /// Reported when no close frame was received. Never sent.
    pub const ABNORMAL: u16 = 1006;

    /// Returns `None` for a code that is not allowed in a close frame.
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// The code as a number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

#[cfg(test)]
mod tests {
    use super::CloseCode;

    #[test]
    fn only_the_registered_and_private_ranges_are_valid() {
        let valid: Vec<u16> = (0..=u16::MAX).filter(|&code| CloseCode::new(code).is_some()).collect();
        let expected: Vec<u16> = (1000..=1003).chain(1007..=1014).chain(3000..=4999).collect();
        assert_eq!(valid, expected);
    }

    #[test]
    fn codes_of_events_are_not_valid_on_the_wire() {
        assert_eq!(CloseCode::new(CloseCode::NO_STATUS), None);
        assert_eq!(CloseCode::new(CloseCode::ABNORMAL), None);
    }
}
