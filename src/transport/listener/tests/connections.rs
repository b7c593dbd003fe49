//! Connections from `accept(2)` until the owner takes them.

use super::{Client, FallbackReason, Harness, LOOPBACK, PendingOnClose, REQUEST, Request, bound, is_upgrade};
use crate::protocol::handshake::{Field, MAX_HEAD_LENGTH};
use crate::transport::listener::ListeningSocket;

fn texts<'a>(bytes: &'a [u8], fields: &[Field]) -> Vec<[&'a str; 2]> {
    let text = |range| str::from_utf8(&bytes[range]).unwrap();
    fields.iter().map(|field| [text(field.name()), text(field.value())]).collect()
}

#[test]
fn an_upgrade_request_is_accepted_with_the_bytes_behind_it() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut client = harness.connect(listener);
    client.write(&[REQUEST, b"first frame"].concat());
    let connection = harness.next();
    assert_eq!(connection.server, "server");
    assert_eq!(&*connection.bytes, [REQUEST, b"first frame"].concat());
    let Request::Upgrade { length, fields } = connection.request else { panic!("fell back") };
    assert_eq!(length, REQUEST.len());
    let expected = [["Host", "a"], ["Upgrade", "websocket"], ["Connection", "Upgrade"]];
    assert_eq!(texts(&connection.bytes, &fields), expected);

    let (local, peer) = harness.listeners.local_and_peer_addr(connection.number);
    assert_eq!(local, harness.listeners.local_addr(listener));
    assert_eq!(peer, client.0.local_addr().unwrap().as_socket());
    assert_eq!(harness.listeners.connection_count(), 1);
    harness.release_and_exchange(connection.number, &mut client);
    assert_eq!(harness.listeners.connection_count(), 0);
}

#[test]
fn accepted_connections_have_no_delay() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut client = harness.connect(listener);
    client.write(REQUEST);
    let number = harness.next().number;
    assert!(harness.listeners.release(&harness.poller, number).unwrap().tcp_nodelay().unwrap());
}

#[test]
fn a_head_may_arrive_in_pieces() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut client = harness.connect(listener);
    harness.until(|harness| harness.listeners.connection_count() == 1);
    let (last, others) = REQUEST.split_last().unwrap();
    for byte in others {
        client.write(&[*byte]);
        harness.wait();
        harness.turn();
        assert!(harness.accepted.is_empty());
    }
    client.write(&[*last]);
    let connection = harness.next();
    assert!(is_upgrade(&connection));
    assert_eq!(&*connection.bytes, REQUEST);
    harness.release_and_exchange(connection.number, &mut client);
}

#[test]
fn each_of_many_connections_is_accepted_once() {
    const MANY: usize = 200;
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut clients: Vec<Client> = (0..MANY).map(|_| harness.connect(listener)).collect();
    // Every other client has sent its request before it is accepted.
    for client in clients.iter_mut().step_by(2) {
        client.write(REQUEST);
    }
    harness
        .until(|harness| harness.listeners.connection_count() == MANY && harness.accepted.len() == MANY / 2);
    for client in clients.iter_mut().skip(1).step_by(2) {
        client.write(REQUEST);
    }
    harness.until(|harness| harness.accepted.len() == MANY);
    let mut numbers: Vec<u32> = harness.accepted.iter().map(|connection| connection.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), MANY);
    assert!(harness.accepted.iter().all(is_upgrade));
    for number in numbers {
        harness.listeners.discard(number);
    }
    assert_eq!(harness.listeners.connection_count(), 0);
    for client in &mut clients {
        client.assert_closed();
    }
}

