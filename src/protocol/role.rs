//! Which end of the connection this is. Anything may ask; only masking depends on it.

/// The end of the connection that this process is (RFC 6455 section 1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The end that opened the connection: masks what it sends.
    Client,
    /// The end that accepted the connection: sends unmasked.
    Server,
}

impl Role {
    /// Whether every frame sent must be masked (RFC 6455 section 5.1).
    pub const fn must_mask_sent(self) -> bool {
        matches!(self, Self::Client)
    }

    /// Whether every frame received must be masked; if not, none may be (RFC 6455 section 5.1).
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
