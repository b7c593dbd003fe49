//! Events of a connection in batches: filled by
//! [`Connection::receive`](super::Connection::receive), read by the code that delivers events. No
//! protocol decisions here.

use std::collections::VecDeque;

use crate::protocol::frame::mask;
use crate::protocol::{MaskingKey, ProtocolError, Utf8Validator};

/// Messages of this many bytes or more get an allocation of their own.
pub const LARGE_MESSAGE: usize = 64 * 1024;
/// Capacity that a drained batch keeps: about one read.
const KEPT_CAPACITY: usize = 64 * 1024;
/// Places for large messages that a drained batch keeps.
const KEPT_LARGE: usize = 16;
/// Delivered bytes that a batch may hold before they are cut off its front.
const DELIVERED_SLACK: usize = 64 * 1024;

/// One event, borrowed from its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventRef<'a> {
    /// A complete message.
    Message {
        /// Binary, otherwise text.
        binary: bool,
        /// Payload. UTF-8 for text unless validation is skipped.
        data: &'a [u8],
        /// Lengths of the non-empty frames. Empty for an unfragmented message.
        fragments: &'a [u32],
    },
    /// A complete message whose payload is in the chunk that was received in place.
    InChunk {
        /// Binary, otherwise text.
        binary: bool,
        /// Offset of the payload in the chunk.
        start: usize,
        /// Payload length in bytes.
        length: usize,
    },
    /// A ping.
    Ping {
        /// Payload.
        data: &'a [u8],
        /// True if a pong was queued during parsing; otherwise the user answers.
        answered: bool,
    },
    /// A pong and its payload.
    Pong(&'a [u8]),
    /// A close frame. Always the last event.
    Close {
        /// Status code; 1005 for an empty close frame.
        code: u16,
        /// UTF-8 unless validation is skipped.
        reason: &'a [u8],
    },
    /// A protocol violation by the peer. Always the last event.
    Failed(ProtocolError),
    /// The next message must be inflated by the caller, and parsing waits for it: see
    /// [`Connection::take_inflate_job`](super::Connection::take_inflate_job).
    Inflating,
    /// Too many automatic pongs are unwritten: terminate the connection without a closing
    /// handshake. The ping that exceeded the limit and the remainder of its chunk follow.
    Flooded,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Message { binary: bool },
    Ping { answered: bool },
    Pong,
    Close(u16),
    Failed(ProtocolError),
    Inflating,
    Flooded,
}

/// Location of an event's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Location {
    /// In the batch's shared buffer.
    Shared,
    /// The next of the large messages.
    Large,
    /// In the chunk that was received in place.
    Chunk,
}

/// One event. Kept small: a batch may hold thousands.
#[derive(Debug, Clone, Copy)]
struct Record {
    kind: Kind,
    location: Location,
    /// True for inflated messages and for inflate errors.
    is_compressed: bool,
    fragments_count: u32,
    fragments_start: usize,
    /// Offset of the payload in its location.
    start: usize,
    length: usize,
}

const _: () = assert!(size_of::<Record>() <= 56);

/// A queue of events without an allocation per event: small records, their payloads in one buffer,
/// large messages separate.
///
/// [`peek`](Self::peek) and [`advance`](Self::advance) form a cursor that can stop anywhere and
/// continue later, also after more events were appended.
///
/// A batch without memory allocates it with the first event; see [`EventMemory`](super::EventMemory) for batches that take
/// turns with the same memory.
#[derive(Debug, Default)]
pub struct EventBatch {
    pub(super) buffers: Option<Box<Buffers>>,
}

/// Memory of a batch.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    records: Vec<Record>,
    /// Index of the first undelivered record.
    next: usize,
    bytes: Vec<u8>,
    fragments: Vec<u32>,
    large: VecDeque<Vec<u8>>,
    undelivered_bytes: usize,
    /// Bytes for which [`EventMemory`](super::EventMemory) has counted it.
    pub(super) counted: usize,
}

