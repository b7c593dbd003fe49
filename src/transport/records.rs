//! Events as records in shared memory, in batches that JavaScript reads. A record is four 32-bit words,
//! `[kind | flags << 8, offset, length, detail]`; payloads lie behind the records.
//! `lib/transport/record-reader.js` is the reader, and `lib/native.js` has the same tables of kinds and
//! flags.
//!
//! Layout of the memory: [`HEADER_WORDS`], up to [`CAPACITY`] records, [`SEND_AREA`], [`PAYLOAD_AREA`]. A
//! batch must be read before the next is written. The addon has the memory; no decision about events belongs here.

use std::collections::VecDeque;
use std::ops::Range;

use crate::connection::{EventBatch, EventRef, LARGE_MESSAGE};
use crate::protocol::ErrorClass;

/// The most records in a batch.
const CAPACITY: usize = 256;
/// Words before the first record. The first is 1 if another batch waits, the second the number of bytes of
/// [`BATCHED`] payloads.
const HEADER_WORDS: usize = 4;
const RECORD_WORDS: usize = 4;
const WORDS: usize = HEADER_WORDS + CAPACITY * RECORD_WORDS;
/// Small payloads that the shim sends from here, without a typed array as an argument.
const SEND_AREA: Range<usize> = 4 * WORDS..4 * WORDS + 64;
/// Payloads of received events. Every message that is not large fits.
const PAYLOAD_AREA: Range<usize> = SEND_AREA.end..SEND_AREA.end + 64 * 1024;
const _: () = assert!(LARGE_MESSAGE <= PAYLOAD_AREA.end - PAYLOAD_AREA.start);
/// Alignment of payloads, so that a user can create a typed array of any type over a message.
const ALIGNMENT: usize = 8;
/// Bytes of the shared memory.
pub const SHARED_LENGTH: usize = PAYLOAD_AREA.end;

/// Messages up to this length get a buffer each: the shim allocates it on JavaScript's heap, which is cheap.
const MAX_SMALL: usize = 64;
/// Messages from this length on get a buffer each, which costs little compared to the copy. Those in between
/// are [`BATCHED`].
const MIN_SINGLE: usize = 4 * 1024;

/// Record kinds.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
#[allow(missing_docs, reason = "named as the events")]
pub enum RecordKind {
    Message = 1,
    Ping = 2,
    Pong = 3,
    Close = 4,
    Error = 5,
    Flooded = 6,
    Inflating = 7,
    Written = 8,
    Drain = 9,
    End = 10,
    Fault = 11,
    Shutdown = 12,
}

/// Ping: a pong was queued when it was parsed.
const ANSWERED: u32 = 1;
/// Error: a `RangeError`.
const RANGE_ERROR: u32 = 1;
/// Message: binary, not text.
const BINARY: u32 = 1;
/// Message: came in several frames, whose lengths are in [`RecordExtras::fragments`].
const FRAGMENTED: u32 = 2;
/// The payload is in [`RecordExtras::large`].
const LARGE: u32 = 4;
/// Message: the payload is in the `PayloadArena`.
const ARENA: u32 = 8;
/// Message: the payload is in a buffer of its own, into which the socket has received it.
const DETACHED: u32 = 16;
/// Message: came compressed. Error: the message that failed did.
const COMPRESSED: u32 = 32;
/// Message: the shim copies all such payloads of a batch into one buffer, of which each message gets a part.
const BATCHED: u32 = 64;

/// Values that don't fit in a record. The reader takes them in the order of the records with their flag.
#[derive(Debug, Default)]
pub struct RecordExtras {
    /// Payloads of records with the flag [`LARGE`].
    large: VecDeque<Vec<u8>>,
    /// Lengths of the non-empty frames of messages with the flag [`FRAGMENTED`].
    fragments: VecDeque<Vec<u32>>,
}

impl RecordExtras {
    /// The payload of the next record with the flag [`LARGE`].
    pub fn take_large(&mut self) -> Vec<u8> {
        self.large.pop_front().unwrap_or_default()
    }

    /// The lengths of the frames of the next record with the flag [`FRAGMENTED`].
    pub fn take_fragments(&mut self) -> Vec<u32> {
        self.fragments.pop_front().unwrap_or_default()
    }
}

