//! Records in the memory that JavaScript reads, decoded by a reader of its own after the layout that `binding.d.ts` and
//! `lib/transport/record-reader.js` have. Its numbers are not those of the writer.

use super::{Dice, Event, OneKey, Peer, connection, key_of, opposite, pair, pattern};
use crate::connection::{EventBatch, EventRef};
use crate::protocol::Role;
use crate::transport::records::{
    RecordExtras, SHARED_LENGTH, send_area, write_batch, write_numbers, write_payload,
};
use crate::transport::socket::{Fault, SocketEvents};

/// Bytes of the parts of the memory: 4 words, 256 records of 4 words, 64 bytes of payloads to be sent.
const RECORDS_START: usize = 16;
const SEND_START: usize = RECORDS_START + 256 * 16;
const PAYLOADS_START: usize = SEND_START + 64;
const LENGTH: usize = PAYLOADS_START + 64 * 1024;

/// A record, and its payload.
#[derive(Debug, PartialEq)]
struct Record {
    kind: u32,
    flags: u32,
    offset: u32,
    detail: u32,
    payload: Vec<u8>,
}

struct Reader {
    memory: Vec<u8>,
    extras: RecordExtras,
}

impl Reader {
    fn new() -> Self {
        // Bytes of an earlier batch.
        Self { memory: vec![0xEE; LENGTH], extras: RecordExtras::default() }
    }

    fn word(&self, position: usize) -> u32 {
        u32::from_ne_bytes(self.memory[position..position + 4].try_into().unwrap())
    }

    /// Writes one batch and reads it. The flag is true if another one follows.
    fn batch(&mut self, events: &mut SocketEvents) -> (Vec<Record>, bool) {
        let count =
            write_batch(&mut self.memory, &mut self.extras, |writer| events.write_to(writer)) as usize;
        assert!(count <= 256);
        let mut used: Vec<(usize, usize)> = Vec::new();
        let mut batched_end = 0;
        let records = (0..count)
            .map(|index| {
                let [kind, offset, length, detail] =
                    [0, 4, 8, 12].map(|at| self.word(RECORDS_START + 16 * index + at));
                let (kind, flags) = (kind & 0xFF, kind >> 8);
                let size = length as usize;
                let is_large = kind == 1 && flags & 4 != 0;
                let payload = if is_large {
                    self.extras.take_large()
                } else if size == 0 || (kind == 1 && flags & (8 | 16) != 0) {
                    // None, or received in place: not in this memory.
                    Vec::new()
                } else {
                    let start = PAYLOADS_START + offset as usize;
                    if size > 0 {
                        used.push((start, start + size));
                    }
                    if kind == 1 {
                        let is_batched = flags & 64 != 0;
                        assert_eq!(is_batched, (65..4096).contains(&size), "{size} bytes");
                        if is_batched {
                            batched_end = offset as usize + size;
                        }
                        assert!(offset % 8 == 0, "typed arrays of any type fit");
                    }
                    self.memory[start..start + size].to_vec()
                };
                assert!(!is_large || payload.len() == size);
                Record { kind, flags, offset, detail, payload }
            })
            .collect();
        assert_eq!(self.word(4) as usize, batched_end);
        used.sort_unstable();
        assert!(used.windows(2).all(|pair| pair[0].1 <= pair[1].0), "payloads overlap");
        // Batched payloads lie one behind the other, and the padding between them has no old bytes.
        let mut batched = used.iter().filter(|(start, _)| start - PAYLOADS_START < batched_end).peekable();
        while let (Some((_, end)), Some((next, _))) = (batched.next(), batched.peek()) {
            assert!(self.memory[*end..*next].iter().all(|byte| *byte == 0) && next - end < 8);
        }
        (records, self.word(0) == 1)
    }
}

