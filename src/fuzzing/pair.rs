//! Two connections that are each other's peers, and the bytes that travel between them.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Input;
use super::event::Event;
use super::input::Dice;
use super::keys::Keys;
use crate::connection::{Config, Connection, EventBatch, MaskingKeys};
use crate::protocol::deflate::{
    Broadcast, DeflateParams, IncomingParams, Level, OutgoingParams, PermessageDeflate, Pool, Progress,
    WindowBits,
};
use crate::protocol::{Limits, MaskingKey, Role};

/// No message is longer.
const MAX_PAYLOAD: u64 = 1 << 20;

/// One end.
pub(super) struct End {
    pub(super) connection: Connection,
    pub(super) pool: Arc<Pool>,
    pub(super) is_closing: bool,
    /// What it is still to see.
    pub(super) expected: VecDeque<Event>,
    role: Role,
    broadcast: Broadcast,
    events: EventBatch,
    keys: Keys,
    /// What it has sent and the other end has not received.
    wire: Vec<u8>,
    taken_total: u64,
    /// Whether permessage-deflate was agreed on.
    has_extension: bool,
}

/// Both.
pub(super) struct Pair {
    pub(super) ends: [End; 2],
}

impl Pair {
    /// Input: flags, and the parameters of each direction.
    pub(super) fn new(input: &mut Input<'_>) -> Self {
        let flags = input.byte();
        let directions = [outgoing(input), outgoing(input)];
        let end = |role: Role, this: usize| {
            let outgoing = directions[this].clone();
            let peer = &directions[1 - this];
            let incoming = IncomingParams {
                window_bits: peer.window_bits,
                context_takeover: peer.context_takeover,
                dictionary: None,
            };
            let pool = Arc::new(Pool::default());
            let negotiated =
                PermessageDeflate { params: DeflateParams { outgoing, incoming }, pool: Arc::clone(&pool) };
            let limits = Limits { max_payload: 0, max_fragments: 64, ..unlimited() };
            let has_extension = flags & 1 == 0;
            let deflate = has_extension.then(|| Arc::new(negotiated));
            let (auto_pong, skip_utf8_validation) = (flags & 2 == 0, flags & 4 != 0);
            let config = Config { role, limits, auto_pong, skip_utf8_validation, deflate };
            End {
                connection: Connection::new(config),
                pool,
                is_closing: false,
                expected: VecDeque::new(),
                role,
                broadcast: Broadcast::default(),
                events: EventBatch::new(),
                keys: Keys::default(),
                wire: Vec::new(),
                taken_total: 0,
                has_extension,
            }
        };
        Self { ends: [end(Role::Client, 0), end(Role::Server, 1)] }
    }

    /// Some of what `from` has sent, or all, arrives at `to`, and is answered.
    pub(super) fn deliver(&mut self, from: usize, to: usize, dice: &mut Dice) {
        self.ends[from].take_output();
        let wire = std::mem::take(&mut self.ends[from].wire);
        let (arriving, later) =
            wire.split_at(if dice.once_in(3) { dice.below(wire.len() + 1) } else { wire.len() });
        self.ends[from].wire = later.to_vec();
        for chunk in dice.cut(arriving) {
            self.ends[from].connection.mark_written(chunk.len() as u64);
            let answers = self.ends[to].receive(chunk, dice);
            self.ends[from].expected.extend(answers);
        }
    }

    /// Everything arrives, answers too, and nothing is left.
    pub(super) fn finish(&mut self, dice: &mut Dice) {
        while self.ends.iter().any(|end| !end.wire.is_empty() || !end.connection.output().is_empty()) {
            self.deliver(0, 1, dice);
            self.deliver(1, 0, dice);
        }
        self.check_accounts();
        for end in &self.ends {
            assert!(end.expected.is_empty() || !end.connection.is_receiving(), "{:?}", end.expected);
            assert_eq!(end.connection.pending(), 0);
            assert!(end.connection.is_between_frames() || !end.connection.is_receiving());
        }
    }

    pub(super) fn check_accounts(&self) {
        for end in &self.ends {
            let connection = &end.connection;
            let output = connection.output().len() as u64;
            assert_eq!(connection.queued_total(), end.taken_total + output);
            assert_eq!(connection.pending(), end.wire.len() as u64 + output);
            assert_eq!(connection.pending(), connection.queued_total() - connection.written_total());
        }
    }
}

