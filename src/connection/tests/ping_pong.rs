//! Automatic pongs and their limit.

use super::{CountingKeys, Event, client, config, receive, server, with_limits};
use crate::connection::{
    Config, Connection, EventBatch, HEARTBEAT_PAYLOAD, TimeLimits, encode_heartbeat, is_heartbeat_answer,
};
use crate::protocol::{Limits, MaskingKey, ProtocolError, Role};

fn ping(payload: &[u8]) -> Event {
    Event::Ping(payload.into())
}

/// A client that may have two pending automatic pongs. A pong to `\x89\x01?` has seven bytes.
fn two_pending() -> Connection {
    with_limits(Role::Client, Limits { max_pending_auto_pongs: 2, ..Limits::default() })
}

#[test]
fn a_ping_is_answered_with_its_payload() {
    let mut connection = server();
    assert_eq!(receive(&mut connection, b"\x89\x82\x01\x01\x01\x01hi"), [ping(b"ih")]);
    assert_eq!(connection.output(), b"\x8A\x02ih");
}

#[test]
fn clients_mask_pongs_with_fresh_keys_and_servers_use_none() {
    let mut keys = CountingKeys::default();
    let mut connection = client();
    connection.receive(b"\x89\x00\x89\x02\0\0", &mut keys, &mut EventBatch::new());
    assert_eq!(connection.output(), b"\x8A\x80\x01\x01\x01\x01\x8A\x82\x02\x02\x02\x02\x02\x02");

    let mut keys = CountingKeys::default();
    server().receive(b"\x89\x80\0\0\0\0", &mut keys, &mut EventBatch::new());
    assert_eq!(keys.0, 0);
}

#[test]
fn pongs_can_be_disabled_and_stop_with_the_closing_handshake() {
    let mut off = Connection::new(Config { auto_pong: false, ..config(Role::Client) });
    assert_eq!(receive(&mut off, b"\x89\x00"), [ping(b"")]);
    assert_eq!(off.output(), b"");
    off.set_auto_pong(true);
    receive(&mut off, b"\x89\x00");
    assert_eq!(off.output().len(), 6);

    let mut closing = server();
    closing.close(None, b"", None);
    assert_eq!(receive(&mut closing, b"\x89\x80\0\0\0\0"), [ping(b"")]);
    assert_eq!(closing.output(), b"\x88\x00");
}

#[test]
fn the_ping_beyond_the_limit_floods_and_its_chunk_is_still_parsed() {
    let mut connection = two_pending();
    let events = receive(&mut connection, b"\x89\x011\x89\x012\x89\x013\x89\x014\x81\x01m");
    let expected = [ping(b"1"), ping(b"2"), Event::Flooded, ping(b"3"), ping(b"4"), Event::text("m")];
    assert_eq!(events, expected);
    assert_eq!(connection.queued_total(), 14);
    assert!(!connection.is_receiving());
    assert_eq!(receive(&mut connection, b"\x81\x01n"), []);
}

#[test]
fn a_flooded_chunk_may_end_in_a_close_frame_or_an_error() {
    for (end, event) in [
        (&b"\x88\x00\x81\x01m"[..], Event::Close(1005, Vec::new())),
        (b"\x83\x00\x81\x01m", Event::Failed(ProtocolError::InvalidOpcode(3))),
    ] {
        let mut connection = two_pending();
        let stream = [&b"\x89\x00\x89\x00\x89\x00"[..], end].concat();
        let expected = [ping(b""), ping(b""), Event::Flooded, ping(b""), event];
        assert_eq!(receive(&mut connection, &stream), expected);
        assert!(!connection.is_receiving());
    }
}

#[test]
fn only_pongs_with_unwritten_bytes_are_pending() {
    // Three raw bytes and two pongs of seven bytes each: the first pong ends at byte 10.
    for (written, floods) in [(9, true), (10, false)] {
        let mut connection = two_pending();
        connection.write_raw(b"raw");
        receive(&mut connection, b"\x89\x011\x89\x012");
        connection.mark_written(written);
        let events = receive(&mut connection, b"\x89\x013");
        assert_eq!(events.contains(&Event::Flooded), floods, "{written} bytes written");
        assert!(events.contains(&ping(b"3")));
    }
}

