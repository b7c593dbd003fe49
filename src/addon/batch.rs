//! Events -> records: what JavaScript reads of a batch. Four words a record, `[kind | flags << 8, offset, length,
//! detail]`, in one shared `Uint32Array` of the environment; `lib/transport/delivery.js` is the reader.

use std::collections::VecDeque;

use napi::{Env, Result};

use super::raw::{Reference, with_memory};
use super::slab::Slab;
use crate::connection::{EventBatch, EventRef, LARGE_MESSAGE};
use crate::protocol::ErrorClass;
#[cfg(unix)]
use crate::transport::socket::Inbox;

/// Records in one batch at most.
pub(super) const CAPACITY: usize = 256;
/// Words before the first record: the slab's generation, and 1 if another batch waits.
pub(super) const HEADER_WORDS: usize = 4;
const RECORD_WORDS: usize = 4;
/// Size of the shared array in bytes.
pub(super) const SHARED_BYTES: usize = 4 * (HEADER_WORDS + CAPACITY * RECORD_WORDS);

/// Record kinds; the reader has the same table.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(super) enum Kind {
    Message = 1,
    Ping = 2,
    Pong = 3,
    Close = 4,
    Error = 5,
    Flooded = 6,
    #[cfg(unix)]
    Raw = 7,
    #[cfg(unix)]
    Written = 8,
    #[cfg(unix)]
    Drain = 9,
    #[cfg(unix)]
    End = 10,
    #[cfg(unix)]
    Fault = 11,
    #[cfg(unix)]
    Shutdown = 12,
}

const ANSWERED: u32 = 1;
const BINARY: u32 = 1;
const FRAGMENTED: u32 = 2;
const LARGE: u32 = 4;
const RANGE_ERROR: u32 = 1;

/// What records only point to; the reader asks for it in the order of the records that have the flag.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Payloads of records with the flag `LARGE`.
    pub(super) large: VecDeque<Vec<u8>>,
    /// Lengths of the non-empty frames of messages with the flag `FRAGMENTED`.
    pub(super) fragments: VecDeque<Vec<u32>>,
}

/// One batch while it is being put together. It ends when the shared array is full, or when the slab is and
/// payloads of this batch already lie in it (a batch has its payloads in one slab).
pub(super) struct BatchWriter<'a> {
    env: Env,
    slab: &'a mut Slab,
    parts: &'a mut Parts,
    words: Vec<u32>,
    in_slab: bool,
}

impl<'a> BatchWriter<'a> {
    /// Starts an empty batch. `words` is scratch memory; what does not fit into a record is moved to `parts`.
    pub(super) fn new(env: Env, slab: &'a mut Slab, parts: &'a mut Parts, mut words: Vec<u32>) -> Self {
        words.clear();
        // The reader asks for all of a batch before the next; what is left is of one that failed.
        parts.large.clear();
        parts.fragments.clear();
        Self { env, slab, parts, words, in_slab: false }
    }

    fn count(&self) -> usize {
        self.words.len() / RECORD_WORDS
    }

    fn has_room(&self, records: usize) -> bool {
        self.count() + records <= CAPACITY
    }

    /// Adds a record without payload. `false` when the batch is full.
    pub(super) fn push(&mut self, kind: Kind, flags: u32, offset: u32, detail: u32) -> bool {
        let room = self.has_room(1);
        if room {
            self.record(kind, flags, offset, 0, detail);
        }
        room
    }

    /// Adds a record; the caller has seen to it that there is room.
    fn record(&mut self, kind: Kind, flags: u32, offset: u32, length: u32, detail: u32) {
        self.words.extend([kind as u32 | flags << 8, offset, length, detail]);
    }

    /// Adds a record with a small payload. `false` when the batch is full.
    fn push_payload(&mut self, kind: Kind, flags: u32, payload: &[u8], detail: u32) -> Result<bool> {
        if !self.has_room(1) {
            return Ok(false);
        }
        let mut offset = 0;
        if !payload.is_empty() {
            let Some(place) = self.place(payload)? else { return Ok(false) };
            offset = place;
        }
        self.record(kind, flags, offset as u32, payload.len() as u32, detail);
        Ok(true)
    }

    /// Puts a payload into the slab. `None` when the batch must end first.
    fn place(&mut self, payload: &[u8]) -> Result<Option<usize>> {
        // Two tries: the second with a new slab, which nobody can have detached yet.
        for _ in 0..2 {
            if self.slab.fits(payload.len())
                && let Some(offset) = self.slab.push(self.env, payload)?
            {
                self.in_slab = true;
                return Ok(Some(offset));
            }
            if self.in_slab {
                return Ok(None);
            }
            self.slab.renew(self.env)?;
        }
        Ok(None)
    }

