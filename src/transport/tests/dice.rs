//! Repeatable random numbers, and numbered messages of random lengths.

use super::{Event, Peer, pattern};

/// A small generator.
pub(in crate::transport) struct Dice(pub(in crate::transport) u64);

impl Dice {
    pub(in crate::transport) fn roll(&mut self, sides: usize) -> usize {
        // Knuth's MMIX constants; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    /// Mostly small, sometimes large.
    pub(in crate::transport) fn length(&mut self) -> usize {
        match self.roll(50) {
            0 => self.roll(200_000),
            1..=5 => self.roll(20_000),
            _ => self.roll(300),
        }
    }

    /// Has `peer` send `messages` numbered messages, pings among them.
    pub(in crate::transport) fn send_numbered(mut self, peer: &mut Peer, messages: usize) {
        for number in 0..messages {
            let frame = peer.binary_frame(&pattern(number, self.length()));
            peer.write(&frame);
            if self.roll(20) == 0 {
                peer.ping(b"?");
            }
        }
    }
}

/// Returns the number of numbered messages among `events`, which must be whole and in order.
pub(in crate::transport) fn lengths_and_order(events: &[Event]) -> usize {
    let messages = events.iter().filter_map(|event| match event {
        Event::Binary(data) => Some(data),
        _ => None,
    });
    messages
        .enumerate()
        .inspect(|(number, data)| {
            assert!(**data == pattern(*number, data.len()), "message {number} is not the one that was sent");
        })
        .count()
}
