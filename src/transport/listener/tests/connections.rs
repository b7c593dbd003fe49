//! Connections, from being accepted to being taken.

use super::{Client, FallbackReason, LOOPBACK, PendingOnClose, REQUEST, Request, Scene, bound, is_upgrade};
use crate::protocol::handshake::{Field, MAX_HEAD};
use crate::transport::listener::ListeningSocket;

fn texts<'a>(bytes: &'a [u8], fields: &[Field]) -> Vec<[&'a str; 2]> {
    let text = |range| str::from_utf8(&bytes[range]).unwrap();
    fields.iter().map(|field| [text(field.name()), text(field.value())]).collect()
}

#[test]
fn a_request_to_upgrade_arrives_with_what_is_behind_it() {
    let mut scene = Scene::new();
    let listening = scene.listen(LOOPBACK);
    let mut client = scene.connect(listening);
    client.write(&[REQUEST, b"first frame"].concat());
    let arrival = scene.next();
    assert_eq!(arrival.server, "owner");
    assert_eq!(&*arrival.bytes, [REQUEST, b"first frame"].concat());
    let Request::Upgrade { length, fields } = arrival.request else { panic!("put aside") };
    assert_eq!(length, REQUEST.len());
    let expected = [["Host", "a"], ["Upgrade", "websocket"], ["Connection", "Upgrade"]];
    assert_eq!(texts(&arrival.bytes, &fields), expected);

    let (here, there) = scene.arrivals.local_and_peer_addr(arrival.number);
    assert_eq!(here, scene.arrivals.local_addr(listening));
    assert_eq!(there, client.0.local_addr().unwrap().as_socket());
    assert_eq!(scene.arrivals.connection_count(), 1);
    scene.speak(arrival.number, &mut client);
    assert_eq!(scene.arrivals.connection_count(), 0);
}

#[test]
fn what_is_accepted_does_not_wait_to_send() {
    let mut scene = Scene::new();
    let listening = scene.listen(LOOPBACK);
    let mut client = scene.connect(listening);
    client.write(REQUEST);
    let number = scene.next().number;
    assert!(scene.arrivals.release(&scene.poller, number).unwrap().tcp_nodelay().unwrap());
}

#[test]
fn a_head_may_come_in_pieces() {
    let mut scene = Scene::new();
    let listening = scene.listen(LOOPBACK);
    let mut client = scene.connect(listening);
    scene.until(|scene| scene.arrivals.connection_count() == 1);
    let (last, others) = REQUEST.split_last().unwrap();
    for byte in others {
        client.write(&[*byte]);
        scene.wait();
        scene.turn();
        assert!(scene.arrived.is_empty());
    }
    client.write(&[*last]);
    let arrival = scene.next();
    assert!(is_upgrade(&arrival));
    assert_eq!(&*arrival.bytes, REQUEST);
    scene.speak(arrival.number, &mut client);
}

#[test]
fn many_at_once_arrive_once_each() {
    const MANY: usize = 200;
    let mut scene = Scene::new();
    let listening = scene.listen(LOOPBACK);
    let mut clients: Vec<Client> = (0..MANY).map(|_| scene.connect(listening)).collect();
    // Those of even numbers have sent their request when they are accepted.
    for client in clients.iter_mut().step_by(2) {
        client.write(REQUEST);
    }
    scene.until(|scene| scene.arrivals.connection_count() == MANY && scene.arrived.len() == MANY / 2);
    for client in clients.iter_mut().skip(1).step_by(2) {
        client.write(REQUEST);
    }
    scene.until(|scene| scene.arrived.len() == MANY);
    let mut numbers: Vec<u32> = scene.arrived.iter().map(|arrival| arrival.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), MANY);
    assert!(scene.arrived.iter().all(is_upgrade));
    for number in numbers {
        scene.arrivals.discard(number);
    }
    assert_eq!(scene.arrivals.connection_count(), 0);
    for client in &mut clients {
        client.assert_closed();
    }
}

