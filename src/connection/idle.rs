//! A connection that has nothing in flight: what must be kept of it is how it is configured, and one number.

use std::sync::Arc;

use super::{Config, Connection};

impl Connection {
    /// Whether all that was received has become events, all that was queued is written, and nothing is remembered that a
    /// connection from [`idle`](Self::from_idle) would not know.
    pub fn is_idle(&self) -> bool {
        let is_forgetful = self
            .extension
            .as_deref()
            .is_none_or(|(deflating, inflating)| deflating.is_as_new() && inflating.is_as_new());
        self.is_between_messages() && self.is_done_sending() && is_forgetful
    }

    /// A connection in the place of one that [is idle](Self::is_idle), of which `total` bytes were queued and written.
    pub fn from_idle(config: impl Into<Arc<Config>>, total: u64) -> Self {
        let mut connection = Self::new(config);
        connection.count_from(total);
        connection
    }
}
