//! The state of a socket, shared by its owner and its I/O thread under one lock, and its undelivered events, which the owner swaps
//! out. Makes no system call.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::Descriptor;
use super::handoff::{PendingEvents, Reading};
use crate::connection::{Connection, EventBatch, MaskingKeys};
use crate::transport::io_threads::{Job, Registration};
use crate::transport::records::{RecordKind, RecordWriter};
use crate::transport::turn::{Interest, READS_PER_TURN, RECEIVE_BUFFER};

/// Undelivered bytes above which a socket is not read until its owner collects. Large enough for a busy owner to find
/// work at each look, small enough that 1,000 stalled connections take 256 MiB.
pub const INBOUND_HIGH_WATER: usize = 256 * 1024;

/// State of a requested shutdown of the write side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shutdown {
    NotAsked,
    /// Waits for all output to go out.
    Asked,
    Done,
}

/// Reads the descriptor, and writes when it becomes writable. Chosen when the socket is adopted.
#[derive(Clone)]
pub(in crate::transport) enum Driver {
    /// The owner's thread, in its event loop.
    Owner,
    /// An I/O thread.
    Thread(Arc<Registration>),
}

impl Driver {
    /// Has the task of an I/O thread look at the state again.
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
    pub(super) driver: Driver,
    /// The driver's descriptor; `None` once destroyed.
    pub(super) fd: Option<Descriptor>,
    /// The descriptor of the owner's event loop; `None` once destroyed.
    pub(super) owner_fd: Option<Descriptor>,
    /// A thread is reading, and its bytes are the next to be parsed.
    is_being_read: bool,
    /// An I/O thread may answer pings.
    pub(super) may_pong: bool,
    /// In the mailbox, or on its way there, and not collected since.
    announced: bool,
    /// Nothing is to be read or delivered.
    pub(super) paused: bool,
    /// Bytes read during the pause.
    pub(super) read_ahead: usize,
    /// Undelivered bytes exceed the high-water mark.
    pub(super) full: bool,
    /// The kernel has refused output; the driver waits for writability.
    pub(in crate::transport) blocked: bool,
    /// Output is held back.
    pub(super) corked: bool,
    /// Most output pending since none was.
    pub(super) peak: u64,
    /// Pending output from which the owner is told when all has gone out, each time.
    pub(super) drain_mark: Option<u64>,
    /// The owner is to be told when all output has gone out.
    pub(super) awaits_drain: bool,
    /// Nothing more is to be read: FIN, or a system call has failed.
    pub(super) ended: bool,
    /// A system call has failed, which the owner has been told or finds among the events.
    pub(super) failed: bool,
    pub(in crate::transport) destroyed: bool,
    /// Output total at which the owner is told next.
    pub(super) notify_at: Option<u64>,
    /// The last requested output total. Separate from `notify_at`: an owner that requests again and again is told in
    /// between.
    pub(super) notify_last: u64,
    pub(super) shutdown: Shutdown,
    pub(super) bytes_read: u64,
    /// The time of the last read on an I/O thread, if the connection has time limits.
    pub(super) last_read_at: Option<Instant>,
}

impl State {
    /// A socket that has neither read nor written, driven by the owner.
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
            last_read_at: None,
        }
    }

    /// Sets the driver.
    pub(super) fn drive(&mut self, driver: Driver) {
        self.driver = driver;
        self.choose_pongs();
    }

    /// Pings are answered here only on an I/O thread: on its own thread the owner answers them in the order of
    /// events.
    pub(super) fn choose_pongs(&mut self) {
        self.connection.set_auto_pong(self.may_pong && matches!(self.driver, Driver::Thread(_)));
    }

    /// Parses received bytes.
    pub(super) fn parse(&mut self, chunk: &[u8], keys: &mut dyn MaskingKeys) {
        self.bytes_read += chunk.len() as u64;
        self.read_ahead += if self.paused { chunk.len() } else { 0 };
        self.connection.receive(chunk, keys, &mut self.undelivered.events);
    }

    /// Parses received bytes in place.
    pub(super) fn parse_in_place(&mut self, chunk: &mut [u8], keys: &mut dyn MaskingKeys) {
        self.bytes_read += chunk.len() as u64;
        self.connection.receive_in_place(chunk, keys, &mut self.undelivered.events);
    }

    /// Counts received bytes that are not parsed.
    pub(super) fn note(&mut self, chunk: &mut [u8], _: &mut dyn MaskingKeys) {
        self.bytes_read += chunk.len() as u64;
    }

    /// True if no more must be parsed: enough is undelivered, or a frame is being inflated.
    pub(super) fn is_full(&self) -> bool {
        let events = &self.undelivered.events;
        let high_water = match self.connection.max_read() {
            0 => INBOUND_HIGH_WATER,
            // The owner stops reading when it has counted the events.
            max => INBOUND_HIGH_WATER.min(READS_PER_TURN * max),
        };
        // An event without payload still costs a record.
        self.connection.is_inflating() || events.payload_bytes() + 32 * events.len() > high_water
    }

    /// Adds the requested events of the output, after some of it has gone out.
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

    /// Notes the pending output, after some was queued.
    pub(super) fn note_pending(&mut self) {
        self.peak = self.peak.max(self.connection.pending());
    }

    fn has_passed(&self, mark: Option<u64>) -> bool {
        mark.is_some_and(|mark| self.peak >= mark)
    }

    /// True if at least `mark` bytes have been pending at once since the output was last empty. The owner is then notified when
    /// it is empty again.
    pub(super) fn needs_drain(&mut self, mark: u64) -> bool {
        self.awaits_drain |= self.has_passed(Some(mark));
        self.awaits_drain || self.undelivered.drained
    }

    /// The interest of an owner that drives.
    pub(super) fn interest(&self) -> Interest {
        let write = self.blocked && !self.destroyed;
        Interest {
            deliver: self.has_events(),
            read: self.wants_input(),
            read_ahead: self.reads_ahead(),
            write,
        }
    }

    /// True if the owner drives, nothing is in flight, and no request is open.
    pub(super) fn is_idle(&self) -> bool {
        let is_busy = self.is_being_read || self.paused || self.corked || self.awaits_drain;
        let has_requests =
            self.notify_at.is_some() || self.drain_mark.is_some() || self.shutdown != Shutdown::NotAsked;
        let is_driven = matches!(self.driver, Driver::Owner);
        is_driven
            && !(is_busy || has_requests || self.blocked)
            && self.wants_input()
            && self.undelivered.is_empty()
            && self.connection.is_idle()
    }

    /// Notes that a system call has failed: nothing more is read or written, and the owner is told once.
    pub(in crate::transport) fn fail(&mut self, fault: Fault) {
        self.ended = true;
        self.blocked = false;
        if !self.failed {
            self.failed = true;
            self.undelivered.fault = Some(fault);
        }
    }

    /// True if the descriptor is to be read when readable.
    pub(in crate::transport) fn wants_input(&self) -> bool {
        !(self.paused || self.full || self.ended || self.destroyed)
    }

    /// True if it is paused, and the descriptor is to be read if the peer has ended.
    pub(in crate::transport) fn reads_ahead(&self) -> bool {
        // As much as a Node socket buffers.
        self.paused && self.read_ahead < RECEIVE_BUFFER && !(self.full || self.ended || self.destroyed)
    }

    /// True if the peer has ended, and no event that a pause holds back precedes that.
    pub(super) fn has_bare_end(&self) -> bool {
        let SocketEvents { events, ended, .. } = &self.undelivered;
        *ended && self.read_ahead == 0 && events.is_empty()
    }
}

