//! What a connection tells its user, in batches: filled by
//! [`Connection::receive`](super::Connection::receive), read by whoever delivers events. Nothing here
//! decides what happens on the wire.

use crate::protocol::frame::mask;
use crate::protocol::{MaskingKey, ProtocolError, Utf8Validator};

/// Messages of this many bytes or more are kept in an allocation of their own.
pub const LARGE_MESSAGE: usize = 64 * 1024;
/// Capacity that a drained batch keeps for the next one: what one read brings.
const KEPT_CAPACITY: usize = 64 * 1024;
/// Delivered bytes that a batch may still hold before its front is cut off.
const DELIVERED_SLACK: usize = 64 * 1024;

/// One event, borrowed from its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventRef<'a> {
    /// A whole message.
    Message {
        /// Binary, or else text.
        binary: bool,
        /// Its payload; UTF-8 if it is text, unless validation is skipped.
        data: &'a [u8],
        /// Lengths of the frames that were not empty; none for a message that came in one frame.
        fragments: &'a [u32],
    },
    /// A whole message whose payload is in the chunk that was received in place, and belongs to whoever has that.
    InChunk {
        /// Binary, or else text.
        binary: bool,
        /// Where in the chunk it begins.
        start: usize,
        /// Its bytes.
        length: usize,
    },
    /// A ping.
    Ping {
        /// Its payload.
        data: &'a [u8],
        /// Whether a pong was queued when it was read; else the answer is the user's business.
        answered: bool,
    },
    /// A pong and its payload.
    Pong(&'a [u8]),
    /// A close frame. Nothing follows it.
    Close {
        /// The status code; 1005 for an empty close frame.
        code: u16,
        /// UTF-8, unless validation is skipped.
        reason: &'a [u8],
    },
    /// The peer broke the protocol. Nothing follows it.
    Failed(ProtocolError),
    /// The next message is to be inflated elsewhere, and what follows waits for it: see
    /// [`Connection::take_inflate_job`](super::Connection::take_inflate_job).
    Inflating,
    /// Too many automatic pongs wait to be written: end the connection without a closing handshake.
    /// The ping that was too much follows, and so does what came in the same chunk.
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

/// Where the bytes of an event are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Among the shared bytes.
    Shared,
    /// The next of the large messages.
    Large,
    /// In the chunk that was received in place.
    Chunk,
}

/// One event. Small: a batch may hold thousands.
#[derive(Debug, Clone, Copy)]
struct Record {
    kind: Kind,
    place: Place,
    /// A message that was inflated, or what was found wrong in doing so.
    is_compressed: bool,
    fragments_count: u32,
    fragments_start: usize,
    /// How far into that place they begin.
    start: usize,
    length: usize,
}

/// A queue of events that costs no allocation an event: small records, their bytes side by side in one
/// buffer, and large messages in their own.
///
/// [`peek`](Self::peek) and [`advance`](Self::advance) make a cursor that can stop anywhere and go on
/// later, also after more was appended.
#[derive(Debug, Default)]
pub struct EventBatch {
    records: Vec<Record>,
    /// The first record not delivered.
    next: usize,
    bytes: Vec<u8>,
    fragments: Vec<u32>,
    large: std::collections::VecDeque<Vec<u8>>,
    undelivered_bytes: usize,
}

impl EventBatch {
    /// An empty batch; allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether every event was delivered.
    pub fn is_empty(&self) -> bool {
        self.next == self.records.len()
    }

    /// Events not yet delivered.
    pub fn len(&self) -> usize {
        self.records.len() - self.next
    }

    /// Bytes of payload of the events not yet delivered.
    pub fn payload_bytes(&self) -> usize {
        self.undelivered_bytes
    }