#[test]
fn other_requests_fall_back_with_all_bytes_that_were_read() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let too_long = [&REQUEST[..18], &vec![b'a'; MAX_HEAD_LENGTH]].concat();
    for bytes in [b"GET / HTTP/1.0\r\n\r\n", &b"\x16\x03\x01\x00"[..], b"\n", &too_long] {
        let mut client = harness.connect(listener);
        client.write(bytes);
        let connection = harness.next();
        assert_eq!(connection.request, Request::Fallback(FallbackReason::NotUpgrade));
        assert!(bytes.starts_with(&connection.bytes));
        // Further bytes are left to the next reader.
        assert!(connection.bytes.len() >= bytes.len().min(MAX_HEAD_LENGTH));
        harness.listeners.discard(connection.number);
    }
}

#[test]
fn a_listening_socket_has_its_own_head_limit() {
    let mut harness = Harness::new();
    let listener = ListeningSocket::start(bound(LOOPBACK), 1).unwrap();
    let limit = REQUEST.len() - 1;
    let listener = harness.listeners.listen(&harness.poller, listener, "server", limit).unwrap();
    let mut client = harness.connect(listener);
    client.write(REQUEST);
    assert_eq!(harness.next().request, Request::Fallback(FallbackReason::NotUpgrade));
}

#[test]
fn an_end_within_the_request_falls_back_and_one_before_it_closes() {
    for is_late in [false, true] {
        let mut harness = Harness::new();
        let listener = harness.listen(LOOPBACK);
        for begun in [&REQUEST[..10], b""] {
            let mut client = harness.connect(listener);
            if is_late {
                harness.until(|harness| harness.listeners.connection_count() == 1);
            }
            // Usually one event for both.
            client.write(begun);
            client.end();
            if begun.is_empty() {
                client.assert_closed_by(&mut harness);
            } else {
                let connection = harness.next();
                assert_eq!(
                    (connection.request, &*connection.bytes),
                    (Request::Fallback(FallbackReason::Ended), begun)
                );
                harness.listeners.discard(connection.number);
            }
            assert_eq!(harness.listeners.connection_count(), 0);
        }
    }
}

impl Client {
    /// Runs turns until every connection is gone.
    fn assert_closed_by(&mut self, harness: &mut Harness) {
        harness.turn();
        while harness.listeners.connection_count() > 0 {
            harness.wait();
            harness.turn();
        }
        self.assert_closed();
        assert!(harness.accepted.is_empty());
    }
}

#[test]
fn a_reset_closes_the_connection() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut client = harness.connect(listener);
    client.write(&REQUEST[..10]);
    harness.until(|harness| harness.listeners.connection_count() == 1);
    client.reset();
    harness.until(|harness| harness.listeners.connection_count() == 0);
    assert!(harness.accepted.is_empty());
}

#[test]
fn a_head_that_takes_too_long_falls_back() {
    let mut harness = Harness::new();
    // The clock wraps around.
    harness.now = u32::MAX - 10;
    let listener = harness.listen(LOOPBACK);
    let mut slow = harness.connect(listener);
    slow.write(&REQUEST[..10]);
    harness.until(|harness| harness.listeners.connection_count() == 1);
    // Waits until that piece has arrived.
    slow.write(&REQUEST[10..20]);
    harness.wait();
    harness.turn();
    harness.now = harness.now.wrapping_add(30);
    let _later = harness.connect(listener);
    harness.until(|harness| harness.listeners.connection_count() == 2);

    harness.check(listener, 29, 60);
    assert!(harness.accepted.is_empty());
    harness.check(listener, 30, 60);
    let connection = harness.next();
    assert_eq!(
        (connection.request, &*connection.bytes),
        (Request::Fallback(FallbackReason::TimedOut), &REQUEST[..20])
    );
    // Reported once.
    harness.check(listener, 31, 60);
    assert!(harness.accepted.is_empty());
    harness.release_and_exchange(connection.number, &mut slow);
}

