//! One payload for many connections, compressed once. Nobody has to say that it is a broadcast: whoever sends the same payload
//! to one connection after the other gets it.
//!
//! Payloads that were broadcast, one after the other, are a *chain*. A connection that was sent the last ones, and nothing else
//! in between, can follow a payload that refers to them, however they were compressed for it. Who can't is given one that
//! refers to nothing, and is on the chain again a few payloads later.

use std::collections::VecDeque;

use super::{OutgoingParams, Pool};

/// Receivers in a row that compress a payload for themselves, each in its own context, before sharing is worth it. Where the
/// chain is as good a context, and where there is none, it is from the second on.
const ALONE: u32 = 3;
/// Payloads below this are sent to many for other reasons than broadcasting them ("ok"), and cost next to nothing.
const SHORTEST: usize = 128;
/// Larger payloads are not remembered: they are compressed elsewhere (see [`compress_standalone`](super::compress_standalone)).
const LONGEST: usize = 1024 * 1024;

/// Sets of parameters that are looked after at the same time.
const SETS: usize = 4;

/// What was sent last, and what it was compressed to, for each set of parameters. One for all connections that send on a
/// thread.
#[derive(Debug, Default)]
pub struct Broadcast {
    /// The last number that a payload could have been given, of any set: no two have the same.
    number: u64,
    /// The one that was used last is the last.
    sets: Vec<Set>,
}

/// The same for connections with the same parameters.
#[derive(Debug, Default)]
struct Set {
    outgoing: OutgoingParams,
    payload: Vec<u8>,
    /// Number of the payload; 0: there has been none.
    number: u64,
    receivers: u32,
    chain: Chain,
    /// The payload for those who can follow the chain, and for all others, once it is compressed.
    on_chain: Option<Vec<u8>>,
    apart: Option<Vec<u8>>,
}

/// The last payloads that were broadcast.
#[derive(Debug, Default)]
struct Chain {
    /// One after the other.
    bytes: Vec<u8>,
    lengths: VecDeque<usize>,
    /// Number of the last one.
    last: u64,
}

/// What a connection has to remember.
#[derive(Debug, Default)]
pub struct Receiver {
    /// Number of the payload that it was sent last; 0: it was none of these.
    number: u64,
    /// How many that were on the chain came one after the other, up to that one.
    run: u32,
}

impl Receiver {
    /// The connection is sent something else.
    pub fn leave(&mut self) {
        self.number = 0;
    }
}

impl Broadcast {
    /// `payload`, compressed up to the end of a sync flush, for `receiver`, to which it is sent next. `None`: it is for it to
    /// compress.
    pub fn share(
        &mut self,
        pool: &Pool,
        outgoing: &OutgoingParams,
        payload: &[u8],
        receiver: &mut Receiver,
    ) -> Option<&[u8]> {
        // A dictionary is known at the start only, not to every receiver.
        if !(SHORTEST..=LONGEST).contains(&payload.len()) || outgoing.dictionary.is_some() {
            receiver.leave();
            return None;
        }
        self.number += 1;
        let next = self.number;
        self.set(outgoing).share(pool, payload, receiver, next)
    }

    /// Forgets everything. To be called from time to time.
    pub fn clear(&mut self) {
        self.sets.clear();
    }

    /// The set of these parameters, which takes the place of the one that was not used for the longest time.
    fn set(&mut self, outgoing: &OutgoingParams) -> &mut Set {
        let last = self.sets.len().saturating_sub(1);
        match self.sets.iter().rposition(|set| set.outgoing == *outgoing) {
            Some(found) if found == last => {}
            Some(found) => self.sets[found..].rotate_left(1),
            None => {
                if self.sets.len() == SETS {
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
    /// `next`: the number of the payload, if it is another one.
    fn share(&mut self, pool: &Pool, payload: &[u8], receiver: &mut Receiver, next: u64) -> Option<&[u8]> {
        if payload != self.payload {
            self.begin(payload, next);
        }
        if receiver.number == self.number {
            if self.receivers <= ALONE {
                // The same to the same connection is no broadcast, and best refers to itself.
                receiver.run = 1;
                return None;
            }
            // It is broadcast again.
            self.begin(payload, next);
        }
        let run = self.chain.followed_by(receiver);
        *receiver = Receiver { number: self.number, run: run + 1 };
        self.receivers += 1;

        let needed = self.chain.lengths.len();
        let follows = needed > 0 && run as usize >= needed;
        let alone = if follows || !self.outgoing.context_takeover { 1 } else { ALONE };
        if self.receivers <= alone {
            return None;
        }
        let (place, history) = if follows {
            (&mut self.on_chain, self.chain.bytes.as_slice())
        } else {
            (&mut self.apart, &[][..])
        };
        Some(place.get_or_insert_with(|| {
            let mut compressor = pool.take_compressor(&self.outgoing);
            let compressed = compressor.compress(history, payload).to_vec();
            pool.put_compressor(compressor);
            compressed
        }))
    }

    fn begin(&mut self, payload: &[u8], number: u64) {
        if self.receivers > ALONE && self.outgoing.context_takeover {
            self.chain.push(&self.payload, self.number);
        }
        self.chain.shorten(self.outgoing.history_for(payload.len()));
        self.payload.clear();
        self.payload.shrink_to(LONGEST / 16);
        self.payload.extend_from_slice(payload);
        self.number = number;
        self.receivers = 0;
        (self.on_chain, self.apart) = (None, None);
    }
}

impl Chain {
    fn push(&mut self, payload: &[u8], number: u64) {
        self.bytes.extend_from_slice(payload);
        self.lengths.push_back(payload.len());
        self.last = number;
    }

    /// Keeps the last payloads that have room in `size` bytes.
    fn shorten(&mut self, size: usize) {
        let mut excess = 0;
        while self.bytes.len() - excess > size
            && let Some(length) = self.lengths.pop_front()
        {
            excess += length;
        }
        self.bytes.drain(..excess);
    }

    /// How many payloads of the chain, the last ones, are the last that a receiver was sent.
    fn followed_by(&self, receiver: &Receiver) -> u32 {
        if receiver.number == self.last && self.last > 0 { receiver.run } else { 0 }
    }
}
