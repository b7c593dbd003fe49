//! Events -> records: what JavaScript reads of a batch. Four words a record, `[kind | flags << 8, offset, length,
//! detail]`, in one shared `Uint32Array` of the environment; `lib/transport/record-reader.js` is the reader.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;

use napi::{Env, Result, sys};

use super::sys::SharedArray;
use crate::connection::{EventBatch, EventRef, LARGE_MESSAGE};
use crate::protocol::ErrorClass;

/// Records in one batch at most.
const CAPACITY: usize = 256;
/// Words before the first record: 1 if another batch waits, and how many bytes of payloads share memory.
const HEADER_WORDS: usize = 4;
const RECORD_WORDS: usize = 4;
const WORDS: usize = HEADER_WORDS + CAPACITY * RECORD_WORDS;
/// Behind the records: bytes that the shim puts there to be sent.
const SEND_AREA: Range<usize> = 4 * WORDS..4 * WORDS + 64;
/// And behind these the payloads. Any message that is not large fits.
const PAYLOAD_AREA: Range<usize> = SEND_AREA.end..SEND_AREA.end + 64 * 1024;
const _: () = assert!(LARGE_MESSAGE <= PAYLOAD_AREA.end - PAYLOAD_AREA.start);
/// Where payloads that share memory start in it: aligned, so that a user can lay a typed array over one.
const ALIGNMENT: usize = 8;
/// Bytes of the shared memory.
const SHARED_LENGTH: usize = PAYLOAD_AREA.end;

/// Messages up to this length get memory of their own, because the shim makes that on JavaScript's heap, which is cheap...
const SMALL: usize = 64;
/// ... and so do messages from this length on, because that costs little beside the copy. In between, memory of their own is
/// one for all of a batch.
const SINGLE_FROM: usize = 4 * 1024;

/// Record kinds; the reader has the same table.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(super) enum RecordKind {
    Message = 1,
    Ping = 2,
    Pong = 3,
    Close = 4,
    Error = 5,
    Flooded = 6,
    Raw = 7,
    Written = 8,
    Drain = 9,
    End = 10,
    Fault = 11,
    Shutdown = 12,
    Inflating = 13,
}

const ANSWERED: u32 = 1;
const BINARY: u32 = 1;
const FRAGMENTED: u32 = 2;
pub(super) const LARGE: u32 = 4;
const ARENA: u32 = 8;
const DETACHED: u32 = 16;
const COMPRESSED: u32 = 32;
const BATCHED: u32 = 64;
const RANGE_ERROR: u32 = 1;

/// What records only point to; the reader asks for it in the order of the records that have the flag.
#[derive(Debug, Default)]
struct RecordExtras {
    /// Payloads of records with the flag `LARGE`.
    large: VecDeque<Vec<u8>>,
    /// Lengths of the non-empty frames of messages with the flag `FRAGMENTED`.
    fragments: VecDeque<Vec<u32>>,
}

/// One batch while it is being put together, in memory that JavaScript reads. It ends when there is no room for another
/// record, or for its payload.
pub(super) struct RecordWriter<'a> {
    words: &'a mut [[u8; 4]],
    /// Payloads that share memory lie at the front, one behind the other, the others at the back.
    payloads: &'a mut [u8],
    front: usize,
    back: usize,
    /// Where the last payload at the front ends.
    joint: usize,
    parts: &'a mut RecordExtras,
    count: usize,
    /// Where in the bulk the chunk begins that was received in place; `None`: the message has memory of its own.
    chunk: Option<usize>,
}

impl<'a> RecordWriter<'a> {
    /// Starts an empty batch in the shared memory. What does not fit into a record is moved to `parts`.
    fn new(memory: &'a mut [u8], parts: &'a mut RecordExtras) -> Self {
        // The reader asks for all of a batch before the next; what is left is of one that failed.
        parts.large.clear();
        parts.fragments.clear();
        let (head, payloads) = memory.split_at_mut(PAYLOAD_AREA.start);
        let (words, _) = head.split_at_mut(SEND_AREA.start);
        let back = payloads.len();
        let (words, _) = words.as_chunks_mut();
        Self { words, payloads, front: 0, back, joint: 0, parts, count: 0, chunk: None }
    }

    /// The chunk that messages may still be in begins here in the bulk; `None`: a message has memory of its own.
    pub(super) fn set_chunk(&mut self, start: Option<usize>) {
        self.chunk = start;
    }

    pub(super) fn has_room(&self) -> bool {
        self.count < CAPACITY
    }

    /// Adds a record without payload. `false` when the batch is full.
    pub(super) fn push(&mut self, kind: RecordKind, flags: u32, offset: u32, detail: u32) -> bool {
        let room = self.has_room();
        if room {
            self.record(kind, flags, offset, 0, detail);
        }
        room
    }

    /// Adds a record; the caller has seen to it that there is room.
    fn record(&mut self, kind: RecordKind, flags: u32, offset: u32, length: u32, detail: u32) {
        let start = HEADER_WORDS + self.count * RECORD_WORDS;
        let record = [kind as u32 | flags << 8, offset, length, detail].map(u32::to_ne_bytes);
        self.words[start..start + RECORD_WORDS].copy_from_slice(&record);
        self.count += 1;
    }

    /// Adds a record whose payload is asked for by itself; the caller has seen to it that there is room, and to the flag.
    pub(super) fn push_large(&mut self, kind: RecordKind, flags: u32, payload: Vec<u8>) {
        self.record(kind, flags, 0, payload.len() as u32, 0);
        self.parts.large.push_back(payload);
    }

