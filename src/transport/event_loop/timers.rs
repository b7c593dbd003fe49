//! Connections with time limits: the look at one whose deadline has come, automatic pings, and their pongs, which leave an idle
//! connection idle. Called by `cycle` and `event_loop`. The rules are in [`timers`](crate::transport::timers).

use std::rc::Rc;
use std::sync::Arc;

use super::Host;
use super::connection::ActiveConnection;
use super::event_loop::EventLoop;
use super::poller::Readiness;
use crate::connection::{MaskingKeys, TimeLimits, encode_heartbeat, is_heartbeat_answer};
use crate::transport::timers::{DueAction, Output, Verdict};
use crate::transport::transports::{Backend, Transport};

/// Looks at a connection whose deadline has come. Returns the action that the host is to take.
pub(super) fn check<H: Host>(event_loop: &EventLoop<H>, id: u32) -> Option<DueAction> {
    let (transports, liveness) = (event_loop.transports(), &event_loop.liveness);
    let transport = transports.get(id)?;
    // A busy transport is being made: it has not been watched yet.
    let mut transport = transport.try_borrow_mut().ok()?;
    let limits = transport.config().time_limits;
    if !limits.is_set() || transport.is_closed() {
        return None;
    }
    if let Some(since) = transport.active().and_then(|active| active.socket().take_last_read()) {
        liveness.note_earlier(id, u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
    }
    let verdict = liveness.judge(id, &limits);
    if verdict == Verdict::Wait || transport.with_connection(|c| c.is_closing()) == Some(true) {
        // The closing handshake has a time limit of its own.
        return None;
    }
    match verdict {
        Verdict::Wait => None,
        Verdict::Old => Some(DueAction::Close),
        _ if shows_signs(event_loop, id, &mut transport, verdict, &limits) => {
            liveness.note(id);
            liveness.schedule(id, &limits);
            None
        }
        Verdict::Ping => ping(event_loop, id, &mut transport, &limits),
        Verdict::Silent => Some(DueAction::Terminate),
    }
}

/// Notes that the peer of a transport is alive.
pub(super) fn note_alive<H: Host>(event_loop: &EventLoop<H>, id: u32) {
    let Some(transport) = event_loop.transports().get(id) else { return };
    let Ok(transport) = transport.try_borrow() else { return };
    let limits = transport.config().time_limits;
    if limits.is_set() {
        event_loop.liveness.set_now(event_loop.host().now());
        event_loop.liveness.note(id);
        event_loop.liveness.schedule(id, &limits);
    }
}

/// Sends an automatic ping, unless the last one still waits behind other output. An idle connection stays idle, unless the kernel refuses
/// the ping.
fn ping<H: Host>(
    event_loop: &EventLoop<H>,
    id: u32,
    transport: &mut Transport<H::Memory>,
    limits: &TimeLimits,
) -> Option<DueAction> {
    let liveness = &event_loop.liveness;
    let before = output(transport);
    if let Some(queued) = liveness.waiting_ping(id, before) {
        liveness.note_ping(id, limits, Output { queued, ..before });
        return None;
    }
    let masks = transport.config().role.must_mask_sent();
    let key = masks.then(|| event_loop.host().masking_keys().next_key());
    let mut action = None;
    match transport.backend() {
        Backend::Idle(idle) => {
            let (frame, length) = encode_heartbeat(key);
            let refused = idle.socket().write(&frame[..length]);
            if !refused.is_empty() {
                transport.run(event_loop, |connection| connection.write_raw(refused));
            }
        }
        Backend::Stream(stream) => {
            stream.connection.ping_automatically(key);
            action = Some(DueAction::Flush);
        }
        Backend::Active(_) => {
            transport.run(event_loop, |connection| connection.ping_automatically(key));
        }
        Backend::Closed(_) => return None,
    }
    let queued = transport.totals().queued;
    liveness.note_ping(id, limits, Output { queued, ..before });
    action
}

/// True if the peer of a silent connection may be alive: reading is paused, or received bytes wait, or the peer reads output that stands
/// in front of a ping. A stream is for the host to judge.
fn shows_signs<H: Host>(
    event_loop: &EventLoop<H>,
    id: u32,
    transport: &mut Transport<H::Memory>,
    verdict: Verdict,
    limits: &TimeLimits,
) -> bool {
    let is_last_look = verdict == Verdict::Silent;
    let has_input = match transport.backend() {
        Backend::Idle(idle) => is_last_look && idle.socket().has_input(),
        Backend::Active(active) => {
            let socket = active.socket();
            socket.is_paused() || (is_last_look && socket.has_input())
        }
        Backend::Stream(_) | Backend::Closed(_) => return false,
    };
    has_input || (limits.send_pings && event_loop.liveness.is_reading(id, output(transport)))
}

/// The output of a connection, with the part of it that the peer's system has acknowledged.
fn output<M>(transport: &mut Transport<M>) -> Output {
    let queued = transport.totals().queued;
    let acknowledged = match transport.backend() {
        Backend::Idle(idle) => idle.socket().acknowledged(),
        Backend::Active(active) => active.socket().acknowledged(),
        Backend::Stream(stream) => stream.connection.written_total(),
        Backend::Closed(_) => queued,
    };
    Output { queued, acknowledged }
}

/// Reads from an idle connection with a heartbeat, and makes it active, unless it has received the pong of an automatic ping alone. The
/// bytes that were read are parsed; `ready` is left with the readiness that is not used up.
pub(super) fn receive_on_idle<H: Host>(
    event_loop: &EventLoop<H>,
    id: u32,
    transport: &mut Transport<H::Memory>,
    ready: &mut Readiness,
) -> Option<Rc<ActiveConnection<H::Memory>>> {
    if event_loop.has_ended() {
        return None;
    }
    let mut buffer = event_loop.io()?.buffer.borrow_mut();
    let config = Arc::clone(transport.config());
    let Backend::Idle(idle) = transport.backend() else { return None };
    let result = idle.socket().read(&mut buffer);
    if result.as_ref().is_ok_and(|length| *length > 0) {
        event_loop.liveness.note(id);
    }
    if let Ok(length) = result
        && is_heartbeat_answer(&config, &buffer[..length])
    {
        idle.socket().note_read(length);
        return None;
    }
    let connection = event_loop.activate(transport)?.clone();
    let mut memory = event_loop.transports().event_memory();
    let mut keys = event_loop.host().masking_keys();
    let is_drained = connection.socket().receive_read(result, &mut buffer, &mut *keys, &mut memory);
    connection.interest.set(connection.socket().interest());
    ready.read &= !is_drained;
    Some(connection)
}