impl PendingEvents for State {
    fn has_events(&self) -> bool {
        let waiting = if self.paused {
            self.undelivered.has_urgent() || self.has_bare_end()
        } else {
            !self.undelivered.is_empty()
        };
        waiting && !self.destroyed
    }

    fn is_announced(&mut self) -> &mut bool {
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

/// A system call that failed and ended a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The system's error number, positive.
    pub errno: i32,
    /// True if a write failed, else a read.
    pub write: bool,
}

impl Fault {
    /// A failed read.
    pub(in crate::transport) fn read(error: &io::Error) -> Self {
        Self { errno: error.raw_os_error().unwrap_or(libc::EIO), write: false }
    }

    /// A failed write.
    pub(super) fn write(error: &io::Error) -> Self {
        Self { write: true, ..Self::read(error) }
    }
}

/// Undelivered events of one socket. Those of the connection come first, then the rest in the order of the fields:
/// nothing is read after `ended` or `fault`, so that is also the order in which they happened.
#[derive(Debug, Default)]
pub struct SocketEvents {
    /// Messages, control frames, protocol errors.
    pub events: EventBatch,
    /// Output total that the kernel has accepted, once it reaches the total of
    /// [`Socket::notify`](super::Socket::notify).
    pub written: Option<u64>,
    /// All output has gone out, as requested by [`Socket::needs_drain`](super::Socket::needs_drain) or
    /// [`Socket::watch_drain`](super::Socket::watch_drain).
    pub drained: bool,
    /// The write side was shut down on request.
    pub shut_down: bool,
    /// The peer has sent its FIN.
    pub ended: bool,
    /// A system call has failed; the socket is unusable.
    pub fault: Option<Fault>,
}

impl SocketEvents {
    /// True if there are no events.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && !self.ended && !self.has_urgent()
    }

    /// True if there are events that a pause does not hold back: of the output, and a failure.
    pub(super) fn has_urgent(&self) -> bool {
        self.written.is_some() || self.drained || self.shut_down || self.fault.is_some()
    }

    /// Takes the events that a pause does not hold back, and the peer's end if `has_end`. Events that were read
    /// before a failure are left for [`Socket::last_read`](super::Socket::last_read).
    pub(super) fn take_urgent(&mut self, has_end: bool) -> Self {
        Self {
            written: self.written.take(),
            drained: std::mem::take(&mut self.drained),
            shut_down: std::mem::take(&mut self.shut_down),
            ended: has_end && std::mem::take(&mut self.ended),
            fault: self.fault.take(),
            ..Self::default()
        }
    }

    /// Moves the events into a batch of records, until it is full. Returns true if some remain.
    pub fn write_to(&mut self, writer: &mut RecordWriter<'_>) -> bool {
        if writer.take_events(&mut self.events) {
            return true;
        }
        if let Some(total) = self.written
            && writer.push(RecordKind::Written, 0, total as u32, (total >> 32) as u32)
        {
            self.written = None;
        }
        self.drained = self.drained && !writer.push(RecordKind::Drain, 0, 0, 0);
        self.shut_down = self.shut_down && !writer.push(RecordKind::Shutdown, 0, 0, 0);
        self.ended = self.ended && !writer.push(RecordKind::End, 0, 0, 0);
        if let Some(fault) = self.fault
            && writer.push(RecordKind::Fault, u32::from(fault.write), 0, fault.errno.unsigned_abs())
        {
            self.fault = None;
        }
        !self.is_empty()
    }
}
