//! Responses to accepted connections, and connections that are kept for another request.

use super::{Client, FallbackReason, Harness, LOOPBACK, PendingOnClose, REQUEST, Request, is_upgrade};
use crate::transport::listener::PollContext;

const PLAIN: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n?";

impl Harness {
    fn answer(&mut self, number: u32, listener: u32, response: &[u8], keep: bool) -> Option<usize> {
        let Self { poller, listeners, accepted, buffer, now, .. } = self;
        let mut turn = PollContext { poller, now: *now, buffer, accepted };
        listeners.answer(number, listener, response, keep, &mut turn)
    }

    /// A client whose first request was answered, and whose connection is kept.
    fn keep(&mut self, listener: u32) -> Client {
        let mut client = self.connect(listener);
        client.write(PLAIN);
        let connection = self.next();
        assert_eq!(connection.request, Request::Fallback(FallbackReason::NotUpgrade));
        assert_eq!(self.answer(connection.number, listener, b"426", true), Some(3));
        assert_eq!(client.read(3), b"426");
        client
    }
}

#[test]
fn a_response_ends_a_connection() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut client = harness.connect(listener);
    client.write(b"?");
    let number = harness.next().number;
    assert_eq!(harness.answer(number, listener, b"400", false), Some(3));
    assert_eq!(harness.listeners.connection_count(), 0);
    assert_eq!(client.read(3), b"400");
    client.assert_closed();
    // It is gone.
    assert_eq!(harness.answer(number, listener, b"400", false), None);
}

#[test]
fn a_kept_connection_is_passed_on_with_its_next_bytes() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut client = harness.keep(listener);
    assert_eq!(harness.listeners.pending_count(listener), 1);
    assert!(harness.listeners.without_input(listener).is_empty());
    for round in 0..3 {
        // Unparsed, a request to upgrade, too.
        client.write(REQUEST);
        let connection = harness.next();
        assert!(!is_upgrade(&connection));
        assert_eq!(connection.request, Request::Fallback(FallbackReason::Kept));
        assert_eq!(&*connection.bytes, REQUEST);
        if round < 2 {
            assert_eq!(harness.answer(connection.number, listener, b"426", true), Some(3));
            assert_eq!(client.read(3), b"426");
        } else {
            harness.release_and_exchange(connection.number, &mut client);
        }
    }
    assert_eq!(harness.listeners.connection_count(), 0);
}

#[test]
fn bytes_that_came_before_the_response_follow_it() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut client = harness.connect(listener);
    harness.until(|harness| harness.listeners.connection_count() == 1);
    client.write(PLAIN);
    let number = harness.next().number;
    // The poller reports these bytes, and the end, before the response.
    client.write(b"more");
    client.end();
    harness.wait();
    harness.turn();
    assert_eq!(harness.answer(number, listener, b"426", true), Some(3));
    let connection = harness.next();
    assert_eq!((connection.number, &*connection.bytes), (number, &b"more"[..]));
    assert_eq!(harness.answer(number, listener, b"426", true), Some(3));
    // The end closes it.
    assert_eq!(harness.listeners.connection_count(), 0);
    assert_eq!(client.read(6), b"426426");
    client.assert_closed();
}

#[test]
fn a_kept_connection_ends_with_its_peer() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let client = harness.keep(listener);
    let other = harness.keep(listener);
    client.end();
    other.reset();
    harness.until(|harness| harness.listeners.connection_count() == 0);
    assert!(harness.accepted.is_empty());
}

#[test]
fn a_silent_kept_connection_is_closed_when_its_time_is_over() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut first = harness.keep(listener);
    harness.now = harness.now.wrapping_add(30);
    let mut second = harness.keep(listener);
    let mut pending = harness.connect(listener);
    pending.write(b"GET");
    harness.until(|harness| harness.listeners.connection_count() == 3);
    let (now, at) = (harness.now, |now: u32, later| now.wrapping_add(later));

    // Time limits of heads do not apply to it.
    harness.listeners.check_timeouts(listener, at(now, 50), 60, &mut harness.accepted);
    assert!(harness.accepted.is_empty());
    assert_eq!(harness.listeners.close_kept(listener, at(now, 29), 60), Some(1));
    assert_eq!(harness.listeners.connection_count(), 3);
    assert_eq!(harness.listeners.close_kept(listener, at(now, 30), 60), Some(30));
    first.assert_closed();
    assert_eq!(harness.listeners.close_kept(listener, at(now, 60), 60), None);
    second.assert_closed();
    assert_eq!(harness.listeners.pending_count(listener), 1);
}

#[test]
fn the_rest_of_a_response_is_left_to_the_owner() {
    const RESPONSE: &[u8] = &[b'x'; 64 * 1024 * 1024];
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut client = harness.connect(listener);
    client.write(PLAIN);
    let number = harness.next().number;
    let written = harness.answer(number, listener, RESPONSE, true).unwrap();
    assert!(written > 0 && written < RESPONSE.len());
    // The buffers of the kernel are full.
    assert_eq!(harness.answer(number, listener, b"more", false), Some(0));
    assert_eq!(client.read(written), RESPONSE[..written]);
    harness.release_and_exchange(number, &mut client);
}

#[test]
fn a_connection_that_was_reset_counts_as_answered() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut client = harness.connect(listener);
    harness.until(|harness| harness.listeners.connection_count() == 1);
    client.write(b"?");
    let number = harness.next().number;
    client.reset();
    harness.wait();
    harness.turn();
    assert_eq!(harness.answer(number, listener, b"400", true), Some(3));
    assert_eq!(harness.listeners.connection_count(), 0);
}

#[test]
fn only_accepted_connections_of_a_listening_socket_are_answered() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut client = harness.keep(listener);
    client.write(b"?");
    let number = harness.next().number;
    harness.keep(listener);
    assert_eq!(harness.answer(listener, listener, b"400", false), None);
    harness.listeners.close(listener, PendingOnClose::Discard, &mut harness.accepted);
    assert_eq!(harness.answer(number, listener, b"400", false), None);
    harness.release_and_exchange(number, &mut client);
}