#[test]
fn the_first_byte_restarts_the_time_limit_of_the_head() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut client = harness.connect(listener);
    harness.until(|harness| harness.listeners.connection_count() == 1);
    harness.now = 50;
    client.write(&REQUEST[..10]);
    harness.until(|harness| harness.listeners.without_input(listener).is_empty());
    harness.now = 80;
    client.write(&REQUEST[10..20]);
    harness.wait();
    harness.turn();
    harness.check(listener, 29, 60);
    assert!(harness.accepted.is_empty());
    harness.check(listener, 30, 60);
    assert_eq!(harness.next().request, Request::Fallback(FallbackReason::TimedOut));
}

#[test]
fn time_limits_apply_to_one_listening_socket() {
    let mut harness = Harness::new();
    let (patient, strict) = (harness.listen(LOOPBACK), harness.listen(LOOPBACK));
    let clients = [patient, strict, strict].map(|listener| harness.connect(listener));
    harness.until(|harness| harness.listeners.connection_count() == clients.len());
    assert_eq!((harness.listeners.pending_count(patient), harness.listeners.pending_count(strict)), (1, 2));
    harness.check(strict, 100, 60);
    assert_eq!((harness.listeners.pending_count(patient), harness.listeners.pending_count(strict)), (1, 0));
    assert_eq!(harness.accepted.len(), 2);
}

impl Harness {
    /// Checks for connections that have been pending for `limit` milliseconds, `later` milliseconds from now.
    fn check(&mut self, listener: u32, later: u32, limit: u32) {
        self.listeners.check_timeouts(listener, self.now.wrapping_add(later), limit, &mut self.accepted);
    }
}

#[test]
fn connections_without_input_can_be_taken() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let other = harness.listen(LOOPBACK);
    let mut begun = harness.connect(listener);
    begun.write(b"GET");
    let mut silent = harness.connect(listener);
    let _other = harness.connect(other);
    harness.until(|harness| {
        harness.listeners.connection_count() == 3 && harness.listeners.without_input(listener).len() == 1
    });

    let number = harness.listeners.without_input(listener)[0];
    harness.release_and_exchange(number, &mut silent);
    assert!(harness.listeners.without_input(listener).is_empty());
}

#[test]
fn closing_ends_pending_connections_and_keeps_accepted_ones() {
    for closing in [PendingOnClose::Discard, PendingOnClose::FallBack] {
        let mut harness = Harness::new();
        let listener = harness.listen(LOOPBACK);
        let address = harness.listeners.local_addr(listener).unwrap();
        let mut accepted = harness.connect(listener);
        accepted.write(REQUEST);
        let number = harness.next().number;
        let mut pending = harness.connect(listener);
        pending.write(b"GET");
        harness.until(|harness| harness.listeners.connection_count() == 2);

        harness.listeners.close(listener, closing, &mut harness.accepted);
        assert!(std::net::TcpStream::connect(address).is_err());
        assert_eq!(harness.listeners.local_addr(listener), None);
        // The number of a connection is not one of a listener.
        harness.listeners.close(number, closing, &mut harness.accepted);
        match closing {
            PendingOnClose::Discard => {
                pending.assert_closed();
                assert!(harness.accepted.is_empty());
            }
            PendingOnClose::FallBack => {
                let connection = harness.accepted.remove(0);
                assert_eq!(connection.request, Request::Fallback(FallbackReason::ListenerClosed));
                harness.release_and_exchange(connection.number, &mut pending);
            }
        }
        harness.release_and_exchange(number, &mut accepted);
    }
}

#[test]
fn bytes_for_an_accepted_connection_are_left_to_the_next_reader() {
    let mut harness = Harness::new();
    let listener = harness.listen(LOOPBACK);
    let mut client = harness.connect(listener);
    harness.until(|harness| harness.listeners.connection_count() == 1);
    client.write(REQUEST);
    let connection = harness.next();
    client.write(b"fra");
    harness.wait();
    harness.turn();
    assert!(harness.accepted.is_empty());
    let socket = harness.listeners.release(&harness.poller, connection.number).unwrap();
    let mut bytes = [std::mem::MaybeUninit::uninit(); 8];
    assert_eq!(socket.recv(&mut bytes).unwrap(), 3);
}
