//! Two connected ends and the bytes in transit between them.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Input;
use super::event::Event;
use super::input::Rng;
use super::keys::Keys;
use crate::connection::{Config, Connection, EventBatch, MaskingKeys, TimeLimits};
use crate::protocol::deflate::{
    Broadcast, DeflateParams, IncomingParams, Level, OutgoingParams, PermessageDeflate, Pool, Progress,
    WindowBits,
};
use crate::protocol::{Limits, MaskingKey, Role};

/// Maximum message length.
const MAX_PAYLOAD: u64 = 1 << 20;

/// One end.
pub(super) struct End {
    pub(super) connection: Connection,
    pub(super) pool: Arc<Pool>,
    pub(super) is_closing: bool,
    /// Events it has yet to receive.
    pub(super) expected: VecDeque<Event>,
    role: Role,
    broadcast: Broadcast,
    events: EventBatch,
    keys: Keys,
    /// Bytes sent and not yet received by the other end.
    wire: Vec<u8>,
    taken_total: u64,
    /// True if permessage-deflate was extension.
    has_extension: bool,
}

/// Both ends.
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
            let extension =
                PermessageDeflate { params: DeflateParams { outgoing, incoming }, pool: Arc::clone(&pool) };
            let limits = Limits { max_payload: 0, max_fragments: 64, ..unlimited() };
            let has_extension = flags & 1 == 0;
            let deflate = has_extension.then(|| Arc::new(extension));
            let (auto_pong, skip_utf8_validation) = (flags & 2 == 0, flags & 4 != 0);
            let config = Config {
                role,
                limits,
                auto_pong,
                skip_utf8_validation,
                time_limits: TimeLimits::default(),
                deflate,
            };
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

    /// Delivers some or all of the bytes sent by `from` to `to`, which may answer.
    pub(super) fn deliver(&mut self, from: usize, to: usize, rng: &mut Rng) {
        self.ends[from].take_output();
        let wire = std::mem::take(&mut self.ends[from].wire);
        let (arriving, later) =
            wire.split_at(if rng.once_in(3) { rng.below(wire.len() + 1) } else { wire.len() });
        self.ends[from].wire = later.to_vec();
        for chunk in rng.split(arriving) {
            self.ends[from].connection.mark_written(chunk.len() as u64);
            let answers = self.ends[to].receive(chunk, rng);
            self.ends[from].expected.extend(answers);
        }
    }

    /// Delivers everything, including the answers, and checks that nothing is left.
    pub(super) fn finish(&mut self, rng: &mut Rng) {
        while self.ends.iter().any(|end| !end.wire.is_empty() || !end.connection.output().is_empty()) {
            self.deliver(0, 1, rng);
            self.deliver(1, 0, rng);
        }
        self.check_totals();
        for end in &self.ends {
            assert!(end.expected.is_empty() || !end.connection.is_receiving(), "{:?}", end.expected);
            assert_eq!(end.connection.pending(), 0);
            assert!(end.connection.is_between_frames() || !end.connection.is_receiving());
        }
    }

    pub(super) fn check_totals(&self) {
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
        let trimmed = self.connection.trim_memory();
        assert!(self.has_extension || (trimmed.freed, trimmed.may_free_more) == (0, false));
    }

    pub(super) fn set_max_payload(&mut self, rng: &mut Rng) {
        self.connection.set_max_payload([0, MAX_PAYLOAD, u64::MAX][rng.below(3)]);
    }

    /// Sends a message in these fragments.
    pub(super) fn send_message(
        &mut self,
        binary: bool,
        fragments: &[&[u8]],
        compress: bool,
    ) -> Option<Event> {
        let last = fragments.len().checked_sub(1)?;
        for (index, fragment) in fragments.iter().enumerate() {
            let key = self.key();
            let fin = index == last;
            let Self { connection, broadcast, .. } = self;
            connection.send_compressed(binary, fin, key, fragment, compress, broadcast);
        }
        let lengths = fragments.iter().map(|fragment| fragment.len() as u32).filter(|&length| length > 0);
        let fragments_seen = if last > 0 { lengths.collect() } else { Vec::new() };
        Some(Event::Message { binary, data: fragments.concat(), fragments: fragments_seen })
    }

    /// Sends a payload that is added to the output later.
    pub(super) fn send_external(&mut self, binary: bool, payload: &[u8]) -> Option<Event> {
        if self.role.must_mask_sent() {
            return None;
        }
        self.connection.send_external(binary, true, payload.len());
        self.connection.copy_externals(|length, output| {
            output.extend_from_slice(payload);
            length == payload.len()
        });
        Some(Event::Message { binary, data: payload.into(), fragments: Vec::new() })
    }

    fn take_output(&mut self) {
        let mut output = Vec::new();
        self.connection.take_output(&mut output);
        self.taken_total += output.len() as u64;
        self.wire.extend_from_slice(&output);
    }

    /// Compares the events of a chunk with the expected ones. Returns those expected at the other
    /// end: automatic pongs.
    fn receive(&mut self, chunk: &[u8], rng: &mut Rng) -> Vec<Event> {
        let Self { connection, events, keys, .. } = self;
        let mut answers = Vec::new();
        let mut chunk = chunk.to_vec();
        if rng.once_in(2) {
            connection.receive(&chunk, keys, events);
        } else {
            connection.receive_in_place(&mut chunk, keys, events);
        }
        loop {
            self.compare(&chunk, &mut answers);
            let Some(mut job) = self.connection.take_inflate_job() else { return answers };
            let budget = [1, 50_000, usize::MAX][rng.below(3)];
            while job.run(budget) == Progress::Paused {}
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
    Limits {
        max_payload: 0,
        max_fragments: 0,
        max_buffered_chunks: 0,
        max_pending_auto_pongs: 0,
        max_read: 0,
    }
}

/// One byte for each parameter.
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
