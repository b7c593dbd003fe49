//! A connection that receives arbitrary bytes while in use, with offloaded and detached frames: it
//! does not panic, respects its limits, reports nothing after its last event, and keeps its totals.

use std::sync::Arc;

use super::Input;
use super::event::Event;
use super::input::Rng;
use super::keys::{Keys, opposite};
use super::stream::build;
use crate::connection::{Config, Connection, EventBatch, MaskingKeys, TimeLimits};
use crate::protocol::deflate::{
    Broadcast, DeflateParams, IncomingParams, InflateJob, PermessageDeflate, Pool, Progress,
};
use crate::protocol::{Limits, Role};

/// Output of an inflate job beyond its limit.
const CHUNK: usize = 16 * 1024;
/// Maximum bytes received per case.
const MAX_CASE_BYTES: usize = 300_000;

/// Input: flags, the limits, and commands: a byte each, and arguments. Received bytes are made by
/// [`build`].
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.byte();
    let role = if flags & 1 == 0 { Role::Server } else { Role::Client };
    let limits = Limits {
        max_payload: u64::from(input.number16()) * 4,
        max_fragments: u32::from(input.byte()),
        max_buffered_chunks: u32::from(input.byte()),
        max_pending_auto_pongs: u32::from(input.byte()),
        max_read: 0,
    };
    let incoming = IncomingParams { context_takeover: flags & 2 == 0, ..IncomingParams::default() };
    let extension = PermessageDeflate {
        params: DeflateParams { incoming, ..DeflateParams::default() },
        pool: Arc::new(Pool::default()),
    };
    let connection = Connection::new(Config {
        role,
        limits,
        auto_pong: flags & 4 == 0,
        skip_utf8_validation: flags & 8 != 0,
        time_limits: TimeLimits::default(),
        deflate: (flags & 16 == 0).then(|| Arc::new(extension)),
    });
    let mut rng = Rng::new(input.number16());
    let mut user = User::new(connection, role, limits, flags & 8 == 0);
    let mut total = 0;
    while !input.is_empty() && total < MAX_CASE_BYTES {
        total += user.command(&mut input, &mut rng);
        user.check();
    }
    user.finish_inflating(&mut rng);
}

/// The owner of the connection.
struct User {
    connection: Connection,
    role: Role,
    limits: Limits,
    /// The largest message limit so far: the limit may have changed after a message began.
    max_message: u64,
    validates: bool,
    events: EventBatch,
    keys: Keys,
    taken: u64,
    written: u64,
    job: Option<InflateJob>,
    has_ended: bool,
}

impl User {
    fn new(connection: Connection, role: Role, limits: Limits, validates: bool) -> Self {
        let max_message = if limits.max_payload == 0 { u64::MAX } else { limits.max_payload };
        let (events, keys) = (EventBatch::new(), Keys::default());
        Self {
            connection,
            role,
            limits,
            max_message,
            validates,
            events,
            keys,
            taken: 0,
            written: 0,
            job: None,
            has_ended: false,
        }
    }

    /// Returns the approximate cost in bytes.
    fn command(&mut self, input: &mut Input<'_>, rng: &mut Rng) -> usize {
        let kind = input.byte();
        match kind % 16 {
            0..7 => {
                let mut stream = build(&mut Input::new(input.short()), opposite(self.role));
                if kind & 0x80 != 0 && !stream.is_empty() {
                    let at = rng.below(stream.len().min(64));
                    stream[at] ^= 1 << rng.below(8);
                }
                self.receive(&stream, rng);
                return stream.len() + 20;
            }
            7 => self.send(input.short(), kind & 0x10 == 0, kind & 0x20 == 0),
            8 => {
                let key = self.role.must_mask_sent().then(|| self.keys.next_key());
                match kind >> 4 & 3 {
                    0 => self.connection.ping(key, input.short()),
                    1 => self.connection.pong(key, input.short()),
                    2 => self.connection.close(Some(1000), input.short(), key),
                    _ => self.connection.write_raw(input.short()),
                }
            }
            9 => {
                let trimmed = self.connection.trim_memory();
                assert!(trimmed.freed < 1 << 20);
            }
            10 => {
                let max_payload = u64::from(input.number16());
                self.connection.set_max_payload(max_payload);
                let longest = if max_payload == 0 { u64::MAX } else { max_payload };
                self.max_message = self.max_message.max(longest);
            }
            11 => {
                // Takes effect with the next message, so the current one may or may not be
                // validated.
                self.connection.set_skip_utf8_validation(kind & 0x10 == 0);
                self.validates = false;
            }
            12 => self.connection.set_auto_pong(kind & 0x10 == 0),
            13 => self.write(usize::from(input.byte())),
            14 => self.inflate(rng),
            _ => self.take_connection(kind),
        }
        20
    }