    /// Moves events of `events` into the batch until it is full. Returns whether some remain.
    ///
    /// # Errors
    /// When JavaScript has no memory, or the environment is ending.
    pub(super) fn take_events(&mut self, events: &mut EventBatch) -> Result<bool> {
        while self.take_event(events)? {
            events.advance();
        }
        Ok(!events.is_empty())
    }

    /// Adds the next event. `false` when there is none, or no room.
    fn take_event(&mut self, events: &mut EventBatch) -> Result<bool> {
        let Some(event) = events.peek() else { return Ok(false) };
        match event {
            EventRef::Message { binary, data, fragments } => {
                let mut flags = if binary { BINARY } else { 0 };
                if !self.has_room(1) {
                    return Ok(false);
                }
                let (length, many) = (data.len(), fragments.len());
                if length < LARGE_MESSAGE {
                    if many > 0 {
                        flags |= FRAGMENTED;
                    }
                    if !self.push_payload(Kind::Message, flags, data, 0)? {
                        return Ok(false);
                    }
                    if many > 0 {
                        self.parts.fragments.push_back(fragments.to_vec());
                    }
                    return Ok(true);
                }
                if many > 0 {
                    flags |= FRAGMENTED;
                    self.parts.fragments.push_back(fragments.to_vec());
                }
                self.record(Kind::Message, flags | LARGE, 0, length as u32, 0);
                self.parts.large.push_back(events.take_large().unwrap_or_default());
                Ok(true)
            }
            EventRef::Ping { data, answered } => {
                self.push_payload(Kind::Ping, if answered { ANSWERED } else { 0 }, data, 0)
            }
            EventRef::Pong(data) => self.push_payload(Kind::Pong, 0, data, 0),
            EventRef::Close { code, reason } => self.push_payload(Kind::Close, 0, reason, u32::from(code)),
            EventRef::Failed(error) => {
                let flags = if error.class() == ErrorClass::RangeError { RANGE_ERROR } else { 0 };
                let text = format!("{}\n{error}", error.code());
                self.push_payload(Kind::Error, flags, text.as_bytes(), u32::from(error.close_code()))
            }
            EventRef::Flooded => Ok(self.push(Kind::Flooded, 0, 0, 0)),
        }
    }

    /// Moves all that a socket has told into the batch, until it is full. Returns whether something remains.
    ///
    /// # Errors
    /// As [`BatchWriter::take_events`].
    #[cfg(unix)]
    pub(super) fn take_inbox(&mut self, inbox: &mut Inbox) -> Result<bool> {
        if self.take_events(&mut inbox.events)? {
            return Ok(true);
        }
        if !inbox.raw.is_empty() {
            if !self.has_room(1) {
                return Ok(true);
            }
            let raw = std::mem::take(&mut inbox.raw);
            self.record(Kind::Raw, LARGE, 0, raw.len() as u32, 0);
            self.parts.large.push_back(raw);
        }
        if let Some(total) = inbox.written
            && self.push(Kind::Written, 0, total as u32, (total >> 32) as u32)
        {
            inbox.written = None;
        }
        inbox.drained = inbox.drained && !self.push(Kind::Drain, 0, 0, 0);
        inbox.shut_down = inbox.shut_down && !self.push(Kind::Shutdown, 0, 0, 0);
        inbox.ended = inbox.ended && !self.push(Kind::End, 0, 0, 0);
        if let Some(fault) = inbox.fault
            && self.push(Kind::Fault, u32::from(fault.write), 0, fault.errno.unsigned_abs())
        {
            inbox.fault = None;
        }
        Ok(!inbox.is_empty())
    }

    /// Writes the batch to the shared array and returns the number of its records, and the scratch memory. `remains`: another
    /// batch waits.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(super) fn finish(self, shared: &Reference, remains: bool) -> Result<(u32, Vec<u32>)> {
        let header = [self.slab.generation(), u32::from(remains), 0, 0];
        with_memory(self.env, shared, |memory| {
            let words = header.iter().chain(&self.words);
            for (place, word) in memory.chunks_exact_mut(4).zip(words) {
                place.copy_from_slice(&word.to_ne_bytes());
            }
        })?;
        Ok((self.count() as u32, self.words))
    }
}
