//! Predictable masking keys.

use crate::connection::MaskingKeys;
use crate::protocol::{MaskingKey, Role};

/// Counts the keys requested.
#[derive(Debug, Default)]
pub(super) struct Keys(u32);

impl MaskingKeys for Keys {
    fn next_key(&mut self) -> MaskingKey {
        self.0 = self.0.wrapping_add(0x0103_0507);
        MaskingKey(self.0.to_be_bytes())
    }
}

/// The other end's role.
pub(super) fn opposite(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}
