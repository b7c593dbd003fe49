//! Idle detection, and the equivalence of a connection restored by `from_idle`.

use std::sync::Arc;

use super::{
    CountingKeys, Event, KEY, client, config, key_of, opposite, receive, receive_chunks, server, with_limits,
};
use crate::connection::{Connection, EventBatch};
use crate::protocol::{Limits, Role};

/// Marks all output as written and returns it.
fn write(connection: &mut Connection) -> Vec<u8> {
    let mut output = Vec::new();
    connection.take_output(&mut output);
    connection.mark_written(output.len() as u64);
    output
}

#[test]
fn a_connection_with_unwritten_output_is_not_idle() {
    let mut connection = server();
    assert!(connection.is_idle());
    connection.send(true, true, None, b"abc");
    assert!(!connection.is_idle());
    connection.take_output(&mut Vec::new());
    for _ in 0..5 {
        assert!(!connection.is_idle());
        connection.mark_written(1);
    }
    assert!(connection.is_idle());
}

#[test]
fn a_connection_with_half_a_message_is_not_idle() {
    let mut connection = server();
    connection.send(true, false, None, b"abc");
    write(&mut connection);
    assert!(!connection.is_idle());
    connection.send(true, true, None, b"def");
    write(&mut connection);
    assert!(connection.is_idle());
}

#[test]
fn a_closing_connection_is_not_idle() {
    let mut connection = server();
    connection.close(Some(1000), b"", None);
    write(&mut connection);
    assert!(!connection.is_idle());
}

#[test]
fn a_connection_that_stopped_receiving_is_not_idle() {
    let mut peer = client();
    peer.close(Some(1000), b"", Some(KEY));
    let mut connection = server();
    assert_eq!(receive(&mut connection, &write(&mut peer)), [Event::Close(1000, Vec::new())]);
    assert!(!connection.is_idle());

    let mut connection = server();
    assert!(matches!(receive(&mut connection, &[0xFF, 0xFF])[..], [Event::Failed(_)]));
    assert!(!connection.is_idle());
}

#[test]
fn a_connection_is_idle_between_messages_only() {
    for role in [Role::Server, Role::Client] {
        let (mut peer, key) = (Connection::new(config(opposite(role))), key_of(opposite(role)));
        // Offsets at which a message, or a control frame outside of one, ends.
        let mut ends = vec![0];
        for length in [0, 1, 125, 126, 300] {
            peer.send(true, true, key, &vec![7; length]);
            ends.push(peer.output().len());
        }
        peer.pong(key, b"pong");
        ends.push(peer.output().len());
        peer.send(false, false, key, b"in");
        peer.pong(key, b"within");
        peer.send(false, false, key, b"");
        peer.send(false, true, key, b" parts");
        ends.push(peer.output().len());
        let stream = write(&mut peer);
        for cut in 0..=stream.len() {
            let mut connection = Connection::new(config(role));
            receive(&mut connection, &stream[..cut]);
            assert_eq!(connection.is_idle(), ends.contains(&cut), "cut at {cut}");
        }
        let (mut connection, mut idle_at) = (Connection::new(config(role)), vec![0]);
        for at in 0..stream.len() {
            receive(&mut connection, &stream[at..=at]);
            if connection.is_idle() {
                idle_at.push(at + 1);
            }
        }
        assert_eq!(idle_at, ends);
    }
}

#[test]
fn a_connection_with_an_unwritten_pong_is_not_idle() {
    let mut peer = client();
    peer.ping(Some(KEY), b"?");
    let mut connection = with_limits(Role::Server, Limits { max_pending_auto_pongs: 1, ..Limits::default() });
    receive(&mut connection, &write(&mut peer));
    assert!(!connection.is_idle());
    write(&mut connection);
    assert!(connection.is_idle());
}

#[test]
fn a_connection_with_a_detached_frame_is_not_idle() {
    let mut peer = client();
    peer.send(true, true, Some(KEY), &vec![1; 100_000]);
    let (bytes, mut connection) = (write(&mut peer), server());
    receive(&mut connection, &bytes[..50_000]);
    let (mut frame, mut payload) = connection.detach_frame().unwrap();
    assert!(!connection.is_idle());
    payload.extend_from_slice(&bytes[50_000..]);
    assert!(connection.receive_detached(&mut frame, &mut payload));
    assert!(!connection.is_idle());
    connection.finish_detached(frame, &mut EventBatch::new());
    assert!(connection.is_idle());
}

#[test]
fn a_restored_connection_behaves_the_same() {
    for role in [Role::Server, Role::Client] {
        let (mut peer, key) = (Connection::new(config(opposite(role))), key_of(opposite(role)));
        peer.send(false, true, key, b"one");
        let first = write(&mut peer);
        peer.ping(key, b"two");
        peer.send(false, false, key, b"thr");
        peer.send(false, true, key, b"ee");
        let second = write(&mut peer);

        let shared = Arc::new(config(role));
        let mut connection = Connection::new(Arc::clone(&shared));
        receive(&mut connection, &first);
        connection.send(true, true, key_of(role), b"an answer");
        write(&mut connection);
        assert!(connection.is_idle());
        let mut other = Connection::from_idle(shared, connection.queued_total());
        assert!(other.is_idle());
        for connection in [&mut connection, &mut other] {
            let ends = receive_chunks(connection, second.chunks(3));
            assert_eq!(ends.len(), 2);
            connection.send(false, true, key_of(role), b"the next");
        }
        assert_eq!(connection.output(), other.output());
        assert_eq!(connection.queued_total(), other.queued_total());
        assert_eq!(connection.written_total(), other.written_total());
        let (output, answer) = (write(&mut other), receive(&mut peer, connection.output()));
        assert_eq!(output.len() as u64 + connection.written_total(), other.written_total());
        assert_eq!(answer, [Event::Pong(b"two".to_vec()), Event::text("the next")]);
    }
}

#[test]
fn changing_one_connection_does_not_affect_others() {
    let shared = Arc::new(config(Role::Client));
    let (mut changed, mut other) = (Connection::new(Arc::clone(&shared)), Connection::new(shared));
    changed.set_max_payload(2);
    changed.set_auto_pong(false);
    let mut peer = server();
    peer.ping(None, b"");
    peer.send(true, true, None, b"abc");
    let bytes = write(&mut peer);
    let mut events = EventBatch::new();
    changed.receive(&bytes, &mut CountingKeys::default(), &mut events);
    assert!(!changed.is_receiving() && changed.output().is_empty());
    assert_eq!(receive(&mut other, &bytes), [Event::Ping(Vec::new()), Event::binary(b"abc")]);
    assert!(!other.output().is_empty());
}
