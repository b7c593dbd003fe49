//! Status codes of the closing handshake: which numbers may travel in a close frame.

/// A status code that may be sent and received in a close frame (RFC 6455 section 7.4 and the IANA
/// registry): 1000 to 1003, 1007 to 1014, 3000 to 4999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The endpoint is going away.
    pub const GOING_AWAY: Self = Self(1001);
    /// The peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// The peer sent a kind of data that cannot be accepted.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// A text or a close reason was not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// The peer's behavior is against a policy, such as the number of fragments.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// A message was too big.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);

    /// What a close event reports when the close frame was empty. Never on the wire.
    pub const NO_STATUS: u16 = 1005;
    /// What a close event reports when there was no close frame. Never on the wire.
    pub const ABNORMAL: u16 = 1006;

    /// The code as a checked value, or `None` when it may not travel in a close frame.
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// The number on the wire.
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
    fn exactly_the_registered_and_the_private_ranges_are_valid() {
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
