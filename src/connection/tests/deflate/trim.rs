//! `rest` gives memory back, and neither end notices.

use super::{
    Event, EventBatch, client, deflating, ends, finish, forgetful, frames, narrow, receive, send, send_part,
    taken, words,
};
use crate::connection::Connection;
use crate::connection::tests::CountingKeys;
use crate::protocol::Role;
use crate::protocol::deflate::OutgoingParams;

#[test]
fn a_connection_that_did_nothing_has_nothing_to_give_back() {
    assert!(!client().trim_memory().may_free_more);
    assert!(!Connection::new(super::config(Role::Client)).trim_memory().may_free_more);
}

#[test]
fn what_was_used_since_the_last_time_stays() {
    let (mut sender, mut receiver) = ends(Role::Server, &OutgoingParams::default());
    let payload = words(1, 1_000);
    for _ in 0..3 {
        send(&mut sender, &payload);
        let bytes = taken(&mut sender);
        assert_eq!(receive(&mut receiver, &bytes), [Event::binary(&payload)]);
        for connection in [&mut sender, &mut receiver] {
            assert!(connection.trim_memory().may_free_more);
            assert!(!connection.trim_memory().may_free_more);
            assert!(!connection.trim_memory().may_free_more);
        }
    }
    // In constant use, it is always kept.
    let mut lengths = Vec::new();
    for _ in 0..5 {
        send(&mut sender, &payload);
        let bytes = taken(&mut sender);
        lengths.push(bytes.len());
        assert_eq!(receive(&mut receiver, &bytes), [Event::binary(&payload)]);
        assert!(sender.trim_memory().may_free_more && receiver.trim_memory().may_free_more);
    }
    assert!(lengths[0] > 100 && lengths[1..].iter().all(|&length| length < 30), "{lengths:?}");
}

#[test]
fn a_connection_is_idle_when_nobody_refers_to_what_it_knows() {
    let payload = words(1, 1_000);
    for (takes_over, outgoing) in [(true, OutgoingParams::default()), (false, forgetful())] {
        let (mut sender, mut receiver) = ends(Role::Server, &outgoing);
        assert!(sender.is_idle() && receiver.is_idle());
        for _ in 0..2 {
            send(&mut sender, &payload);
            assert!(!sender.is_idle());
            let bytes = taken(&mut sender);
            sender.mark_written(bytes.len() as u64);
            assert_eq!(sender.is_idle(), !takes_over);
            assert_eq!(receive(&mut receiver, &bytes), [Event::binary(&payload)]);
            assert_eq!(receiver.is_idle(), !takes_over);
            // What was sent can be forgotten, what was received can't.
            for connection in [&mut sender, &mut receiver] {
                connection.trim_memory();
                connection.trim_memory();
            }
            assert!(sender.is_idle());
            assert_eq!(receiver.is_idle(), !takes_over);
        }
    }
}

#[test]
fn what_is_given_back_is_counted() {
    let (mut sender, mut receiver) = ends(Role::Server, &OutgoingParams::default());
    for round in 0..3 {
        let payload = words(round, 20_000);
        send(&mut sender, &payload);
        assert_eq!(receive(&mut receiver, &taken(&mut sender)), [Event::binary(&payload)]);
    }
    for connection in [&mut sender, &mut receiver] {
        // Used since the last time, then not, and then there is nothing left that could be.
        let freed = [(); 3].map(|()| connection.trim_memory().freed);
        assert!(freed[0] == 0 && (10_000..200_000).contains(&freed[1]) && freed[2] == 0, "{freed:?}");
    }
}

#[test]
fn a_rested_sender_refers_to_nothing() {
    for outgoing in [OutgoingParams::default(), forgetful(), narrow(8)] {
        let (mut sender, _) = ends(Role::Server, &outgoing);
        let payload = words(2, 500);
        for _ in 0..3 {
            send(&mut sender, &payload);
            let bytes = taken(&mut sender);
            // So that a receiver which has seen nothing before understands it.
            assert_eq!(receive(&mut client(), &bytes), [Event::binary(&payload)]);
            sender.trim_memory();
            sender.trim_memory();
        }
    }
}

#[test]
fn a_rested_receiver_knows_what_it_has_to() {
    for bits in [8, 9, 12, 15] {
        for takeover in [true, false] {
            let outgoing = OutgoingParams { context_takeover: takeover, threshold: 0, ..narrow(bits) };
            let (mut sender, mut resting) = ends(Role::Server, &outgoing);
            let mut keeping = ends(Role::Server, &outgoing).1;
            for round in 0..20 {
                send(&mut sender, &words(round % 4, 100 + 97 * round));
                let bytes = taken(&mut sender);
                let seen = receive(&mut resting, &bytes);
                assert_eq!(seen, [Event::binary(&words(round % 4, 100 + 97 * round))]);
                assert_eq!(receive(&mut keeping, &bytes), seen);
                for _ in 0..round % 3 {
                    resting.trim_memory();
                }
            }
        }
    }
}