/// Writes one batch. It is full when another record, or its payload, does not fit.
#[derive(Debug)]
pub struct RecordWriter<'a> {
    words: &'a mut [[u8; 4]],
    /// [`BATCHED`] payloads grow from the front, all others from the back.
    payloads: &'a mut [u8],
    front: usize,
    back: usize,
    /// End of the last batched payload, without its padding.
    batched_end: usize,
    extras: &'a mut RecordExtras,
    count: usize,
    /// Offset in the arena of the chunk that was received in place. `None` if a message was received into a
    /// buffer of its own.
    chunk: Option<usize>,
}

impl<'a> RecordWriter<'a> {
    /// An empty batch in the shared memory. `extras` gets the values that don't fit in a record.
    fn new(memory: &'a mut [u8], extras: &'a mut RecordExtras) -> Self {
        debug_assert_eq!(memory.len(), SHARED_LENGTH, "the memory of an environment");
        // The reader takes all of them before the next batch, unless it threw.
        extras.large.clear();
        extras.fragments.clear();
        let (head, payloads) = memory.split_at_mut(PAYLOAD_AREA.start);
        let (words, _) = head.split_at_mut(SEND_AREA.start);
        let back = payloads.len();
        let (words, _) = words.as_chunks_mut();
        Self { words, payloads, front: 0, back, batched_end: 0, extras, count: 0, chunk: None }
    }

    /// Sets the source of messages that were received in place: the offset in the arena of their chunk, or
    /// `None` for a buffer of their own.
    pub fn set_chunk(&mut self, start: Option<usize>) {
        self.chunk = start;
    }

    /// True if another record fits.
    fn has_room(&self) -> bool {
        self.count < CAPACITY
    }

    /// Adds a record without payload. Returns `false` if the batch is full.
    pub fn push(&mut self, kind: RecordKind, flags: u32, offset: u32, detail: u32) -> bool {
        let room = self.has_room();
        if room {
            self.record(kind, flags, offset, 0, detail);
        }
        room
    }

    /// Adds a record. The caller has checked that it fits.
    fn record(&mut self, kind: RecordKind, flags: u32, offset: u32, length: u32, detail: u32) {
        debug_assert!(self.has_room(), "the batch is full");
        let start = HEADER_WORDS + self.count * RECORD_WORDS;
        let record = [kind as u32 | flags << 8, offset, length, detail].map(u32::to_ne_bytes);
        self.words[start..start + RECORD_WORDS].copy_from_slice(&record);
        self.count += 1;
    }

    /// Adds a record whose payload goes to the extras. The caller has checked that it fits, and passes
    /// [`LARGE`] in `flags`.
    fn push_large(&mut self, kind: RecordKind, flags: u32, payload: Vec<u8>) {
        debug_assert!(flags & LARGE != 0, "the reader looks for the flag");
        self.record(kind, flags, 0, payload.len() as u32, 0);
        self.extras.large.push_back(payload);
    }

    /// Adds a record with a payload that is not large. Returns `false` if the batch is full.
    fn push_payload(&mut self, kind: RecordKind, flags: u32, payload: &[u8], detail: u32) -> bool {
        if !self.has_room() {
            return false;
        }
        let is_batched =
            matches!(kind, RecordKind::Message) && (MAX_SMALL + 1..MIN_SINGLE).contains(&payload.len());
        let placed = if is_batched { self.place_batched(payload) } else { self.place_single(payload) };
        let Some(offset) = placed else { return false };
        let flags = flags | if is_batched { BATCHED } else { 0 };
        self.record(kind, flags, offset as u32, payload.len() as u32, detail);
        true
    }

    /// Copies a batched payload behind the others. Returns its offset, or `None` if it does not fit.
    fn place_batched(&mut self, payload: &[u8]) -> Option<usize> {
        let start = self.front;
        let end = start + payload.len();
        let next = end.next_multiple_of(ALIGNMENT);
        let place = self.payloads[..self.back].get_mut(start..next)?;
        let (bytes, gap) = place.split_at_mut(payload.len());
        bytes.copy_from_slice(payload);
        // The padding is copied out with the payloads, and may have bytes of another connection.
        gap.fill(0);
        (self.front, self.batched_end) = (next, end);
        debug_assert!(self.front <= self.back, "payloads must not overlap");
        Some(start)
    }

    /// Copies a payload in front of the others at the back. Returns its offset, or `None` if it does not fit.
    fn place_single(&mut self, payload: &[u8]) -> Option<usize> {
        let start = self.back.checked_sub(payload.len().next_multiple_of(ALIGNMENT))?;
        if start < self.front {
            return None;
        }
        self.payloads[start..][..payload.len()].copy_from_slice(payload);
        self.back = start;
        Some(start)
    }

