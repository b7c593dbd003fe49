//! Client and server role. Within `protocol` and `connection`, only masking depends on it.

/// Role of this end of the connection (RFC 6455 section 1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Opened the connection; masks its frames.
    Client,
    /// Accepted the connection; does not mask its frames.
    Server,
}

impl Role {
    /// True if sent frames must be masked (RFC 6455 section 5.1). Otherwise they must not be.
    pub const fn must_mask_sent(self) -> bool {
        matches!(self, Self::Client)
    }

    /// True if received frames must be masked (RFC 6455 section 5.1). Otherwise they must not be.
    pub const fn expects_masked(self) -> bool {
        matches!(self, Self::Server)
    }
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn only_the_client_masks() {
        assert!(Role::Client.must_mask_sent() && !Role::Client.expects_masked());
        assert!(!Role::Server.must_mask_sent() && Role::Server.expects_masked());
    }
}