/// The event of a record of a connection.
fn event_of(record: &Record) -> Event {
    let payload = record.payload.clone();
    match record.kind {
        1 if record.flags & 1 != 0 => Event::Binary(payload),
        1 => Event::Text(String::from_utf8(payload).unwrap()),
        2 => Event::Ping(payload),
        3 => Event::Pong(payload),
        4 => Event::Close(record.detail as u16),
        6 => Event::Flooded,
        7 => Event::Inflating,
        kind => panic!("kind {kind}"),
    }
}

fn received(bytes: &[u8], auto_pong: bool) -> EventBatch {
    let mut events = EventBatch::new();
    connection(Role::Server, auto_pong).receive(bytes, &mut OneKey, &mut events);
    events
}

fn peer() -> Peer {
    Peer::new(pair(super::Family::Unix).1, opposite(Role::Server))
}

fn undelivered(events: EventBatch) -> SocketEvents {
    SocketEvents { events, ..SocketEvents::default() }
}

#[test]
fn the_memory_has_the_documented_parts() {
    assert_eq!(SHARED_LENGTH, LENGTH);
    let mut memory = vec![0; LENGTH];
    for (index, byte) in memory[SEND_START..PAYLOADS_START].iter_mut().enumerate() {
        *byte = index as u8 + 1;
    }
    assert_eq!(send_area(&memory), std::array::from_fn(|index| index as u8 + 1));
    assert!(write_payload(&mut memory, b"output"));
    assert_eq!(&memory[PAYLOADS_START..][..6], b"output");
    assert!(write_payload(&mut memory, &vec![1; 64 * 1024]));
    assert!(!write_payload(&mut memory, &vec![2; 64 * 1024 + 1]));
    assert_eq!(memory[LENGTH - 1], 1);
    write_numbers(&mut memory, (0..2).map(|index| [[index, 10 + index], [20 + index, 30 + index]]));
    let words: Vec<u32> = memory[RECORDS_START..][..32]
        .chunks(4)
        .map(|word| u32::from_ne_bytes(word.try_into().unwrap()))
        .collect();
    assert_eq!(words, [0, 10, 20, 30, 1, 11, 21, 31]);
    // More than fit leave the bytes behind alone.
    write_numbers(&mut memory, (0..300).map(|_| [[7, 7], [7, 7]]));
    assert_eq!(memory[SEND_START], 1);
}

#[test]
fn events_of_all_lengths_are_read_as_they_were_received() {
    let (peer, mut reader) = (peer(), Reader::new());
    for seed in 0..20 {
        let (mut dice, mut bytes) = (Dice(seed), Vec::new());
        for number in 0..300 {
            let edge = [0, 1, 64, 65, 4095, 4096, 65_535, 65_536][dice.roll(8)];
            let length = if dice.roll(4) == 0 { edge } else { dice.length() };
            bytes.extend(match dice.roll(6) {
                0 => peer.framed(|core| core.ping(key_of(core_role()), &pattern(number, length % 126))),
                1 => peer.framed(|core| core.pong(key_of(core_role()), &pattern(number, length % 126))),
                2 => {
                    let text = "ü".repeat(length / 2);
                    peer.framed(|core| core.send(false, true, key_of(core_role()), text.as_bytes()))
                }
                _ => peer.binary_frame(&pattern(number, length)),
            });
        }
        let mut expected = received(&bytes, false);
        let mut undelivered = undelivered(received(&bytes, false));
        loop {
            let (records, remains) = reader.batch(&mut undelivered);
            assert!(!records.is_empty());
            for record in &records {
                assert!(expected.peek().map(Event::from).as_ref() == Some(&event_of(record)));
                expected.advance();
            }
            if !remains {
                break;
            }
        }
        assert!(expected.is_empty() && undelivered.is_empty());
    }
}

/// The role of [`peer`].
fn core_role() -> Role {
    opposite(Role::Server)
}

