//! The rules of [`TimeLimits`]: the ticks at which a connection is looked at, and what its silence or its age means then. The
//! [state](Peer) of a connection is found by its id, so that an idle one needs no more memory than without limits. Used by `event_loop`.
//!
//! * A peer that has been silent for half of `idle_timeout` is pinged, one that has been silent for all of it is lost. It has at least
//!   half of the time to answer, also if the ping is late.
//! * If output stands in front of the ping, its progress counts as a sign of the peer, from the look that finds it on.
//!
//! Times are ticks of [`TICK_MS`]. The moment of an event is known to a tick, so deadlines are rounded up by one: nothing is early.

use std::cell::{Cell, RefCell};

use super::wheel::Wheel;
use crate::connection::TimeLimits;

/// Milliseconds of a tick: short enough for a limit of a second, long enough that one look serves many connections.
const TICK_MS: u64 = 64;
const TICK: u64 = TICK_MS * 1_000_000;
const NEVER: u32 = u32::MAX;

/// A connection that the host acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its id.
    pub id: u32,
    /// The action.
    pub action: DueAction,
}

/// Action of the host on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum DueAction {
    /// Take the output: a ping of a stream.
    Flush = 1,
    /// Terminate: the peer was silent for `idle_timeout`. Over a stream, only if the host finds no other sign of the peer.
    Terminate = 2,
    /// Close: `max_lifetime` has passed.
    Close = 3,
}

/// State of a connection whose deadline has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transport) enum Verdict {
    /// Nothing is to be done; another deadline is set.
    Wait,
    /// A ping is due.
    Ping,
    /// Nothing was received for `idle_timeout`.
    Silent,
    /// `max_lifetime` has passed. Given once.
    Old,
}

/// Running totals of the bytes of a connection's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::transport) struct Output {
    pub(in crate::transport) queued: u64,
    /// Bytes that the peer's system has acknowledged, as far as known.
    pub(in crate::transport) acknowledged: u64,
}

/// State of one connection.
#[derive(Clone, Copy, Debug)]
struct Peer {
    /// The tick of the last sign of the peer.
    last: u32,
    /// The tick of the last ping.
    pinged: u32,
    /// The tick at which the lifetime ends.
    end: u32,
    /// The end of that ping in the output, and the part of the output that had been acknowledged at the last look.
    ping_end: u64,
    acknowledged: u64,
}

/// The watched connections of an owner. Lives on its thread.
#[derive(Debug, Default)]
pub(in crate::transport) struct Liveness {
    is_used: Cell<bool>,
    /// The present tick, from 1 on.
    now: Cell<u32>,
    /// The tick that the host's timer waits for.
    wake: Cell<u32>,
    wheel: RefCell<Wheel>,
    peers: RefCell<Vec<Peer>>,
}

impl Liveness {
    /// True once a connection was watched: from then on the clock is read.
    pub(in crate::transport) fn is_used(&self) -> bool {
        self.is_used.get()
    }

    /// Sets the clock, in nanoseconds since any fixed moment.
    pub(in crate::transport) fn set_now(&self, nanos: u64) {
        self.now.set(tick_of(nanos).max(self.now.get()));
    }

    /// Begins to watch a connection that is opened now. It ends by itself when a deadline finds another connection or none.
    pub(in crate::transport) fn watch(&self, id: u32, limits: &TimeLimits, nanos: u64) {
        self.is_used.set(true);
        self.set_now(nanos);
        let now = self.now.get();
        let end = if limits.max_lifetime > 0 { add(now + 1, limits.max_lifetime) } else { NEVER };
        let peer = Peer { last: now, pinged: 0, end, ping_end: 0, acknowledged: 0 };
        let mut peers = self.peers.borrow_mut();
        if peers.len() <= id as usize {
            peers.resize(id as usize + 1, peer);
        }
        peers[id as usize] = peer;
        drop(peers);
        self.schedule(id, limits);
    }

    /// Notes a sign of a peer. Its deadline is moved when it comes.
    pub(in crate::transport) fn note(&self, id: u32) {
        if let Some(peer) = self.peers.borrow_mut().get_mut(id as usize) {
            peer.last = self.now.get();
        }
    }

    /// Notes a sign of a peer `nanos` ago.
    pub(in crate::transport) fn note_earlier(&self, id: u32, nanos: u64) {
        if let Some(peer) = self.peers.borrow_mut().get_mut(id as usize) {
            // Rounded down: the result is not before the tick of that moment, which may be that of a ping.
            let ticks = u32::try_from(nanos / TICK).unwrap_or(NEVER);
            peer.last = peer.last.max(self.now.get().saturating_sub(ticks));
        }
    }

