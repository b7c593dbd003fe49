//! Compresses a payload once when it is sent to many connections. Broadcasts are detected: it is
//! enough to send the same payload to one connection after another.
//!
//! Consecutive broadcast payloads form a *chain*. A connection whose last payloads were exactly the
//! chain can be sent a payload that refers to them, however they were compressed for it. Any other
//! connection is sent one without references and joins the chain after a few more payloads.

use std::collections::VecDeque;

use super::{OutgoingParams, Pool};

/// Number of receivers that compress a payload in their own context before it is shared. One is
/// enough if the chain is as good a context, or if there is no context takeover.
const SHARE_AFTER: u32 = 3;
/// Shorter payloads ("ok") are often equal without being broadcast, and compressing them is cheap.
const MIN_LENGTH: usize = 128;
/// Longer payloads are not kept: they are compressed on another thread (see
/// [`compress_standalone`](super::compress_standalone)).
const MAX_LENGTH: usize = 1024 * 1024;

/// Maximum number of parameter sets tracked at a time.
const MAX_SETS: usize = 4;

/// The last payload and its compressed forms for each parameter set. One per thread that sends.
#[derive(Debug, Default)]
pub struct Broadcast {
    /// Last number assigned. Numbers are unique across all sets.
    number: u64,
    /// Most recently used last.
    sets: Vec<Set>,
}

/// State for connections with the same parameters.
#[derive(Debug, Default)]
struct Set {
    outgoing: OutgoingParams,
    payload: Vec<u8>,
    /// Number of the payload; 0 if there was none.
    number: u64,
    receivers: u32,
    chain: Chain,
    /// The compressed payload for receivers on the chain, and for all others.
    chained: Option<Vec<u8>>,
    standalone: Option<Vec<u8>>,
}

/// The last broadcast payloads.
#[derive(Debug, Default)]
struct Chain {
    /// Concatenated payloads.
    bytes: Vec<u8>,
    lengths: VecDeque<usize>,
    /// Number of the last payload.
    last: u64,
}

/// A connection's position in the chain.
#[derive(Debug, Default)]
pub struct BroadcastCursor {
    /// Number of the last payload sent to it; 0 if that was not shared here.
    number: u64,
    /// Number of consecutive chain payloads that end with that one.
    run: u32,
}

impl BroadcastCursor {
    /// Records that the connection was sent something else.
    pub fn reset(&mut self) {
        self.number = 0;
    }
}

impl Broadcast {
    /// Returns `payload` for the next send to the connection at `cursor`, compressed up to the end
    /// of a sync flush. `None` if the connection must compress it itself.
    pub fn share(
        &mut self,
        pool: &Pool,
        outgoing: &OutgoingParams,
        payload: &[u8],
        cursor: &mut BroadcastCursor,
    ) -> Option<&[u8]> {
        // A dictionary is only valid at the start, which differs between receivers.
        if !(MIN_LENGTH..=MAX_LENGTH).contains(&payload.len()) || outgoing.dictionary.is_some() {
            cursor.reset();
            return None;
        }
        self.number += 1;
        let next = self.number;
        self.set(outgoing).share(pool, payload, cursor, next)
    }

    /// Drops all payloads. Called periodically.
    pub fn clear(&mut self) {
        self.sets.clear();
    }

    /// Returns the set for these parameters, replacing the least recently used one if needed.
    fn set(&mut self, outgoing: &OutgoingParams) -> &mut Set {
        let last = self.sets.len().saturating_sub(1);
        match self.sets.iter().rposition(|set| set.outgoing == *outgoing) {
            Some(found) if found == last => {}
            Some(found) => self.sets[found..].rotate_left(1),
            None => {
                if self.sets.len() == MAX_SETS {
                    self.sets.remove(0);
                }
                self.sets.push(Set { outgoing: outgoing.clone(), ..Set::default() });
            }
        }
        let last = self.sets.len() - 1;
        &mut self.sets[last]
    }
}

impl Set {
    /// `next`: number of the payload if it is a new one.
    fn share(
        &mut self,
        pool: &Pool,
        payload: &[u8],
        cursor: &mut BroadcastCursor,
        next: u64,
    ) -> Option<&[u8]> {
        if payload != self.payload {
            self.begin_payload(payload, next);
        }
        if cursor.number == self.number {
            if self.receivers <= SHARE_AFTER {
                // A repeated payload to one connection is not a broadcast; it compresses best
                // against itself.
                cursor.run = 1;
                return None;
            }
            // The same payload is broadcast again.
            self.begin_payload(payload, next);
        }
        let run = self.chain.matching_run(cursor);
        *cursor = BroadcastCursor { number: self.number, run: run + 1 };
        self.receivers += 1;

        let needed = self.chain.lengths.len();
        let follows = needed > 0 && run as usize >= needed;
        let threshold = if follows || !self.outgoing.context_takeover { 1 } else { SHARE_AFTER };
        if self.receivers <= threshold {
            return None;
        }
        let (place, history) = if follows {
            (&mut self.chained, self.chain.bytes.as_slice())
        } else {
            (&mut self.standalone, &[][..])
        };
        Some(place.get_or_insert_with(|| {
            let mut compressor = pool.take_compressor(&self.outgoing, payload.len());
            let compressed = compressor.compress(history, payload).to_vec();
            pool.put_compressor(compressor);
            compressed
        }))
    }

    fn begin_payload(&mut self, payload: &[u8], number: u64) {
        if self.receivers > SHARE_AFTER && self.outgoing.context_takeover {
            self.chain.push(&self.payload, self.number);
        }
        self.chain.keep_last(self.outgoing.history_for(payload.len()));
        self.payload.clear();
        self.payload.shrink_to(MAX_LENGTH / 16);
        self.payload.extend_from_slice(payload);
        self.number = number;
        self.receivers = 0;
        (self.chained, self.standalone) = (None, None);
    }
}

impl Chain {
    fn push(&mut self, payload: &[u8], number: u64) {
        self.bytes.extend_from_slice(payload);
        self.lengths.push_back(payload.len());
        self.last = number;
    }

    /// Keeps the last payloads that fit in `size` bytes.
    fn keep_last(&mut self, size: usize) {
        debug_assert_eq!(self.bytes.len(), self.lengths.iter().sum::<usize>());
        let mut excess = 0;
        while self.bytes.len() - excess > size
            && let Some(length) = self.lengths.pop_front()
        {
            excess += length;
        }
        self.bytes.drain(..excess);
    }

    /// Number of payloads at the end of the chain that were also the last ones sent to the
    /// connection.
    fn matching_run(&self, cursor: &BroadcastCursor) -> u32 {
        if cursor.number == self.last && self.last > 0 { cursor.run } else { 0 }
    }
}