    fn receive(&mut self, stream: &[u8], rng: &mut Rng) {
        let mut rest = stream;
        while !rest.is_empty() {
            let (chunk, behind) = rest.split_at(rng.piece(rest.len()));
            rest = behind;
            let mut chunk = chunk.to_vec();
            let waits = self.connection.is_inflating();
            if rng.once_in(2) {
                self.connection.receive(&chunk, &mut self.keys, &mut self.events);
            } else {
                self.connection.receive_in_place(&mut chunk, &mut self.keys, &mut self.events);
            }
            assert!(!waits || self.events.is_empty(), "nothing is parsed while a frame is inflated");
            self.take_events(&chunk);
            rest = self.detach(rest, rng);
            if rng.once_in(3) {
                self.inflate(rng);
            }
        }
    }

    /// Detaches a frame if there is one, like the event loop.
    fn detach<'s>(&mut self, stream: &'s [u8], rng: &mut Rng) -> &'s [u8] {
        if stream.is_empty() || rng.once_in(2) {
            return stream;
        }
        let Some((mut frame, mut payload)) = self.connection.detach_frame() else { return stream };
        let length = rng.piece(stream.len()).min(frame.length() - frame.received());
        let (chunk, rest) = stream.split_at(length);
        payload.extend_from_slice(chunk);
        let goes_on = self.connection.receive_detached(&mut frame, &mut payload);
        if goes_on && frame.received() == frame.length() {
            self.connection.finish_detached(frame, &mut self.events);
        } else {
            self.connection.reattach_frame(&frame, &payload, &mut self.keys, &mut self.events);
        }
        self.take_events(&payload);
        rest
    }

    fn take_events(&mut self, chunk: &[u8]) {
        while let Some(event) = Event::take(&mut self.events, chunk) {
            assert!(!self.has_ended, "{event:?} follows the last event");
            self.has_ended = event.is_last();
            match event {
                Event::Message { binary, data, fragments } => {
                    assert!(data.len() as u64 <= self.max_message, "{} bytes", data.len());
                    let total: usize = fragments.iter().map(|&length| length as usize).sum();
                    assert!(fragments.is_empty() || total == data.len());
                    let count = fragments.len() as u64;
                    assert!(self.limits.max_fragments == 0 || count <= u64::from(self.limits.max_fragments));
                    assert!(binary || !self.validates || std::str::from_utf8(&data).is_ok());
                }
                Event::Ping { data, .. } | Event::Pong(data) => assert!(data.len() <= 125),
                Event::Close(_, reason) => assert!(reason.len() <= 123),
                Event::Flooded => assert!(self.limits.max_pending_auto_pongs > 0),
                Event::Inflating => assert!(self.events.is_empty() && self.connection.is_inflating()),
                Event::Failed(_) => {}
            }
        }
    }

    /// Runs one step of an offloaded frame, and finishes it after the last step.
    fn inflate(&mut self, rng: &mut Rng) {
        if self.job.is_none() {
            self.job = self.connection.take_inflate_job();
        }
        let Some(mut job) = self.job.take() else { return };
        let progress = job.run([0, 5_000, usize::MAX][rng.below(3)]);
        let limit = usize::try_from(self.max_message).unwrap_or(usize::MAX);
        assert!(job.length() <= limit.saturating_add(CHUNK));
        if progress == Progress::Paused {
            self.job = Some(job);
            return;
        }
        self.connection.finish_inflate_job(job, &mut self.keys, &mut self.events);
        self.take_events(&[]);
    }

    fn finish_inflating(&mut self, rng: &mut Rng) {
        while self.job.is_some() || self.connection.is_inflating() {
            self.inflate(rng);
        }
        self.check();
    }

    fn send(&mut self, payload: &[u8], binary: bool, fin: bool) {
        let key = self.role.must_mask_sent().then(|| self.keys.next_key());
        self.connection.send_compressed(binary, fin, key, payload, true, &mut Broadcast::default());
    }

    /// Takes the output and writes two thirds of it.
    fn write(&mut self, more: usize) {
        let mut output = Vec::new();
        self.connection.take_output(&mut output);
        self.taken += output.len() as u64;
        let written = ((self.taken - self.written) * 2 / 3 + more as u64).min(self.taken - self.written);
        self.written += written;
        self.connection.mark_written(written);
    }

    /// The connection is moved out. The one left behind is usable.
    fn take_connection(&mut self, kind: u8) {
        let taken = self.connection.take();
        assert!(self.connection.is_receiving() && !self.connection.is_inflating());
        assert_eq!(self.connection.queued_total(), 0);
        if kind & 0x10 == 0 {
            self.connection.receive(&[0x0F, 0xFF], &mut self.keys, &mut self.events);
            assert!(!self.connection.is_receiving() && self.events.len() == 1);
            self.events.advance();
        }
        self.connection = taken;
    }

    fn check(&self) {
        let connection = &self.connection;
        assert_eq!(connection.queued_total(), self.taken + connection.output().len() as u64);
        assert_eq!(connection.written_total(), self.written);
        assert_eq!(connection.pending(), connection.queued_total() - self.written);
        assert!(!self.has_ended || !connection.is_receiving());
    }
}
