//! Idle connections: nothing is in flight, so the configuration and one byte total are enough to
//! restore them.

use std::sync::Arc;

use super::{Config, Connection};

impl Connection {
    /// True if all input has become events, all output is written, and no state is kept that a
    /// connection made by [`from_idle`](Self::from_idle) would lack.
    pub fn is_idle(&self) -> bool {
        let is_pristine = self
            .extension
            .as_deref()
            .is_none_or(|(deflate, inflate)| deflate.is_pristine() && inflate.is_pristine());
        self.is_between_messages() && self.has_sent_everything() && is_pristine
    }

    /// Recreates a connection that [was idle](Self::is_idle) after `total` bytes were queued and
    /// written.
    pub fn from_idle(config: impl Into<Arc<Config>>, total: u64) -> Self {
        let mut connection = Self::new(config);
        connection.resume_totals(total);
        connection
    }
}