impl End {
    pub(super) fn key(&mut self) -> Option<MaskingKey> {
        self.role.must_mask_sent().then(|| self.keys.next_key())
    }

    pub(super) fn trim_memory(&mut self) {
        let rested = self.connection.trim_memory();
        assert!(self.has_extension || (rested.freed, rested.may_free_more) == (0, false));
    }

    pub(super) fn set_max_payload(&mut self, dice: &mut Dice) {
        self.connection.set_max_payload([0, MAX_PAYLOAD, u64::MAX][dice.below(3)]);
    }

    /// Sends a message in these fragments.
    pub(super) fn send_message(&mut self, binary: bool, fragments: &[&[u8]], wanted: bool) -> Option<Event> {
        let last = fragments.len().checked_sub(1)?;
        for (index, fragment) in fragments.iter().enumerate() {
            let key = self.key();
            let fin = index == last;
            let Self { connection, broadcast, .. } = self;
            connection.send_compressed(binary, fin, key, fragment, wanted, broadcast);
        }
        let lengths = fragments.iter().map(|fragment| fragment.len() as u32).filter(|&length| length > 0);
        let fragments_seen = if last > 0 { lengths.collect() } else { Vec::new() };
        Some(Event::Message { binary, data: fragments.concat(), fragments: fragments_seen })
    }

    /// Sends a payload that its owner writes behind the header.
    pub(super) fn send_from_where_it_is(&mut self, binary: bool, payload: &[u8]) -> Option<Event> {
        if self.role.must_mask_sent() {
            return None;
        }
        self.connection.send_header(binary, true, payload.len());
        self.take_output();
        self.wire.extend_from_slice(payload);
        self.taken_total += payload.len() as u64;
        Some(Event::Message { binary, data: payload.into(), fragments: Vec::new() })
    }

    fn take_output(&mut self) {
        let mut output = Vec::new();
        self.connection.take_output(&mut output);
        self.taken_total += output.len() as u64;
        self.wire.extend_from_slice(&output);
    }

    /// Compares what comes of a chunk with what is expected; gives what the other end is to see of it: the automatic pongs.
    fn receive(&mut self, chunk: &[u8], dice: &mut Dice) -> Vec<Event> {
        let Self { connection, events, keys, .. } = self;
        let mut answers = Vec::new();
        let mut chunk = chunk.to_vec();
        if dice.once_in(2) {
            connection.receive(&chunk, keys, events);
        } else {
            connection.receive_in_place(&mut chunk, keys, events);
        }
        loop {
            self.compare(&chunk, &mut answers);
            let Some(mut job) = self.connection.take_inflate_job() else { return answers };
            let allowed = [1, 50_000, usize::MAX][dice.below(3)];
            while job.run(allowed) == Progress::Paused {}
            self.connection.finish_inflate_job(job, &mut self.keys, &mut self.events);
        }
    }

    fn compare(&mut self, chunk: &[u8], answers: &mut Vec<Event>) {
        while let Some(mut event) = Event::take(&mut self.events, chunk) {
            if event == Event::Inflating {
                assert!(self.events.is_empty());
                continue;
            }
            if let Event::Ping { data, answered } = &mut event
                && std::mem::take(answered)
            {
                answers.push(Event::Pong(data.clone()));
            }
            let expected = self.expected.pop_front();
            assert!(expected.as_ref() == Some(&event), "{expected:?} became {event:?}");
        }
    }
}

fn unlimited() -> Limits {
    Limits { max_payload: 0, max_fragments: 0, max_buffered_chunks: 0, max_pending_auto_pongs: 0 }
}

/// From a byte each.
fn outgoing(input: &mut Input<'_>) -> OutgoingParams {
    let default = OutgoingParams::default();
    let flags = input.byte();
    OutgoingParams {
        window_bits: WindowBits::new(8 + input.below(8)).unwrap_or(default.window_bits),
        context_takeover: flags & 1 == 0,
        level: Level::new(flags >> 4),
        threshold: u64::from(flags & 0x0E) * 20,
        ..default
    }
}
