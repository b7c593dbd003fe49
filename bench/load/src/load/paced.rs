//! Load at a fixed rate: every connection sends its messages on schedule, even if earlier ones have
//! not returned. A slow server therefore does not get less work, and the delay shows in the
//! latency.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use super::Load;
use crate::measured::{Measured, STALL, bound_silence, record};

impl Load {
    /// Every connection sends one message per interval `every`, spread over the interval.
    pub(super) fn paced(&mut self, duration: Duration, every: Duration) -> Result<Measured, Box<dyn Error>> {
        let mut measured = Measured::new()?;
        let start = Instant::now();
        let deadline = start + duration;
        let (count, rings) = (self.connections.len(), self.messages.len());
        let step = every.div_f64(f64::from(u32::try_from(count)?));
        let (mut sent, mut outstanding) = (0_u32, 0);
        let mut heard_at = start;
        loop {
            let mut now = Instant::now();
            // Messages delayed by a pause of this process are sent together and timed from then:
            // the server is not charged.
            while now < deadline && start + step * sent <= now {
                let index = sent as usize % count;
                self.connections[index].expect(1, now);
                self.connections[index].send(&self.messages[index % rings], 1)?;
                if outstanding == 0 {
                    heard_at = now;
                }
                outstanding += 1;
                sent += 1;
                now = Instant::now();
            }
            if now >= deadline && outstanding == 0 {
                return Ok(measured);
            }
            let next = start + step * sent;
            self.wait(if now < deadline { next.saturating_duration_since(now) } else { STALL })?;
            for event in &self.events {
                let index = event.token().0;
                let (connection, messages) = (&mut self.connections[index], &self.messages[index % rings]);
                if event.is_writable() {
                    connection.flush(messages)?;
                }
                if event.is_readable() {
                    let arrived = |time| record(&mut measured.latency, time);
                    let ended = event.is_read_closed();
                    let came = connection.receive(messages, &mut self.buffer, ended, arrived)?;
                    if came > 0 {
                        heard_at = Instant::now();
                    }
                    let counter =
                        if heard_at < deadline { &mut measured.messages } else { &mut measured.drained };
                    *counter += came as u64;
                    outstanding -= came;
                }
            }
            bound_silence(heard_at, outstanding)?;
        }
    }
}