    /// Adds a record with a payload that is not large. `false` when the batch is full.
    fn push_payload(&mut self, kind: RecordKind, flags: u32, payload: &[u8], detail: u32) -> bool {
        if !self.has_room() {
            return false;
        }
        let is_joint =
            matches!(kind, RecordKind::Message) && (SMALL + 1..SINGLE_FROM).contains(&payload.len());
        let placed = if is_joint { self.place_joint(payload) } else { self.place_single(payload) };
        let Some(offset) = placed else { return false };
        let flags = flags | if is_joint { BATCHED } else { 0 };
        self.record(kind, flags, offset as u32, payload.len() as u32, detail);
        true
    }

    /// Puts a payload behind those that share memory. `None` when it has no room.
    fn place_joint(&mut self, payload: &[u8]) -> Option<usize> {
        let start = self.front;
        let end = start + payload.len();
        let next = end.next_multiple_of(ALIGNMENT);
        let place = self.payloads[..self.back].get_mut(start..next)?;
        let (bytes, gap) = place.split_at_mut(payload.len());
        bytes.copy_from_slice(payload);
        // It is copied out with the payloads, and has bytes of whichever connection was here before.
        gap.fill(0);
        (self.front, self.joint) = (next, end);
        Some(start)
    }

    /// Puts a payload before those that don't. `None` when it has no room.
    fn place_single(&mut self, payload: &[u8]) -> Option<usize> {
        let start = self.back.checked_sub(payload.len().next_multiple_of(ALIGNMENT))?;
        if start < self.front {
            return None;
        }
        self.payloads[start..][..payload.len()].copy_from_slice(payload);
        self.back = start;
        Some(start)
    }

    /// Moves events of `events` into the batch until it is full. Returns whether some remain.
    pub(super) fn take_events(&mut self, events: &mut EventBatch) -> bool {
        while self.take_event(events) {
            events.advance();
        }
        !events.is_empty()
    }

    /// Adds the next event. `false` when there is none, or no room.
    fn take_event(&mut self, events: &mut EventBatch) -> bool {
        let Some(event) = events.peek() else { return false };
        match event {
            EventRef::Message { binary, data, fragments } => {
                if !self.has_room() {
                    return false;
                }
                let many = !fragments.is_empty();
                let flags = if binary { BINARY } else { 0 }
                    | if many { FRAGMENTED } else { 0 }
                    | if events.is_compressed() { COMPRESSED } else { 0 };
                if data.len() < LARGE_MESSAGE {
                    if !self.push_payload(RecordKind::Message, flags, data, 0) {
                        return false;
                    }
                    if many {
                        self.parts.fragments.push_back(fragments.to_vec());
                    }
                    return true;
                }
                if many {
                    self.parts.fragments.push_back(fragments.to_vec());
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

    /// Writes the head of the batch. `remains`: another batch waits. Returns the number of records.
    fn finish(self, remains: bool) -> usize {
        self.words[0] = u32::from(remains).to_ne_bytes();
        self.words[1] = (self.joint as u32).to_ne_bytes();
        self.count
    }
}

/// The memory that records are written to: an `ArrayBuffer` that the shim reads, and what records only point to.
pub(super) struct RecordMemory {
    array: SharedArray,
    extras: RefCell<RecordExtras>,
}

impl RecordMemory {
    /// # Errors
    /// When JavaScript has no memory for it.
    pub(super) fn new(env: Env) -> Result<Self> {
        Ok(Self { array: SharedArray::new(env, SHARED_LENGTH)?, extras: RefCell::default() })
    }

    /// The `ArrayBuffer`.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(super) fn value(&self) -> Result<sys::napi_value> {
        self.array.value()
    }

    /// Writes one batch. `fill` returns true if something remains for another. Returns the number of records.
    pub(super) fn write(&self, fill: impl FnOnce(&mut RecordWriter<'_>) -> bool) -> u32 {
        let mut extras = self.extras.borrow_mut();
        self.array.with(|memory| {
            let mut writer = RecordWriter::new(memory, &mut extras);
            let remains = fill(&mut writer);
            writer.finish(remains) as u32
        })
    }

    /// Writes records of numbers, as many as fit.
    pub(super) fn write_numbers(&self, records: impl Iterator<Item = [[usize; 2]; 2]>) {
        self.array.with(|memory| {
            let (words, _) = memory[4 * HEADER_WORDS..SEND_AREA.start].as_chunks_mut();
            for (place, word) in words.iter_mut().zip(records.flatten().flatten()) {
                *place = (word as u32).to_ne_bytes();
            }
        });
    }

    /// Copies bytes to the payload area. False if they are too many.
    pub(super) fn write_payload(&self, bytes: &[u8]) -> bool {
        self.array.with(|memory| {
            let place = memory[PAYLOAD_AREA].get_mut(..bytes.len());
            place.map(|place| place.copy_from_slice(bytes)).is_some()
        })
    }

    /// Runs `read` on the first `length` bytes of the send area.
    pub(super) fn with_send_area<R>(&self, length: usize, read: impl FnOnce(&[u8]) -> R) -> R {
        let mut bytes = [0; SEND_AREA.end - SEND_AREA.start];
        self.array.with(|memory| bytes.copy_from_slice(&memory[SEND_AREA]));
        read(bytes.get(..length).unwrap_or_default())
    }

    /// The payload of the next record with the flag `LARGE`.
    pub(super) fn take_large(&self) -> Vec<u8> {
        self.extras.borrow_mut().large.pop_front().unwrap_or_default()
    }

    /// The lengths of the frames of the next record with the flag `FRAGMENTED`.
    pub(super) fn take_fragments(&self) -> Vec<u32> {
        self.extras.borrow_mut().fragments.pop_front().unwrap_or_default()
    }
}