    /// Moves events into the batch until it is full. Returns `true` if some remain.
    pub fn take_events(&mut self, events: &mut EventBatch) -> bool {
        while self.take_event(events) {
            events.advance();
        }
        !events.is_empty()
    }

    /// Adds the next event. Returns `false` if there is none, or the batch is full.
    fn take_event(&mut self, events: &mut EventBatch) -> bool {
        let Some(event) = events.peek() else { return false };
        match event {
            EventRef::Message { binary, data, fragments } => {
                if !self.has_room() {
                    return false;
                }
                let is_fragmented = !fragments.is_empty();
                let flags = if binary { BINARY } else { 0 }
                    | if is_fragmented { FRAGMENTED } else { 0 }
                    | if events.is_compressed() { COMPRESSED } else { 0 };
                if data.len() < LARGE_MESSAGE {
                    if !self.push_payload(RecordKind::Message, flags, data, 0) {
                        return false;
                    }
                    if is_fragmented {
                        self.extras.fragments.push_back(fragments.to_vec());
                    }
                    return true;
                }
                if is_fragmented {
                    self.extras.fragments.push_back(fragments.to_vec());
                }
                self.push_large(RecordKind::Message, flags | LARGE, events.take_large().unwrap_or_default());
                true
            }
            EventRef::InChunk { binary, start, length } => {
                let room = self.has_room();
                if room {
                    let place = if self.chunk.is_some() { ARENA } else { DETACHED };
                    let flags = place | if binary { BINARY } else { 0 };
                    let offset = self.chunk.unwrap_or(0) + start;
                    self.record(RecordKind::Message, flags, offset as u32, length as u32, 0);
                }
                room
            }
            EventRef::Ping { data, answered } => {
                self.push_payload(RecordKind::Ping, if answered { ANSWERED } else { 0 }, data, 0)
            }
            EventRef::Pong(data) => self.push_payload(RecordKind::Pong, 0, data, 0),
            EventRef::Close { code, reason } => {
                self.push_payload(RecordKind::Close, 0, reason, u32::from(code))
            }
            EventRef::Failed(error) => {
                let flags = if error.class() == ErrorClass::RangeError { RANGE_ERROR } else { 0 }
                    | if events.is_compressed() { COMPRESSED } else { 0 };
                let text = format!("{}\n{error}", error.code());
                self.push_payload(RecordKind::Error, flags, text.as_bytes(), u32::from(error.close_code()))
            }
            EventRef::Inflating => self.push_payload(RecordKind::Inflating, 0, &[], 0),
            EventRef::Flooded => self.push_payload(RecordKind::Flooded, 0, &[], 0),
        }
    }

    /// Writes the header and returns the number of records. `remains`: another batch waits.
    fn finish(self, remains: bool) -> usize {
        self.words[0] = u32::from(remains).to_ne_bytes();
        self.words[1] = (self.batched_end as u32).to_ne_bytes();
        self.count
    }
}

/// Writes one batch into `memory`, which has [`SHARED_LENGTH`] bytes, and returns the number of its records. `fill` returns
/// `true` if events remain for another batch.
pub fn write_batch(
    memory: &mut [u8],
    extras: &mut RecordExtras,
    fill: impl FnOnce(&mut RecordWriter<'_>) -> bool,
) -> u32 {
    let mut writer = RecordWriter::new(memory, extras);
    let remains = fill(&mut writer);
    writer.finish(remains) as u32
}

/// Writes records of numbers, as many as fit.
pub fn write_numbers(memory: &mut [u8], records: impl Iterator<Item = [[usize; 2]; 2]>) {
    let (words, _) = memory[4 * HEADER_WORDS..SEND_AREA.start].as_chunks_mut();
    for (place, word) in words.iter_mut().zip(records.flatten().flatten()) {
        *place = (word as u32).to_ne_bytes();
    }
}

/// Copies bytes to the payload area. Returns `false` if they don't fit.
pub fn write_payload(memory: &mut [u8], bytes: &[u8]) -> bool {
    let place = memory[PAYLOAD_AREA].get_mut(..bytes.len());
    place.map(|place| place.copy_from_slice(bytes)).is_some()
}

/// A copy of the send area.
pub fn send_area(memory: &[u8]) -> [u8; SEND_AREA.end - SEND_AREA.start] {
    let mut bytes = [0; SEND_AREA.end - SEND_AREA.start];
    bytes.copy_from_slice(&memory[SEND_AREA]);
    bytes
}
