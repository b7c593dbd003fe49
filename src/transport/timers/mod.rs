//! Time limits of connections, without a timer for each: one wheel per owner holds the deadlines of all.
//!
//! * [`wheel`]: deadlines by key, in ticks. Has no clock.
//! * [`liveness`]: the rules of [`TimeLimits`](crate::connection::TimeLimits): the time at which a connection is looked at, and the outcome.
//!
//! The owner's event loop looks at connections and pings them (`event_loop::timers`); the host calls it when a deadline may have
//! passed. No system call, clock or JavaScript value here.

mod liveness;
mod wheel;

pub use liveness::{Due, DueAction};
pub(in crate::transport) use liveness::{Liveness, Output, Verdict};