    /// Sets the next deadline of a connection.
    pub(in crate::transport) fn schedule(&self, id: u32, limits: &TimeLimits) {
        let peers = self.peers.borrow();
        let Some(peer) = peers.get(id as usize) else { return };
        let next = peer.silence_deadline(limits).0.min(peer.end);
        let mut wheel = self.wheel.borrow_mut();
        if next == NEVER {
            wheel.clear(id);
        } else {
            wheel.set(id, next);
        }
    }

    /// Takes the connections whose deadlines have come.
    pub(in crate::transport) fn take_due(&self) -> Vec<u32> {
        let mut due = Vec::new();
        self.wake.set(0);
        self.wheel.borrow_mut().advance(self.now.get(), &mut due);
        due
    }

    /// Judges a connection of [`Liveness::take_due`]. Without another call, only after [`Verdict::Wait`] and [`Verdict::Old`] is it
    /// looked at again.
    pub(in crate::transport) fn judge(&self, id: u32, limits: &TimeLimits) -> Verdict {
        let now = self.now.get();
        let verdict = {
            let mut peers = self.peers.borrow_mut();
            let Some(peer) = peers.get_mut(id as usize) else { return Verdict::Wait };
            let (deadline, verdict) = peer.silence_deadline(limits);
            if peer.end <= now {
                peer.end = NEVER;
                Verdict::Old
            } else if deadline <= now {
                return verdict;
            } else {
                Verdict::Wait
            }
        };
        self.schedule(id, limits);
        verdict
    }

    /// Notes a ping, and sets the next deadline. `output` is that with the ping, and the acknowledged part from before it.
    pub(in crate::transport) fn note_ping(&self, id: u32, limits: &TimeLimits, output: Output) {
        if let Some(peer) = self.peers.borrow_mut().get_mut(id as usize) {
            peer.pinged = self.now.get();
            (peer.ping_end, peer.acknowledged) = (output.queued, output.acknowledged);
        }
        self.schedule(id, limits);
    }

    /// The end of the last ping in the output, if it has not reached the peer's system: output stands in front of it.
    pub(in crate::transport) fn waiting_ping(&self, id: u32, output: Output) -> Option<u64> {
        let end = self.peers.borrow().get(id as usize)?.ping_end;
        (end > output.acknowledged).then_some(end)
    }

    /// True if the peer reads output in front of the last ping: some has reached its system since the last look.
    pub(in crate::transport) fn is_reading(&self, id: u32, output: Output) -> bool {
        let is_waiting = self.waiting_ping(id, output).is_some();
        let mut peers = self.peers.borrow_mut();
        let Some(peer) = peers.get_mut(id as usize) else { return false };
        // For a Unix socket, the part is an estimate, and may shrink.
        let is_reading = is_waiting && output.acknowledged > peer.acknowledged;
        peer.acknowledged = output.acknowledged.max(peer.acknowledged);
        is_reading
    }

    /// Milliseconds until the next deadline may have passed. `None` if there is none, or if the timer that the host has, according to
    /// `is_armed`, is early enough.
    pub(in crate::transport) fn delay(&self, nanos: u64, is_armed: bool) -> Option<u32> {
        let next = self.wheel.borrow().next_tick()?;
        if is_armed && (1..=next).contains(&self.wake.get()) {
            return None;
        }
        self.wake.set(next);
        let begin = u64::from(next - 1) * TICK;
        Some(begin.saturating_sub(nanos).div_ceil(1_000_000) as u32)
    }
}

impl Peer {
    /// The tick at which the silence of the peer has a consequence, and that consequence.
    fn silence_deadline(&self, limits: &TimeLimits) -> (u32, Verdict) {
        let whole = limits.idle_timeout;
        if whole == 0 {
            return (NEVER, Verdict::Wait);
        }
        let lost = add(self.last + 1, whole);
        if !limits.send_pings {
            return (lost, Verdict::Silent);
        }
        let half = whole.div_ceil(2);
        if self.pinged <= self.last {
            return (add(self.last + 1, half), Verdict::Ping);
        }
        (lost.max(add(self.pinged + 1, half)), Verdict::Silent)
    }
}

/// The tick of a moment.
fn tick_of(nanos: u64) -> u32 {
    u32::try_from(nanos / TICK + 1).unwrap_or(NEVER - 1)
}

/// The first tick `millis` milliseconds after the beginning of a tick.
fn add(tick: u32, millis: u32) -> u32 {
    tick.saturating_add(u64::from(millis).div_ceil(TICK_MS) as u32).min(NEVER - 1)
}
