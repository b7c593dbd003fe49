//! Payloads sent to many connections are compressed once.

use super::{Event, ends, frames, narrow, noise, receive, taken, with_deflate, without_takeover, words};
use crate::connection::Connection;
use crate::protocol::Role;
use crate::protocol::deflate::{Broadcast, OutgoingParams};

/// Receivers that compress a payload themselves before it is shared.
const UNSHARED: usize = 3;

struct Many {
    broadcast: Broadcast,
    connections: Vec<Connection>,
}

impl Many {
    fn new(count: usize, outgoing: &OutgoingParams) -> Self {
        let connections = (0..count).map(|_| ends(Role::Server, outgoing).0).collect();
        Self { broadcast: Broadcast::default(), connections }
    }

    /// Sends to one receiver and returns the payload of the frame.
    fn send_one(&mut self, index: usize, payload: &[u8]) -> Vec<u8> {
        let connection = &mut self.connections[index];
        connection.send_compressed(true, true, None, payload, true, &mut self.broadcast);
        let bytes = taken(connection);
        let [(0xC2, frame)] = frames(&bytes)[..] else { panic!("{bytes:02X?}") };
        frame.to_vec()
    }

    fn send_all(&mut self, payload: &[u8]) -> Vec<Vec<u8>> {
        (0..self.connections.len()).map(|index| self.send_one(index, payload)).collect()
    }
}

/// Payloads with nearly identical content.
fn alike(number: usize) -> Vec<u8> {
    [&words(1, 600)[..], format!("number {number}").as_bytes()].concat()
}

/// True if all receivers from index `from` on were sent the same bytes.
fn shared_with(frames: &[Vec<u8>], from: usize) -> bool {
    frames[from..].iter().all(|frame| *frame == frames[from])
}

#[test]
fn receivers_after_the_third_get_the_same_bytes() {
    let mut many = Many::new(10, &OutgoingParams::default());
    // Different contexts for all of them.
    for index in 0..10 {
        many.send_one(index, &noise(index as u64, 300));
    }
    for round in 0..5 {
        let payload = words(round, 400);
        // Compressed alone, each would refer to its own earlier message.
        let sent = many.send_all(&payload);
        assert!(shared_with(&sent, UNSHARED), "round {round}");
    }
}

#[test]
fn without_takeover_all_receivers_get_the_same_bytes() {
    let mut many = Many::new(6, &without_takeover());
    for round in 0..3 {
        let payload = words(round, 400);
        assert!(shared_with(&many.send_all(&payload), 0));
        many.send_one(1, &noise(round as u64, 300));
    }
}

#[test]
fn repeating_a_payload_to_one_connection_is_not_a_broadcast() {
    let mut many = Many::new(5, &OutgoingParams::default());
    let payload = words(1, 500);
    let sent: Vec<usize> = (0..6).map(|_| many.send_one(0, &payload).len()).collect();
    // Refers to itself.
    assert!(sent[0] > 80 && sent[1..].iter().all(|&length| length < sent[0] / 4), "{sent:?}");
    // Others that follow later do not count as the first receivers: none has shared this payload
    // yet.
    let others: Vec<usize> = (1..5).map(|index| many.send_one(index, &payload).len()).collect();
    assert!(others.iter().all(|&length| length > 80), "{others:?}");
    // Twice to each receiver in turn: the second one from its own context, if it still has one.
    for index in 0..5 {
        let [first, second] = [0, 1].map(|_| many.send_one(index, &words(2, 500)));
        assert!(if index < UNSHARED { second.len() < 30 } else { second != first });
    }
}