#[test]
fn nothing_is_given_back_within_a_message() {
    for takeover in [true, false] {
        let outgoing =
            OutgoingParams { context_takeover: takeover, threshold: 0, ..OutgoingParams::default() };
        let (mut sender, mut receiver) = ends(Role::Server, &outgoing);
        let payload = words(3, 600);
        let mut expected = Vec::new();
        for fin in [false, false, false, true] {
            send_part(&mut sender, fin, &payload);
            let bytes = taken(&mut sender);
            expected.extend_from_slice(&payload);
            let seen = receive(&mut receiver, &bytes);
            assert_eq!(seen.len(), usize::from(fin));
            for _ in 0..3 {
                receiver.trim_memory();
            }
        }
        send(&mut sender, &payload);
        assert_eq!(frames(&taken(&mut sender))[0].1.len() < 30, takeover);
    }
}

#[test]
fn nothing_is_given_back_while_the_last_frame_comes() {
    // The header of the last frame is there, its payload not yet.
    for takeover in [true, false] {
        let outgoing =
            OutgoingParams { context_takeover: takeover, threshold: 0, ..OutgoingParams::default() };
        let payload = words(3, 100);
        for cut in 1..20 {
            let (mut sender, mut receiver) = ends(Role::Server, &outgoing);
            send_part(&mut sender, false, &payload);
            assert_eq!(receive(&mut receiver, &taken(&mut sender)), []);
            send_part(&mut sender, true, &[&payload[..], b"and more than that"].concat());
            let bytes = taken(&mut sender);
            let (head, tail) = bytes.split_at(cut);
            assert_eq!(receive(&mut receiver, head), []);
            receiver.trim_memory();
            receiver.trim_memory();
            let data = [&payload[..], &payload[..], b"and more than that"].concat();
            let fragments = vec![100, 118];
            let message = Event::Message { binary: true, data, fragments };
            assert_eq!(receive(&mut receiver, tail), [message], "cut at {cut}");
        }
    }
}

#[test]
fn a_frame_may_be_cut_into_blocks_that_do_not_end_with_it() {
    // Cut anywhere: in the middle of a code, even. The inflater is in the middle of a block meanwhile.
    let (mut sender, _) = ends(Role::Server, &OutgoingParams::default());
    let payload = words(4, 400);
    send(&mut sender, &payload);
    let bytes = taken(&mut sender);
    let whole = frames(&bytes)[0].1;
    for cut in 1..whole.len() {
        let mut receiver = client();
        assert_eq!(receive(&mut receiver, &super::frame(0x42, &whole[..cut])), []);
        receiver.trim_memory();
        receiver.trim_memory();
        let seen = receive(&mut receiver, &super::frame(0x80, &whole[cut..]));
        assert!(matches!(&seen[..], [Event::Message { data, .. }] if *data == payload), "cut at {cut}");
    }
}

#[test]
fn a_frame_that_is_inflated_elsewhere_is_not_disturbed() {
    let (mut sender, mut receiver) = ends(Role::Server, &OutgoingParams::default());
    let (large, small) = (vec![7; 500_000], words(5, 300));
    for payload in [&small, &large, &small] {
        send(&mut sender, payload);
    }
    let mut events = EventBatch::new();
    receiver.receive(&taken(&mut sender), &mut CountingKeys::default(), &mut events);
    let mut seen = Vec::new();
    receiver.trim_memory();
    receiver.trim_memory();
    let job = super::collect(&mut receiver, &mut events, &mut seen).unwrap();
    receiver.trim_memory();
    receiver.trim_memory();
    receiver.finish_inflate_job(finish(job), &mut CountingKeys::default(), &mut events);
    assert!(super::collect(&mut receiver, &mut events, &mut seen).is_none());
    assert!(seen == [&small, &large, &small].map(|payload| Event::binary(payload)));
    assert!(receiver.trim_memory().may_free_more);
    assert!(!receiver.trim_memory().may_free_more);
    send(&mut sender, &small);
    assert_eq!(receive(&mut receiver, &taken(&mut sender)), [Event::binary(&small)]);
}

#[test]
fn both_directions_rest_at_once() {
    let (mut one, mut other) = (deflating(Role::Server), deflating(Role::Client));
    let payload = words(6, 200);
    for round in 0..6 {
        send(&mut one, &payload);
        assert_eq!(receive(&mut other, &taken(&mut one)), [Event::binary(&payload)]);
        send(&mut other, &payload);
        assert_eq!(receive(&mut one, &taken(&mut other)), [Event::binary(&payload)]);
        for _ in 0..round {
            one.trim_memory();
        }
        for _ in round..6 {
            other.trim_memory();
        }
    }
}
