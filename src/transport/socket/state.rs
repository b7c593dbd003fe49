//! What the owner of a socket and the thread that may drive it both look at, under one lock.

use std::sync::Arc;

use super::events::{Fault, SocketEvents};
use super::news::News;
use super::reading::Reading;
use super::{Descriptor, INBOUND_HIGH_WATER, Interest, RECEIVE_BUFFER};
use crate::connection::{Connection, MaskingKeys};
use crate::transport::io_threads::{Job, Registration};

/// What a shutdown of the write side waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shutdown {
    NotAsked,
    /// All output must go out first.
    Asked,
    Done,
}

/// Who reads the descriptor, and writes to it when it has become writable.
#[derive(Clone)]
pub(in crate::transport) enum Driver {
    /// The owner's thread, when its event loop says so.
    Owner,
    /// An I/O thread.
    Thread(Arc<Registration>),
}

impl Driver {
    /// Whether it is the thread on which the socket has this registration.
    pub(in crate::transport) fn is(&self, registration: &Arc<Registration>) -> bool {
        matches!(self, Self::Thread(own) if Arc::ptr_eq(own, registration))
    }

    /// Has the task of a thread that drives look at the state anew.
    pub(super) fn look(&self) {
        if let Self::Thread(registration) = self {
            registration.worker.push(Job::Poll(Arc::clone(registration)));
        }
    }
}

#[allow(clippy::struct_excessive_bools, reason = "facts that hold or not, independently of each other")]
pub(in crate::transport) struct State {
    pub(super) connection: Connection,
    pub(super) undelivered: SocketEvents,
    pub(in crate::transport) driver: Driver,
    /// What the driver reads; `None` once destroyed.
    pub(super) fd: Option<Descriptor>,
    /// What the owner's event loop reads when it drives; `None` once destroyed.
    pub(super) owner_fd: Option<Descriptor>,
    /// A thread is reading, and what it gets is the next to be parsed.
    is_being_read: bool,
    /// Whether a thread may answer pings.
    pub(super) may_pong: bool,
    /// In the mailbox, or on its way there, and not collected since.
    announced: bool,
    /// The owner wants nothing read, and nothing delivered of what was read.
    pub(super) paused: bool,
    /// Bytes that were read since then.
    pub(super) read_ahead: usize,
    /// The undelivered is over its high-water mark.
    pub(super) full: bool,
    /// The kernel refused output; the driver waits until the descriptor is writable.
    pub(in crate::transport) blocked: bool,
    /// The owner wants the received bytes, too.
    pub(super) tapped: bool,
    /// The owner holds the output back.
    pub(super) corked: bool,
    /// The most output that has been pending since none was.
    pub(super) peak: u64,
    /// The owner is told whenever all output has gone out after so much of it was pending.
    pub(super) drain_mark: Option<u64>,
    /// The owner is to be told when all output has gone out.
    pub(super) awaits_drain: bool,
    /// Nothing more is to be read: FIN, or a system call failed.
    pub(super) ended: bool,
    /// A system call failed; the owner has been told, or finds it in the undelivered.
    pub(super) failed: bool,
    pub(in crate::transport) destroyed: bool,
    /// Output total at which the owner is told next.
    pub(super) notify_at: Option<u64>,
    /// The last output total that it asked for. Kept apart: an owner that asks again and again is told on the way.
    pub(super) notify_last: u64,
    pub(super) shutdown: Shutdown,
    pub(super) bytes_read: u64,
}

impl State {
    /// Nothing was read or written yet, and the owner drives.
    pub(super) fn new(mut connection: Connection, owner_fd: Descriptor, may_pong: bool) -> Self {
        connection.set_auto_pong(false);
        Self {
            connection,
            undelivered: SocketEvents::default(),
            driver: Driver::Owner,
            fd: Some(owner_fd.clone()),
            owner_fd: Some(owner_fd),
            is_being_read: false,
            may_pong,
            announced: false,
            paused: false,
            read_ahead: 0,
            full: false,
            blocked: false,
            corked: false,
            tapped: false,
            peak: 0,
            drain_mark: None,
            awaits_drain: false,
            ended: false,
            failed: false,
            destroyed: false,
            notify_at: None,
            notify_last: 0,
            shutdown: Shutdown::NotAsked,
            bytes_read: 0,
        }
    }

    /// Gives the socket to another driver.
    pub(super) fn drive(&mut self, driver: Driver) {
        self.driver = driver;
        self.choose_pongs();
    }

    /// Pings are answered here only on a thread: on its own thread the owner answers them in the order of events.
    pub(super) fn choose_pongs(&mut self) {
        self.connection.set_auto_pong(self.may_pong && matches!(self.driver, Driver::Thread(_)));
    }

    /// Parses received bytes into the undelivered.
    pub(super) fn parse(&mut self, chunk: &[u8], keys: &mut dyn MaskingKeys) {
        self.bytes_read += chunk.len() as u64;
        self.read_ahead += if self.paused { chunk.len() } else { 0 };
        self.connection.receive(chunk, keys, &mut self.undelivered.events);
        if self.tapped {
            self.undelivered.raw.extend_from_slice(chunk);
        }
    }