impl EventBatch {
    /// Creates an empty batch without allocating.
    pub fn new() -> Self {
        Self::default()
    }

    /// True if the batch has memory, also without events.
    pub fn has_memory(&self) -> bool {
        self.buffers.is_some()
    }

    /// True if all events are delivered.
    pub fn is_empty(&self) -> bool {
        self.buffers.as_deref().is_none_or(Buffers::is_empty)
    }

    /// True if one of the events is a ping that the connection has not answered.
    pub fn has_unanswered_ping(&self) -> bool {
        let records = self.buffers.as_deref().map_or(&[][..], |buffers| &buffers.records[buffers.next..]);
        records.iter().any(|record| matches!(record.kind, Kind::Ping { answered: false }))
    }

    /// Number of undelivered events.
    pub fn len(&self) -> usize {
        self.buffers.as_deref().map_or(0, |buffers| buffers.records.len() - buffers.next)
    }

    /// Payload bytes of the undelivered events.
    pub fn payload_bytes(&self) -> usize {
        self.buffers.as_deref().map_or(0, |buffers| buffers.undelivered_bytes)
    }

    /// Returns the next event, or `None` if all are delivered.
    pub fn peek(&self) -> Option<EventRef<'_>> {
        let buffers = self.buffers.as_deref()?;
        let record = buffers.records.get(buffers.next)?;
        let data = match record.location {
            Location::Shared => &buffers.bytes[record.start..record.start + record.length],
            Location::Large => buffers.large.front().map_or(&[][..], Vec::as_slice),
            Location::Chunk => {
                let (start, length) = (record.start, record.length);
                let binary = matches!(record.kind, Kind::Message { binary: true });
                return Some(EventRef::InChunk { binary, start, length });
            }
        };
        Some(match record.kind {
            Kind::Message { binary } => {
                let (start, count) = (record.fragments_start, record.fragments_count as usize);
                EventRef::Message { binary, data, fragments: &buffers.fragments[start..start + count] }
            }
            Kind::Ping { answered } => EventRef::Ping { data, answered },
            Kind::Pong => EventRef::Pong(data),
            Kind::Close(code) => EventRef::Close { code, reason: data },
            Kind::Failed(error) => EventRef::Failed(error),
            Kind::Inflating => EventRef::Inflating,
            Kind::Flooded => EventRef::Flooded,
        })
    }

    /// True if the next event is a message received compressed, or an error in its place.
    pub fn is_compressed(&self) -> bool {
        let next = self.buffers.as_deref().and_then(|buffers| buffers.records.get(buffers.next));
        next.is_some_and(|record| record.is_compressed)
    }

    /// Takes the payload of the next event if it is a message of [`LARGE_MESSAGE`] bytes or more.
    /// The event itself stays, possibly without data, until [`advance`](Self::advance).
    pub fn take_large(&mut self) -> Option<Vec<u8>> {
        let buffers = self.buffers.as_deref_mut()?;
        let Record { location, start, length, .. } = *buffers.records.get(buffers.next)?;
        if location == Location::Shared && length >= LARGE_MESSAGE {
            // Received in place and copied out of the chunk.
            return Some(buffers.bytes[start..start + length].to_vec());
        }
        if location != Location::Large {
            return None;
        }
        buffers.large.front_mut().map(std::mem::take).filter(|data| !data.is_empty())
    }

    /// Marks the next event as delivered. After the last one the batch is reset, keeping up to 64
    /// KiB of memory.
    pub fn advance(&mut self) {
        let Some(buffers) = self.buffers.as_deref_mut() else { return };
        let Some(record) = buffers.records.get(buffers.next) else { return };
        buffers.undelivered_bytes -= record.length;
        if record.location == Location::Large {
            buffers.large.pop_front();
        }
        buffers.next += 1;
        if buffers.is_empty() {
            buffers.clear();
        }
    }

    /// Drops all events.
    pub fn clear(&mut self) {
        if let Some(buffers) = self.buffers.as_deref_mut() {
            buffers.clear();
        }
    }

    fn buffers(&mut self) -> &mut Buffers {
        self.buffers.get_or_insert_default()
    }

    /// Appends an unfragmented message, unmasking it in the same pass.
    ///
    /// # Errors
    /// [`ProtocolError::InvalidUtf8`] if `validate` is set and the bytes are not UTF-8; nothing is
    /// appended.
    pub(super) fn push_frame(
        &mut self,
        binary: bool,
        payload: &[u8],
        key: Option<MaskingKey>,
        validate: bool,
    ) -> Result<(), ProtocolError> {
        let kind = Kind::Message { binary };
        if payload.len() >= LARGE_MESSAGE {
            let mut data = Vec::with_capacity(payload.len());
            append_unmasked(payload, key, &mut data);
            check_utf8(&data, validate)?;
            self.push_large(binary, data, &[]);
            return Ok(());
        }
        let buffers = self.buffers();
        let start = buffers.bytes.len();
        append_unmasked(payload, key, &mut buffers.bytes);
        if let Err(error) = check_utf8(&buffers.bytes[start..], validate) {
            buffers.bytes.truncate(start);
            return Err(error);
        }
        buffers.push_record(kind, Location::Shared, start, payload.len(), &[]);
        Ok(())
    }

    /// Appends a message whose unmasked payload stays in the chunk.
    pub(super) fn push_in_chunk(&mut self, binary: bool, start: usize, length: usize) {
        self.buffers().push_record(Kind::Message { binary }, Location::Chunk, start, length, &[]);
    }

    /// Copies undelivered payloads out of the chunk that was received in place, before its memory
    /// is reused.
    pub fn copy_out_chunk(&mut self, chunk: &[u8]) {
        let Some(Buffers { records, next, bytes, .. }) = self.buffers.as_deref_mut() else { return };
        for record in &mut records[*next..] {
            if record.location == Location::Chunk {
                debug_assert!(record.start + record.length <= chunk.len(), "not the chunk of this batch");
                let payload = chunk.get(record.start..record.start + record.length).unwrap_or_default();
                (record.location, record.start, record.length) =
                    (Location::Shared, bytes.len(), payload.len());
                bytes.extend_from_slice(payload);
            }
        }
    }

    /// Appends a large message without copying it.
    pub(super) fn push_large(&mut self, binary: bool, data: Vec<u8>, fragments: &[u32]) {
        let length = data.len();
        let buffers = self.buffers();
        buffers.large.push_back(data);
        buffers.push_record(Kind::Message { binary }, Location::Large, 0, length, fragments);
    }

    /// Appends a small message assembled from frames.
    pub(super) fn push_small(&mut self, binary: bool, data: &[u8], fragments: &[u32]) {
        self.push_bytes(Kind::Message { binary }, data, fragments);
    }

    pub(super) fn push_ping(&mut self, payload: &[u8], answered: bool) {
        self.push_bytes(Kind::Ping { answered }, payload, &[]);
    }

    pub(super) fn push_pong(&mut self, payload: &[u8]) {
        self.push_bytes(Kind::Pong, payload, &[]);
    }

    pub(super) fn push_close(&mut self, code: u16, reason: &[u8]) {
        self.push_bytes(Kind::Close(code), reason, &[]);
    }

    pub(super) fn push_failed(&mut self, error: ProtocolError) {
        self.push_bytes(Kind::Failed(error), &[], &[]);
    }

    /// Marks the last event as received compressed.
    pub(super) fn mark_compressed(&mut self) {
        if let Some(last) = self.buffers().records.last_mut() {
            last.is_compressed = true;
        }
    }

    pub(super) fn push_inflating(&mut self) {
        self.push_bytes(Kind::Inflating, &[], &[]);
    }

    pub(super) fn push_flooded(&mut self) {
        self.push_bytes(Kind::Flooded, &[], &[]);
    }

    /// Cuts off delivered events, so that a batch never fully drained does not grow without bound.
    /// Called before the events of a chunk are appended.
    pub(super) fn compact(&mut self) {
        if let Some(buffers) = self.buffers.as_deref_mut() {
            buffers.compact();
        }
    }

    fn push_bytes(&mut self, kind: Kind, bytes: &[u8], fragments: &[u32]) {
        let buffers = self.buffers();
        let start = buffers.bytes.len();
        buffers.bytes.extend_from_slice(bytes);
        buffers.push_record(kind, Location::Shared, start, bytes.len(), fragments);
    }
}

