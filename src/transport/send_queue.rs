//! Small messages that JavaScript has queued for sending in shared memory: an entry costs less than a call of the addon, which takes
//! all of them at once. `lib/transport/send-queue.js` is the writer. Framing does not belong here.
//!
//! Layout, in 32-bit words: the length of all entries in bytes, an unused word, the entries. An entry is
//! `[connection id, flags | payload length << 16]` and the payload, padded to 8 bytes.

/// Bytes of the memory.
pub const LENGTH: usize = 16 * 1024;
const HEADER: usize = 8;
const ENTRY_HEADER: usize = 8;
const ALIGNMENT: usize = 8;

/// A message to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Id of the connection.
    pub id: u32,
    /// Flags as of a send command.
    pub flags: u32,
    /// The payload.
    pub payload: &'a [u8],
}

/// The entries of a queue, in order.
#[derive(Clone, Debug)]
pub struct Entries<'a>(&'a [u8]);

/// True if there are no entries.
pub fn is_empty(memory: &[u8]) -> bool {
    length(memory) == 0
}

fn length(memory: &[u8]) -> usize {
    word(memory, 0).map_or(0, |length| length as usize)
}

/// Takes all entries out of `memory`, which has [`LENGTH`] bytes.
pub fn take(memory: &mut [u8]) -> Entries<'_> {
    let length = length(memory);
    if let Some(place) = memory.first_chunk_mut() {
        *place = [0; 4];
    }
    Entries(memory.get(HEADER..HEADER + length).unwrap_or_default())
}

impl<'a> Entries<'a> {
    /// The id of the connection of the next entry; `None` if none is left.
    pub fn next_id(&self) -> Option<u32> {
        word(self.0, 0)
    }

    /// Takes the next entry if it is one of this connection.
    pub fn next_of(&mut self, id: u32) -> Option<Entry<'a>> {
        let (next, meta) = (word(self.0, 0)?, word(self.0, 4)?);
        if next != id {
            return None;
        }
        let length = (meta >> 16) as usize;
        let end = ENTRY_HEADER + length.next_multiple_of(ALIGNMENT);
        let (entry, rest) = self.0.split_at_checked(end).unwrap_or_default();
        self.0 = rest;
        let payload = entry.get(ENTRY_HEADER..ENTRY_HEADER + length)?;
        Some(Entry { id, flags: meta & 0xffff, payload })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}