#[test]
fn pongs_sent_by_the_user_do_not_count() {
    let mut connection = two_pending();
    connection.pong(Some(MaskingKey([0; 4])), b"u");
    connection.pong(Some(MaskingKey([0; 4])), b"u");
    assert_eq!(receive(&mut connection, b"\x89\x00\x89\x00"), [ping(b""), ping(b"")]);
    assert_eq!(receive(&mut connection, b"\x89\x00"), [Event::Flooded, ping(b"")]);
}

#[test]
fn without_a_limit_every_ping_is_answered() {
    let limits = Limits { max_pending_auto_pongs: 0, ..Limits::default() };
    let mut connection = with_limits(Role::Client, limits);
    assert_eq!(receive(&mut connection, &b"\x89\x00".repeat(1_000)).len(), 1_000);
    assert_eq!(connection.queued_total(), 6_000);
}

const HEARTBEAT: TimeLimits = TimeLimits { idle_timeout: 1, max_lifetime: 0, send_pings: true };
const SERVER_PONG: &[u8] = b"\x8A\x05idle\0";
/// The same payload, masked.
const CLIENT_PONG: &[u8] = b"\x8A\x85\x01\x02\x03\x04hfoa\x01";

fn with_heartbeat(role: Role) -> Connection {
    Connection::new(Config { time_limits: HEARTBEAT, ..config(role) })
}

#[test]
fn an_automatic_ping_is_a_ping() {
    for key in [None, Some(MaskingKey([9, 8, 7, 6]))] {
        let mut connection = if key.is_some() { client() } else { server() };
        connection.ping(key, HEARTBEAT_PAYLOAD);
        let (frame, length) = encode_heartbeat(key);
        assert_eq!(&frame[..length], connection.output());
        let mut automatic = if key.is_some() { client() } else { server() };
        automatic.ping_automatically(key);
        assert_eq!(automatic.output(), connection.output());
    }
}

#[test]
fn no_automatic_ping_follows_a_close_frame() {
    let mut connection = server();
    assert!(!connection.is_closing());
    connection.close(None, b"", None);
    assert!(connection.is_closing());
    connection.ping_automatically(None);
    assert_eq!(connection.output(), b"\x88\x00");
}

#[test]
fn a_pong_of_an_automatic_ping_is_no_event_with_a_heartbeat_only() {
    for (role, pong) in [(Role::Server, CLIENT_PONG), (Role::Client, SERVER_PONG)] {
        for cut in 1..pong.len() {
            let mut connection = with_heartbeat(role);
            assert_eq!(receive(&mut connection, &pong[..cut]), []);
            assert_eq!(receive(&mut connection, &pong[cut..]), []);
            assert!(connection.is_idle());
        }
        let event = Event::Pong(HEARTBEAT_PAYLOAD.to_vec());
        assert_eq!(receive(&mut Connection::new(config(role)), pong), [event]);
    }
    let other = Event::Pong(b"idle".to_vec());
    assert_eq!(receive(&mut with_heartbeat(Role::Client), b"\x8A\x04idle"), [other]);
}

#[test]
fn a_lone_pong_of_an_automatic_ping_is_recognized() {
    let of = |role, time_limits| Config { time_limits, ..config(role) };
    for (role, pong, other) in
        [(Role::Server, CLIENT_PONG, SERVER_PONG), (Role::Client, SERVER_PONG, CLIENT_PONG)]
    {
        let config = of(role, HEARTBEAT);
        assert!(is_heartbeat_answer(&config, pong));
        assert!(!is_heartbeat_answer(&config, other));
        for length in 0..pong.len() {
            assert!(!is_heartbeat_answer(&config, &pong[..length]));
        }
        assert!(!is_heartbeat_answer(&config, &[pong, b"\0"].concat()));
        for index in 0..pong.len() {
            // A changed key changes the payload.
            for bit in 0..8 {
                let mut changed = pong.to_vec();
                changed[index] ^= 1 << bit;
                assert!(!is_heartbeat_answer(&config, &changed), "byte {index}, bit {bit}");
            }
        }
        assert!(!is_heartbeat_answer(&of(role, TimeLimits { send_pings: false, ..HEARTBEAT }), pong));
        assert!(!is_heartbeat_answer(&of(role, TimeLimits::default()), pong));
    }
}