#[test]
fn connections_on_the_chain_get_smaller_payloads() {
    const COUNT: usize = 24;
    let mut many = Many::new(COUNT, &OutgoingParams::default());
    let first = many.send_all(&alike(0));
    assert!(first.iter().all(|frame| frame.len() > 100));
    // Some receive something else in between and start over each time, until the chain does.
    let mut strayed = Vec::new();
    for round in 1..4 {
        strayed.push(UNSHARED + 3 * round);
        many.send_one(UNSHARED + 3 * round, b"something else");
        let sent = many.send_all(&alike(round));
        for (index, frame) in sent.iter().enumerate() {
            let follows = !strayed.contains(&index);
            assert_eq!(frame.len() < 60, follows, "round {round}, {index}: {}", frame.len());
        }
        assert!(strayed.iter().all(|&index| sent[index] == sent[strayed[0]]));
    }
}

#[test]
fn a_connection_rejoins_the_chain_after_a_few_payloads() {
    const COUNT: usize = 12;
    for strays in [1, COUNT - UNSHARED - 1, COUNT] {
        let mut many = Many::new(COUNT, &OutgoingParams::default());
        for round in 0..100 {
            many.send_all(&alike(round));
        }
        for index in COUNT - strays..COUNT {
            many.send_one(index, b"something else");
        }
        let all_follow = |round: usize| {
            let sent = many.send_all(&alike(round));
            shared_with(&sent, UNSHARED) && sent[UNSHARED].len() < 60
        };
        let later = (100..200).map(all_follow).position(|follow| follow).unwrap();
        assert!((1..60).contains(&later), "{strays} are back after {later}");
        assert!((0..100).all(|round| {
            let sent = many.send_all(&alike(1_000 + round));
            shared_with(&sent, UNSHARED) && sent[UNSHARED].len() < 60
        }));
    }
}

#[test]
fn small_and_huge_payloads_are_not_shared() {
    let mut many = Many::new(6, &OutgoingParams::default());
    for index in 0..6 {
        many.send_one(index, &words(index, 100));
    }
    let small = many.send_all(&words(1, 127));
    assert!(!shared_with(&small, UNSHARED));
    // Each refers to the last payload it was sent.
    assert!(shared_with(&many.send_all(&words(9, 128)), UNSHARED));
}

#[test]
fn payloads_are_shared_only_between_equal_parameters() {
    let mut broadcast = Broadcast::default();
    let kinds = [OutgoingParams::default(), narrow(9), without_takeover(), narrow(12)];
    let mut all: Vec<(Connection, Connection)> =
        (0..16).map(|index| ends(Role::Server, &kinds[index % 4])).collect();
    for round in 0..4 {
        let payload = words(round, 700);
        for (sender, receiver) in &mut all {
            sender.send_compressed(true, true, None, &payload, true, &mut broadcast);
            assert_eq!(receive(receiver, &taken(sender)), [Event::binary(&payload)]);
        }
    }
}

#[test]
fn a_cleared_chain_has_no_followers() {
    // One receiver misses this many later payloads, after having received this many.
    let payload = |round: usize| words(round, 300 + 10 * round);
    for (before, missed) in [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (4, 3)] {
        let mut many = Many::new(6, &OutgoingParams::default());
        let mut receiver = with_deflate(Role::Client);
        for round in 0..before + missed + 2 {
            if round == before {
                many.broadcast.clear();
            }
            for index in 0..5 {
                many.send_one(index, &payload(round));
            }
            if !(before..before + missed).contains(&round) {
                let frame = many.send_one(5, &payload(round));
                let seen = receive(&mut receiver, &super::frame(0xC2, &frame));
                assert_eq!(seen, [Event::binary(&payload(round))], "{before}, {missed}, round {round}");
            }
        }
    }
}

#[test]
fn cleared_payloads_are_compressed_again() {
    let mut many = Many::new(8, &OutgoingParams::default());
    let payload = words(1, 500);
    let mut receivers: Vec<Connection> = (0..8).map(|_| with_deflate(Role::Client)).collect();
    for round in 0..6 {
        for (index, receiver) in receivers.iter_mut().enumerate() {
            let frame = many.send_one(index, &payload);
            assert_eq!(receive(receiver, &super::frame(0xC2, &frame)), [Event::binary(&payload)]);
            if (round + index) % 5 == 0 {
                many.broadcast.clear();
            }
        }
    }
}