#[test]
fn everything_else_is_put_aside_with_all_that_was_read() {
    let mut scene = Scene::new();
    let listening = scene.listen(LOOPBACK);
    let too_long = [&REQUEST[..18], &vec![b'a'; MAX_HEAD]].concat();
    for bytes in [b"GET / HTTP/1.0\r\n\r\n", &b"\x16\x03\x01\x00"[..], b"\n", &too_long] {
        let mut client = scene.connect(listening);
        client.write(bytes);
        let arrival = scene.next();
        assert_eq!(arrival.request, Request::Fallback(FallbackReason::NotUpgrade));
        assert!(bytes.starts_with(&arrival.bytes));
        // What was not read is for whoever takes it.
        assert!(arrival.bytes.len() >= bytes.len().min(MAX_HEAD));
        scene.arrivals.discard(arrival.number);
    }
}

#[test]
fn a_listening_socket_has_its_own_limit() {
    let mut scene = Scene::new();
    let listening = ListeningSocket::start(bound(LOOPBACK), 1).unwrap();
    let limit = REQUEST.len() - 1;
    let listening = scene.arrivals.listen(&scene.poller, listening, "owner", limit).unwrap();
    let mut client = scene.connect(listening);
    client.write(REQUEST);
    assert_eq!(scene.next().request, Request::Fallback(FallbackReason::NotUpgrade));
}

#[test]
fn who_ends_in_the_middle_is_put_aside_and_who_says_nothing_is_forgotten() {
    for is_late in [false, true] {
        let mut scene = Scene::new();
        let listening = scene.listen(LOOPBACK);
        for begun in [&REQUEST[..10], b""] {
            let mut client = scene.connect(listening);
            if is_late {
                scene.until(|scene| scene.arrivals.connection_count() == 1);
            }
            // With one event, as a rule.
            client.write(begun);
            client.end();
            if begun.is_empty() {
                client.assert_closed_by(&mut scene);
            } else {
                let arrival = scene.next();
                assert_eq!(
                    (arrival.request, &*arrival.bytes),
                    (Request::Fallback(FallbackReason::Ended), begun)
                );
                scene.arrivals.discard(arrival.number);
            }
            assert_eq!(scene.arrivals.connection_count(), 0);
        }
    }
}

impl Client {
    /// Goes on until there is no connection any more.
    fn assert_closed_by(&mut self, scene: &mut Scene) {
        scene.turn();
        while scene.arrivals.connection_count() > 0 {
            scene.wait();
            scene.turn();
        }
        self.assert_closed();
        assert!(scene.arrived.is_empty());
    }
}

#[test]
fn a_reset_is_the_end() {
    let mut scene = Scene::new();
    let listening = scene.listen(LOOPBACK);
    let mut client = scene.connect(listening);
    client.write(&REQUEST[..10]);
    scene.until(|scene| scene.arrivals.connection_count() == 1);
    client.reset();
    scene.until(|scene| scene.arrivals.connection_count() == 0);
    assert!(scene.arrived.is_empty());
}

#[test]
fn a_head_that_takes_too_long_is_put_aside() {
    let mut scene = Scene::new();
    // The clock wraps around.
    scene.now = u32::MAX - 10;
    let listening = scene.listen(LOOPBACK);
    let mut slow = scene.connect(listening);
    slow.write(&REQUEST[..10]);
    scene.until(|scene| scene.arrivals.connection_count() == 1);
    // That piece has come, whenever the system liked.
    slow.write(&REQUEST[10..20]);
    scene.wait();
    scene.turn();
    scene.now = scene.now.wrapping_add(30);
    let _later = scene.connect(listening);
    scene.until(|scene| scene.arrivals.connection_count() == 2);

    scene.check(listening, 29, 60);
    assert!(scene.arrived.is_empty());
    scene.check(listening, 30, 60);
    let arrival = scene.next();
    assert_eq!(
        (arrival.request, &*arrival.bytes),
        (Request::Fallback(FallbackReason::TimedOut), &REQUEST[..20])
    );
    // Once.
    scene.check(listening, 31, 60);
    assert!(scene.arrived.is_empty());
    scene.speak(arrival.number, &mut slow);
}