    /// The next event, or `None` when all are delivered.
    pub fn peek(&self) -> Option<EventRef<'_>> {
        let record = self.records.get(self.next)?;
        let data = match record.place {
            Place::Shared => &self.bytes[record.start..record.start + record.length],
            Place::Large => self.large.front().map_or(&[][..], Vec::as_slice),
            Place::Chunk => {
                let (start, length) = (record.start, record.length);
                let binary = matches!(record.kind, Kind::Message { binary: true });
                return Some(EventRef::InChunk { binary, start, length });
            }
        };
        Some(match record.kind {
            Kind::Message { binary } => {
                let (start, count) = (record.fragments_start, record.fragments_count as usize);
                EventRef::Message { binary, data, fragments: &self.fragments[start..start + count] }
            }
            Kind::Ping { answered } => EventRef::Ping { data, answered },
            Kind::Pong => EventRef::Pong(data),
            Kind::Close(code) => EventRef::Close { code, reason: data },
            Kind::Failed(error) => EventRef::Failed(error),
            Kind::Inflating => EventRef::Inflating,
            Kind::Flooded => EventRef::Flooded,
        })
    }

    /// Whether the next event is a message that came compressed, or an error that came instead of one.
    pub fn is_compressed(&self) -> bool {
        self.records.get(self.next).is_some_and(|record| record.is_compressed)
    }

    /// Takes the bytes of the next event if it is a message of [`LARGE_MESSAGE`] bytes or more; the
    /// event itself stays, its data perhaps gone, until [`advance`](Self::advance).
    pub fn take_large(&mut self) -> Option<Vec<u8>> {
        let Record { place, start, length, .. } = *self.records.get(self.next)?;
        if place == Place::Shared && length >= LARGE_MESSAGE {
            // It was received in place, and left there.
            return Some(self.bytes[start..start + length].to_vec());
        }
        if place != Place::Large {
            return None;
        }
        self.large.front_mut().map(std::mem::take).filter(|data| !data.is_empty())
    }

    /// The next event was delivered. After the last one the batch is as new, but keeps its memory up to
    /// 64 KiB.
    pub fn advance(&mut self) {
        let Some(record) = self.records.get(self.next) else { return };
        self.undelivered_bytes -= record.length;
        if record.place == Place::Large {
            self.large.pop_front();
        }
        self.next += 1;
        if self.is_empty() {
            self.clear();
        }
    }

    /// Drops all events.
    pub fn clear(&mut self) {
        self.records.clear();
        self.bytes.clear();
        self.fragments.clear();
        self.large.clear();
        self.next = 0;
        self.undelivered_bytes = 0;
        self.records.shrink_to(KEPT_CAPACITY / size_of::<Record>());
        self.bytes.shrink_to(KEPT_CAPACITY);
        self.fragments.shrink_to(KEPT_CAPACITY / size_of::<u32>());
    }

    /// Appends a message that came whole in one frame, unmasking it on the way.
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
            append(payload, key, &mut data);
            check(&data, validate)?;
            self.push_large(binary, data, &[]);
            return Ok(());
        }
        let start = self.bytes.len();
        append(payload, key, &mut self.bytes);
        if let Err(error) = check(&self.bytes[start..], validate) {
            self.bytes.truncate(start);
            return Err(error);
        }
        self.record(kind, Place::Shared, start, payload.len(), &[]);
        Ok(())
    }

    /// Appends a message whose payload, unmasked, stays where it is in the chunk.
    pub(super) fn push_in_chunk(&mut self, binary: bool, start: usize, length: usize) {
        self.record(Kind::Message { binary }, Place::Chunk, start, length, &[]);
    }

    /// The chunk that was received in place is about to be somebody else's: copies what is left in it.
    pub fn copy_out_chunk(&mut self, chunk: &[u8]) {
        for record in &mut self.records[self.next..] {
            if record.place == Place::Chunk {
                let payload = chunk.get(record.start..record.start + record.length).unwrap_or_default();
                (record.place, record.start, record.length) =
                    (Place::Shared, self.bytes.len(), payload.len());
                self.bytes.extend_from_slice(payload);
            }
        }
    }

    /// Appends a large message without copying it.
    pub(super) fn push_large(&mut self, binary: bool, data: Vec<u8>, fragments: &[u32]) {
        let length = data.len();
        self.large.push_back(data);
        self.record(Kind::Message { binary }, Place::Large, 0, length, fragments);
    }

    /// Appends a small message that was put together.
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

    /// The last event is such a one.
    pub(super) fn mark_compressed(&mut self) {
        if let Some(last) = self.records.last_mut() {
            last.is_compressed = true;
        }
    }

    pub(super) fn push_inflating(&mut self) {
        self.push_bytes(Kind::Inflating, &[], &[]);
    }

    pub(super) fn push_flooded(&mut self) {
        self.push_bytes(Kind::Flooded, &[], &[]);
    }

    /// Cuts off what was delivered, so that a reader that never quite catches up does not make the batch
    /// grow for ever. Called before a chunk's events are appended.
    pub(super) fn reclaim(&mut self) {
        // A drained batch was reset, so a cursor past the start has a record under it.
        let Some(next) = self.records.get(self.next).filter(|_| self.next > 0) else { return };
        let fragments = next.fragments_start;
        let bytes =
            self.records[self.next..].iter().find_map(Record::shared_start).unwrap_or(self.bytes.len());
        // Moving the rest is worth it only when that is the smaller part.
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
            if record.place == Place::Shared {
                record.start -= bytes;
            }
            record.fragments_start -= fragments;
        }
    }

    fn push_bytes(&mut self, kind: Kind, bytes: &[u8], fragments: &[u32]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.record(kind, Place::Shared, start, bytes.len(), fragments);
    }

    fn record(&mut self, kind: Kind, place: Place, start: usize, length: usize, fragments: &[u32]) {
        let fragments_start = self.fragments.len();
        self.fragments.extend_from_slice(fragments);
        self.undelivered_bytes += length;
        let fragments_count = fragments.len() as u32;
        self.records.push(Record {
            kind,
            place,
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
        (self.place == Place::Shared).then_some(self.start)
    }
}

fn append(payload: &[u8], key: Option<MaskingKey>, out: &mut Vec<u8>) {
    match key {
        Some(key) => mask::copy_masked(payload, key, 0, out),
        None => out.extend_from_slice(payload),
    }
}

fn check(data: &[u8], validate: bool) -> Result<(), ProtocolError> {
    if validate && !Utf8Validator::is_valid(data) {
        return Err(ProtocolError::InvalidUtf8);
    }
    Ok(())
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
