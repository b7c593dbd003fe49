//! A receiving end, and the modes in which the same bytes can be delivered to it.

use super::event::Event;
use super::input::Rng;
use super::keys::Keys;
use crate::connection::{Connection, EventBatch};
use crate::protocol::deflate::{InflateJob, Progress};

/// Mode of delivering bytes to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeliveryMode {
    /// In one chunk, events taken at the end.
    Whole,
    /// Byte by byte; in larger pieces if the stream is long.
    Bytewise,
    /// In pieces.
    Split,
    /// In pieces, each parsed in place.
    InPlace,
    /// In place, with large frames detached.
    Detached,
}

/// Result of a stream.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) events: Vec<Event>,
    pub(super) output: Vec<u8>,
    pub(super) is_receiving: bool,
    pub(super) is_between_frames: bool,
}

impl Outcome {
    /// True if both are equal, ignoring the end of the chunk in which a pong flood began: it is
    /// still parsed, and its length depends on the mode.
    pub(super) fn equals(&self, other: &Self) -> bool {
        let Some(flooded) = self.events.iter().position(|event| *event == Event::Flooded) else {
            return self == other;
        };
        let common = self.events.len().min(other.events.len());
        // The ping that exceeded the limit follows.
        common > flooded + 1
            && self.events[..common] == other.events[..common]
            && self.output == other.output
            && !self.is_receiving
            && !other.is_receiving
    }
}

/// A receiving connection.
pub(super) struct Receiver<'d> {
    connection: Connection,
    events: EventBatch,
    keys: Keys,
    seen: Vec<Event>,
    rng: &'d mut Rng,
    /// The offloaded frame, and the number of chunks until it is finished.
    job: Option<(InflateJob, usize)>,
}

impl<'d> Receiver<'d> {
    pub(super) fn new(connection: Connection, rng: &'d mut Rng) -> Self {
        let (events, keys) = (EventBatch::new(), Keys::default());
        Self { connection, events, keys, seen: Vec::new(), rng, job: None }
    }

    /// Delivers all of `stream`.
    pub(super) fn run(mut self, stream: &[u8], mode: DeliveryMode) -> Outcome {
        let mut rest = stream;
        while !rest.is_empty() {
            let length = match mode {
                DeliveryMode::Whole => rest.len(),
                DeliveryMode::Bytewise => (1 + stream.len() / 4_000).min(rest.len()),
                DeliveryMode::Split | DeliveryMode::InPlace | DeliveryMode::Detached => {
                    self.rng.piece(rest.len())
                }
            };
            let (chunk, behind) = rest.split_at(length);
            rest = behind;
            match mode {
                DeliveryMode::Whole | DeliveryMode::Bytewise | DeliveryMode::Split => {
                    self.connection.receive(chunk, &mut self.keys, &mut self.events);
                    self.take_some();
                }
                DeliveryMode::InPlace | DeliveryMode::Detached => self.receive_in_place(chunk),
            }
            if mode == DeliveryMode::Detached {
                rest = self.detach(rest);
            }
            self.inflate(false);
        }
        self.inflate(true);
        self.take_all(&[]);
        let mut output = Vec::new();
        self.connection.take_output(&mut output);
        assert_eq!(output.len() as u64, self.connection.queued_total());
        let ends = self.seen.iter().position(Event::is_last).is_none_or(|at| at + 1 == self.seen.len());
        assert!(ends, "something follows the last event");
        Outcome {
            is_receiving: self.connection.is_receiving(),
            // Unspecified after the end of a stream.
            is_between_frames: self.connection.is_receiving() && self.connection.is_between_frames(),
            events: self.seen,
            output,
        }
    }

    fn receive_in_place(&mut self, chunk: &[u8]) {
        let mut chunk = chunk.to_vec();
        self.connection.receive_in_place(&mut chunk, &mut self.keys, &mut self.events);
        if self.rng.once_in(4) {
            self.events.copy_out_chunk(&chunk);
            self.take_some();
        } else {
            self.take_all(&chunk);
        }
    }

    /// Detaches a frame if there is one, and finishes or reattaches it. Returns the bytes of
    /// `stream` after it.
    fn detach<'s>(&mut self, stream: &'s [u8]) -> &'s [u8] {
        let Some((mut frame, mut payload)) = self.connection.detach_frame() else { return stream };
        assert!(!self.connection.is_inflating() && frame.received() == payload.len());
        self.take_all(&[]);
        let mut rest = stream;
        let gives_up = self.rng.below(6);
        let mut goes_on = true;
        while goes_on
            && frame.received() < frame.length()
            && !rest.is_empty()
            && gives_up != self.rng.below(6)
        {
            let length = self.rng.piece(rest.len()).min(frame.length() - frame.received());
            let (chunk, behind) = rest.split_at(length);
            rest = behind;
            payload.extend_from_slice(chunk);
            goes_on = self.connection.receive_detached(&mut frame, &mut payload);
        }
        let Self { connection, events, keys, .. } = self;
        // Invalid text is reattached even if it is complete.
        if goes_on && frame.received() == frame.length() {
            connection.finish_detached(frame, events);
            self.take_all(&payload);
        } else {
            connection.reattach_frame(&frame, &payload, keys, events);
        }
        rest
    }

    /// Takes an inflate job and runs it, now or a few chunks later.
    fn inflate(&mut self, now: bool) {
        loop {
            if self.job.is_none()
                && let Some(job) = self.connection.take_inflate_job()
            {
                assert!(self.connection.take_inflate_job().is_none());
                self.job = Some((job, self.rng.below(4)));
            }
            let Some((mut job, later)) = self.job.take() else { return };
            assert!(self.connection.is_inflating() && self.connection.detach_frame().is_none());
            if later > 0 && !now {
                self.job = Some((job, later - 1));
                return;
            }
            let budget = [0, 10_000, 100_000, usize::MAX][self.rng.below(4)];
            while job.run(budget) == Progress::Paused {}
            self.connection.finish_inflate_job(job, &mut self.keys, &mut self.events);
            self.take_some();
        }
    }

    fn take(&mut self, chunk: &[u8]) -> bool {
        let Some(event) = Event::take(&mut self.events, chunk) else { return false };
        if event != Event::Inflating {
            self.seen.push(event);
        }
        true
    }

    fn take_all(&mut self, chunk: &[u8]) {
        while self.take(chunk) {}
    }

    /// A reader that does not always keep up.
    fn take_some(&mut self) {
        for _ in 0..[0, 1, 3, usize::MAX][self.rng.below(4)] {
            if !self.take(&[]) {
                return;
            }
        }
    }
}