#[test]
fn the_first_byte_begins_the_time_of_a_head_anew() {
    let mut scene = Scene::new();
    let listening = scene.listen(LOOPBACK);
    let mut client = scene.connect(listening);
    scene.until(|scene| scene.arrivals.connection_count() == 1);
    scene.now = 50;
    client.write(&REQUEST[..10]);
    scene.until(|scene| scene.arrivals.without_input(listening).is_empty());
    scene.now = 80;
    client.write(&REQUEST[10..20]);
    scene.wait();
    scene.turn();
    scene.check(listening, 29, 60);
    assert!(scene.arrived.is_empty());
    scene.check(listening, 30, 60);
    assert_eq!(scene.next().request, Request::Fallback(FallbackReason::TimedOut));
}

#[test]
fn time_limits_are_those_of_one_listening_socket() {
    let mut scene = Scene::new();
    let (patient, strict) = (scene.listen(LOOPBACK), scene.listen(LOOPBACK));
    let clients = [patient, strict, strict].map(|listening| scene.connect(listening));
    scene.until(|scene| scene.arrivals.connection_count() == clients.len());
    assert_eq!((scene.arrivals.pending_count(patient), scene.arrivals.pending_count(strict)), (1, 2));
    scene.check(strict, 100, 60);
    assert_eq!((scene.arrivals.pending_count(patient), scene.arrivals.pending_count(strict)), (1, 0));
    assert_eq!(scene.arrived.len(), 2);
}

impl Scene {
    /// Looks for connections that have been pending for `limit`, so much later.
    fn check(&mut self, listening: u32, later: u32, limit: u32) {
        self.arrivals.check_timeouts(listening, self.now.wrapping_add(later), limit, &mut self.arrived);
    }
}

#[test]
fn who_has_not_sent_anything_can_be_taken() {
    let mut scene = Scene::new();
    let listening = scene.listen(LOOPBACK);
    let elsewhere = scene.listen(LOOPBACK);
    let mut begun = scene.connect(listening);
    begun.write(b"GET");
    let mut silent = scene.connect(listening);
    let _other = scene.connect(elsewhere);
    scene.until(|scene| {
        scene.arrivals.connection_count() == 3 && scene.arrivals.without_input(listening).len() == 1
    });

    let number = scene.arrivals.without_input(listening)[0];
    scene.speak(number, &mut silent);
    assert!(scene.arrivals.without_input(listening).is_empty());
}

#[test]
fn with_the_listening_socket_the_pending_ones_end_and_those_that_are_held_stay() {
    for closing in [PendingOnClose::Discard, PendingOnClose::FallBack] {
        let mut scene = Scene::new();
        let listening = scene.listen(LOOPBACK);
        let address = scene.arrivals.local_addr(listening).unwrap();
        let mut held = scene.connect(listening);
        held.write(REQUEST);
        let number = scene.next().number;
        let mut pending = scene.connect(listening);
        pending.write(b"GET");
        scene.until(|scene| scene.arrivals.connection_count() == 2);

        scene.arrivals.close(listening, closing, &mut scene.arrived);
        assert!(std::net::TcpStream::connect(address).is_err());
        assert_eq!(scene.arrivals.local_addr(listening), None);
        // Its number may be another's now.
        scene.arrivals.close(number, closing, &mut scene.arrived);
        match closing {
            PendingOnClose::Discard => {
                pending.assert_closed();
                assert!(scene.arrived.is_empty());
            }
            PendingOnClose::FallBack => {
                let arrival = scene.arrived.remove(0);
                assert_eq!(arrival.request, Request::Fallback(FallbackReason::ListenerClosed));
                scene.speak(arrival.number, &mut pending);
            }
        }
        scene.speak(number, &mut held);
    }
}

#[test]
fn what_comes_for_one_that_is_held_is_for_whoever_takes_it() {
    let mut scene = Scene::new();
    let listening = scene.listen(LOOPBACK);
    let mut client = scene.connect(listening);
    scene.until(|scene| scene.arrivals.connection_count() == 1);
    client.write(REQUEST);
    let arrival = scene.next();
    client.write(b"fra");
    scene.wait();
    scene.turn();
    assert!(scene.arrived.is_empty());
    let socket = scene.arrivals.release(&scene.poller, arrival.number).unwrap();
    let mut bytes = [std::mem::MaybeUninit::uninit(); 8];
    assert_eq!(socket.recv(&mut bytes).unwrap(), 3);
}
