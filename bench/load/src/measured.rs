//! Results of a measured phase. Filled by `load` and `opening`, printed by `main`.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

/// Maximum silence of a server with outstanding messages.
pub const STALL: Duration = Duration::from_secs(10);
/// Latencies above a minute are counted as a minute.
const MAX_LATENCY_NANOS: u64 = 60_000_000_000;

/// Results of one phase. A connection counts as a message where connections are opened and closed.
#[derive(Debug)]
pub struct Measured {
    /// Messages received before the end of the time.
    pub messages: u64,
    /// Messages received afterwards, until none was in flight.
    pub drained: u64,
    /// Bytes of all received frames.
    pub received: u64,
    /// Nanoseconds from queueing a message to reading the end of its echo (of the last copy of a
    /// broadcast), or from connecting to the end of the response head.
    pub latency: Histogram<u64>,
}

impl Measured {
    /// Creates empty results.
    ///
    /// # Errors
    /// None with these bounds.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let latency = Histogram::new_with_bounds(1, MAX_LATENCY_NANOS, 3)?;
        Ok(Self { messages: 0, drained: 0, received: 0, latency })
    }

    /// Records a latency.
    pub fn record(&mut self, time: Duration) {
        record(&mut self.latency, time);
    }
}

/// Records a latency.
pub fn record(latency: &mut Histogram<u64>, time: Duration) {
    latency.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
}

/// # Errors
/// If messages are outstanding and nothing was received for too long.
pub fn bound_silence(since: Instant, outstanding: usize) -> Result<(), Box<dyn Error>> {
    if outstanding > 0 && since.elapsed() > STALL {
        return Err(format!("silence for {STALL:?}, {outstanding} under way").into());
    }
    Ok(())
}