impl Buffers {
    /// Bytes allocated.
    pub(super) fn capacity(&self) -> usize {
        size_of::<Self>()
            + self.records.capacity() * size_of::<Record>()
            + self.bytes.capacity()
            + self.fragments.capacity() * size_of::<u32>()
            + self.large.capacity() * size_of::<Vec<u8>>()
    }

    /// True if all events are delivered.
    pub(super) fn is_empty(&self) -> bool {
        self.next == self.records.len()
    }

    fn clear(&mut self) {
        self.records.clear();
        self.bytes.clear();
        self.fragments.clear();
        self.large.clear();
        self.next = 0;
        self.undelivered_bytes = 0;
        self.records.shrink_to(KEPT_CAPACITY / size_of::<Record>());
        self.bytes.shrink_to(KEPT_CAPACITY);
        self.fragments.shrink_to(KEPT_CAPACITY / size_of::<u32>());
        self.large.shrink_to(KEPT_LARGE);
    }

    fn compact(&mut self) {
        // A drained batch is reset, so `next > 0` implies that a record exists at `next`.
        debug_assert!(self.next == 0 || self.next < self.records.len());
        let Some(next) = self.records.get(self.next).filter(|_| self.next > 0) else { return };
        let fragments = next.fragments_start;
        let bytes =
            self.records[self.next..].iter().find_map(Record::shared_start).unwrap_or(self.bytes.len());
        // Moving the undelivered part pays off only if it is the smaller one.
        let worthwhile = |delivered: usize, total: usize, size: usize| {
            delivered * size >= DELIVERED_SLACK && delivered >= total / 2
        };
        if !worthwhile(bytes, self.bytes.len(), 1)
            && !worthwhile(self.next, self.records.len(), size_of::<Record>())
        {
            return;
        }
        self.records.drain(..self.next);
        self.bytes.drain(..bytes);
        self.fragments.drain(..fragments);
        self.next = 0;
        for record in &mut self.records {
            if record.location == Location::Shared {
                record.start -= bytes;
            }
            record.fragments_start -= fragments;
        }
    }

    fn push_record(
        &mut self,
        kind: Kind,
        location: Location,
        start: usize,
        length: usize,
        fragments: &[u32],
    ) {
        let fragments_start = self.fragments.len();
        self.fragments.extend_from_slice(fragments);
        self.undelivered_bytes += length;
        let fragments_count = fragments.len() as u32;
        self.records.push(Record {
            kind,
            location,
            is_compressed: false,
            fragments_count,
            fragments_start,
            start,
            length,
        });
    }
}

impl Record {
    fn shared_start(&self) -> Option<usize> {
        (self.location == Location::Shared).then_some(self.start)
    }
}

fn append_unmasked(payload: &[u8], key: Option<MaskingKey>, out: &mut Vec<u8>) {
    match key {
        Some(key) => mask::copy_masked(payload, key, 0, out),
        None => out.extend_from_slice(payload),
    }
}

fn check_utf8(data: &[u8], validate: bool) -> Result<(), ProtocolError> {
    if validate && !Utf8Validator::is_valid(data) {
        return Err(ProtocolError::InvalidUtf8);
    }
    Ok(())
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
