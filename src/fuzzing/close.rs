//! Close frame payloads: accepted codes and reasons (RFC 6455 section 7.4), and round trips.

use super::Input;
use super::event::Event;
use crate::connection::{Config, Connection, EventBatch, TimeLimits};
use crate::protocol::{FrameHeader, Limits, MaskingKey, Opcode, ProtocolError, Role};

/// Input: a flag that disables UTF-8 validation, and the payload.
///
/// # Panics
/// If a property does not hold.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let validate = !input.flag();
    let payload = input.remaining();
    let payload = &payload[..payload.len().min(125)];

    let mut frame = Vec::new();
    let header = FrameHeader {
        fin: true,
        rsv1: false,
        opcode: Opcode::Close,
        masking_key: None,
        payload_length: payload.len() as u64,
    };
    header.encode(&mut frame);
    frame.extend_from_slice(payload);
    let expected = expected(payload, validate);
    assert_eq!(received(Role::Client, validate, &frame), expected);

    // A round trip, masked and unmasked.
    let (code, reason) = match payload {
        [high, low, reason @ ..] => (Some(u16::from_be_bytes([*high, *low])), reason),
        _ => (None, payload),
    };
    for role in [Role::Client, Role::Server] {
        let (key, peer) = match role {
            Role::Client => (Some(MaskingKey([0x37, 0xFA, 0x21, 0x3D])), Role::Server),
            Role::Server => (None, Role::Client),
        };
        let mut sender = end(role, validate);
        sender.close(code, reason, key);
        assert_eq!(sender.queued_total(), sender.output().len() as u64);
        let seen = received(peer, validate, sender.output());
        match code {
            Some(_) => assert_eq!(seen, expected),
            None => assert_eq!(seen, Event::Close(1005, Vec::new())),
        }
    }
}

fn end(role: Role, validate: bool) -> Connection {
    Connection::new(Config {
        role,
        limits: Limits::default(),
        auto_pong: true,
        skip_utf8_validation: !validate,
        time_limits: TimeLimits::default(),
        deflate: None,
    })
}

/// The single event of a close frame.
fn received(role: Role, validate: bool, frame: &[u8]) -> Event {
    let mut connection = end(role, validate);
    let mut events = EventBatch::new();
    connection.receive(frame, &mut super::keys::Keys::default(), &mut events);
    assert!(!connection.is_receiving() && connection.output().is_empty());
    let event = Event::take(&mut events, &[]);
    assert!(events.is_empty());
    event.unwrap_or(Event::Flooded)
}

/// RFC 6455 sections 5.5.1 and 7.4, and the IANA registry.
fn expected(payload: &[u8], validate: bool) -> Event {
    let (code, reason) = match payload {
        [] => return Event::Close(1005, Vec::new()),
        [_] => return Event::Failed(ProtocolError::InvalidControlPayloadLength(1)),
        [high, low, reason @ ..] => (u16::from(*high) << 8 | u16::from(*low), reason),
    };
    let may_travel = match code {
        // Unused, reserved, never sent; from 1016 on, for later versions of the protocol.
        0..1000 | 1004 | 1005 | 1006 | 1015 | 1016..3000 | 5000.. => false,
        _ => true,
    };
    if !may_travel {
        return Event::Failed(ProtocolError::InvalidCloseCode(code));
    }
    if validate && std::str::from_utf8(reason).is_err() {
        return Event::Failed(ProtocolError::InvalidUtf8);
    }
    Event::Close(code, reason.into())
}