#[test]
fn a_batch_has_256_records_at_most() {
    let peer = peer();
    let frames: Vec<u8> = (0..600).flat_map(|number| peer.binary_frame(&pattern(number, 3))).collect();
    let (mut reader, mut undelivered) = (Reader::new(), undelivered(received(&frames, false)));
    undelivered.ended = true;
    let batches: Vec<_> = (0..3).map(|_| reader.batch(&mut undelivered)).collect();
    let counts: Vec<_> = batches.iter().map(|(records, remains)| (records.len(), *remains)).collect();
    assert_eq!(counts, [(256, true), (256, true), (89, false)]);
    assert_eq!(batches[2].0[88], Record { kind: 10, flags: 0, offset: 0, detail: 0, payload: Vec::new() });
    assert!(undelivered.is_empty());
}

#[test]
fn flags_and_details_tell_the_rest() {
    let (peer, role) = (peer(), core_role());
    let fragments = peer.framed(|core| {
        for (fin, part) in [(false, "ab"), (false, ""), (true, "cde")] {
            core.send(false, fin, key_of(role), part.as_bytes());
        }
    });
    let ping = peer.framed(|core| core.ping(key_of(role), b"?"));
    let close = peer.framed(|core| core.close(Some(4000), b"why", key_of(role)));
    let (mut reader, mut events) =
        (Reader::new(), undelivered(received(&[fragments, ping, close].concat(), true)));
    events.written = Some(0x1_2345_6789);
    events.drained = true;
    events.shut_down = true;
    events.fault = Some(Fault { errno: 104, write: true });
    let (records, remains) = reader.batch(&mut events);
    assert!(!remains && events.is_empty());
    let facts: Vec<_> = records
        .iter()
        .map(|Record { kind, flags, offset, detail, payload }| {
            let offset = if payload.is_empty() { *offset } else { 0 };
            (*kind, *flags, offset, *detail, payload.as_slice())
        })
        .collect();
    assert_eq!(
        facts,
        [
            (1, 2, 0, 0, &b"abcde"[..]),
            (2, 1, 0, 0, b"?"),
            (4, 0, 0, 4000, b"why"),
            // The low half of the total, and the high one.
            (8, 0, 0x2345_6789, 1, b""),
            (9, 0, 0, 0, b""),
            (12, 0, 0, 0, b""),
            (11, 1, 0, 104, b""),
        ]
    );
    assert_eq!(reader.extras.take_fragments(), [2, 3]);
}

#[test]
fn errors_carry_code_text_and_status() {
    let mut reader = Reader::new();
    // A reserved bit; a close frame of 126 bytes.
    for (bytes, range_error) in [(&[0xF1, 0x80][..], 1), (&[0x88, 0xFE, 0, 126][..], 1)] {
        let mut events = undelivered(received(bytes, false));
        let Some(EventRef::Failed(error)) = events.events.peek() else { panic!("no error") };
        let (records, _) = reader.batch(&mut events);
        let [Record { kind: 5, flags, detail, payload, .. }] = &records[..] else { panic!("{records:?}") };
        assert_eq!((*flags, *detail), (range_error, u32::from(error.close_code())));
        assert_eq!(String::from_utf8_lossy(payload), format!("{}\n{error}", error.code()));
    }
}

#[test]
fn messages_received_in_place_are_named_by_their_position() {
    let bytes = peer().binary_frame(&pattern(1, 5000));
    let receive = |chunk: Option<usize>| {
        let mut events = EventBatch::new();
        connection(Role::Server, false).receive_in_place(&mut bytes.clone(), &mut OneKey, &mut events);
        let (mut events, mut reader) = (undelivered(events), Reader::new());
        let count = write_batch(&mut reader.memory, &mut reader.extras, |writer| {
            writer.set_chunk(chunk);
            events.write_to(writer)
        });
        (count, [0, 4, 8].map(|at| reader.word(RECORDS_START + at)))
    };
    // A header of two bytes, two of the length and four of the key.
    assert_eq!(receive(Some(1000)), (1, [1 | (1 | 8) << 8, 1008, 5000]));
    assert_eq!(receive(None), (1, [1 | (1 | 16) << 8, 8, 5000]));
}
