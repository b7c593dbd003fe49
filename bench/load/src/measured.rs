//! What a phase of load has done, in numbers. Filled by `load` and `opening`, written out by `main`.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

/// The longest silence of a server that owes something.
pub const STALL: Duration = Duration::from_secs(10);
/// Latencies above a minute are counted as a minute.
const MAX_LATENCY_NANOS: u64 = 60_000_000_000;

/// What one phase did. Where connections are opened and closed, each of them is a message.
#[derive(Debug)]
pub struct Measured {
    /// Messages that came before the time was up.
    pub messages: u64,
    /// Messages that came after it, until nothing was under way.
    pub drained: u64,
    /// Bytes of all frames that came.
    pub received: u64,
    /// Nanoseconds from queueing a message to reading the end of its echo; of a broadcast, of its last copy; of an opened
    /// connection, from connecting to the end of the response head.
    pub latency: Histogram<u64>,
}

impl Measured {
    /// Nothing done yet.
    ///
    /// # Errors
    /// None with these bounds.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let latency = Histogram::new_with_bounds(1, MAX_LATENCY_NANOS, 3)?;
        Ok(Self { messages: 0, drained: 0, received: 0, latency })
    }

    /// Takes note of a latency.
    pub fn record(&mut self, time: Duration) {
        record(&mut self.latency, time);
    }
}

/// Takes note of a latency.
pub fn record(latency: &mut Histogram<u64>, time: Duration) {
    latency.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
}

/// # Errors
/// Something is outstanding and nothing has come for too long.
pub fn bound_silence(since: Instant, outstanding: usize) -> Result<(), Box<dyn Error>> {
    if outstanding > 0 && since.elapsed() > STALL {
        return Err(format!("silence for {STALL:?}, {outstanding} under way").into());
    }
    Ok(())
}