    /// The same in place, where that can be: what was tapped must be seen as it came.
    pub(super) fn parse_in_place(&mut self, chunk: &mut [u8], keys: &mut dyn MaskingKeys) {
        if self.tapped {
            self.parse(chunk, keys);
        } else {
            self.bytes_read += chunk.len() as u64;
            self.connection.receive_in_place(chunk, keys, &mut self.undelivered.events);
        }
    }

    /// Received bytes that are not parsed yet: counts them, and notes them if they were tapped.
    pub(super) fn note(&mut self, chunk: &mut [u8], _: &mut dyn MaskingKeys) {
        self.bytes_read += chunk.len() as u64;
        if self.tapped {
            self.undelivered.raw.extend_from_slice(chunk);
        }
    }

    /// Whether the undelivered holds as much as it may, or nothing would be parsed: a frame is inflated elsewhere.
    pub(super) fn is_full(&self) -> bool {
        let SocketEvents { events, raw, .. } = &self.undelivered;
        // An event without payload still costs a record.
        self.connection.is_inflating()
            || events.payload_bytes() + 32 * events.len() + raw.len() > INBOUND_HIGH_WATER
    }

    /// Notes in the undelivered what the owner asked to be told about the output, now that some of it went out.
    pub(super) fn settle(&mut self) {
        let written = self.connection.written_total();
        if self.notify_at.is_some_and(|at| written >= at) {
            self.notify_at = (written < self.notify_last).then_some(self.notify_last);
            self.undelivered.written = Some(written);
        }
        if self.connection.pending() == 0 {
            self.undelivered.drained |= self.awaits_drain || self.has_passed(self.drain_mark);
            self.awaits_drain = false;
            self.peak = 0;
        }
    }

    /// Notes how much output is pending, now that some was queued.
    pub(super) fn note_pending(&mut self) {
        self.peak = self.peak.max(self.connection.pending());
    }

    fn has_passed(&self, mark: Option<u64>) -> bool {
        mark.is_some_and(|mark| self.peak >= mark)
    }

    /// Whether as much output as `mark` has been pending since none was. If so, the owner is told when none is.
    pub(super) fn needs_drain(&mut self, mark: u64) -> bool {
        self.awaits_drain |= self.has_passed(Some(mark));
        self.awaits_drain || self.undelivered.drained
    }

    /// What the owner has to see to if it drives.
    pub(super) fn interest(&self) -> Interest {
        let write = self.blocked && !self.destroyed;
        Interest { deliver: self.has_news(), read: self.wants_input(), read_ahead: self.reads_ahead(), write }
    }

    /// Whether the owner drives, nothing is in flight, and nothing that was asked for is still to be done or told.
    pub(super) fn is_idle(&self) -> bool {
        let is_restless =
            self.is_being_read || self.paused || self.tapped || self.corked || self.awaits_drain;
        let is_asked =
            self.notify_at.is_some() || self.drain_mark.is_some() || self.shutdown != Shutdown::NotAsked;
        let is_driven = matches!(self.driver, Driver::Owner);
        is_driven
            && !(is_restless || is_asked || self.blocked)
            && self.wants_input()
            && self.undelivered.is_empty()
            && self.connection.is_idle()
    }

    /// A system call failed: nothing more is read or written, and the owner is told once.
    pub(in crate::transport) fn fail(&mut self, fault: Fault) {
        self.ended = true;
        self.blocked = false;
        if !self.failed {
            self.failed = true;
            self.undelivered.fault = Some(fault);
        }
    }

    /// Whether the descriptor is to be read when it is readable.
    pub(in crate::transport) fn wants_input(&self) -> bool {
        !(self.paused || self.full || self.ended || self.destroyed)
    }

    /// Whether it is paused and the descriptor is to be read if the peer has ended.
    pub(in crate::transport) fn reads_ahead(&self) -> bool {
        // As much as a socket of Node's keeps.
        self.paused && self.read_ahead < RECEIVE_BUFFER && !(self.full || self.ended || self.destroyed)
    }

    /// Whether the peer has ended, and nothing that a pause holds back is in front of that.
    pub(super) fn has_bare_end(&self) -> bool {
        let SocketEvents { events, raw, ended, .. } = &self.undelivered;
        *ended && self.read_ahead == 0 && events.is_empty() && raw.is_empty()
    }
}

impl News for State {
    fn has_news(&self) -> bool {
        let waiting = if self.paused {
            self.undelivered.has_urgent() || self.has_bare_end()
        } else {
            !self.undelivered.is_empty()
        };
        waiting && !self.destroyed
    }

    fn announced(&mut self) -> &mut bool {
        &mut self.announced
    }
}

impl Reading for State {
    fn is_being_read(&self) -> bool {
        self.is_being_read
    }

    fn set_being_read(&mut self, is_being_read: bool) {
        self.is_being_read = is_being_read;
    }
}
