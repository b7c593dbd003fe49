//! `trim_memory` frees memory without either end noticing.

use std::cell::Cell;
use std::sync::Arc;

use super::{
    Event, EventBatch, client, ends, finish, frames, narrow, receive, send, send_part, taken, with_deflate,
    without_takeover, words,
};
use crate::connection::tests::CountingKeys;
use crate::connection::{Config, Connection};
use crate::protocol::Role;
use crate::protocol::deflate::{OutgoingParams, PermessageDeflate, Pool};

#[test]
fn an_unused_connection_frees_nothing() {
    assert!(!client().trim_memory().may_free_more);
    assert!(!Connection::new(super::config(Role::Client)).trim_memory().may_free_more);
}

#[test]
fn recently_used_memory_stays() {
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
    // Nothing is freed while in constant use.
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
fn a_connection_is_idle_without_history_in_use() {
    let payload = words(1, 1_000);
    for (takes_over, outgoing) in [(true, OutgoingParams::default()), (false, without_takeover())] {
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
            // The sent history can be dropped, the received one cannot.
            for connection in [&mut sender, &mut receiver] {
                connection.trim_memory();
                connection.trim_memory();
            }
            assert!(sender.is_idle());
            assert_eq!(receiver.is_idle(), !takes_over);
        }
    }
}

thread_local! {
    /// Bytes freed by [`counting`] on this thread.
    static FREED: Cell<usize> = const { Cell::new(0) };
}

/// An end whose pool counts the freed bytes.
fn counting(role: Role) -> Connection {
    let free = |memory: Vec<u8>| FREED.set(FREED.get() + memory.capacity());
    let deflate = PermessageDeflate { pool: Arc::new(Pool::new(free)), ..PermessageDeflate::default() };
    Connection::new(Config { deflate: Some(Arc::new(deflate)), ..super::config(role) })
}

#[test]
fn the_pool_frees_histories() {
    for is_closed in [false, true] {
        let (mut sender, mut receiver) = (counting(Role::Server), counting(Role::Client));
        for round in 0..3 {
            let payload = words(round, 20_000);
            send(&mut sender, &payload);
            assert_eq!(receive(&mut receiver, &taken(&mut sender)), [Event::binary(&payload)]);
        }
        for mut connection in [sender, receiver] {
            if is_closed {
                FREED.set(0);
                drop(connection);
                assert!(FREED.get() >= 40_000);
                continue;
            }
            // Used since the last call, then unused, then nothing is left to free.
            let freed = [(); 3].map(|()| {
                FREED.set(0);
                connection.trim_memory();
                FREED.get()
            });
            assert!(freed[0] == 0 && (40_000..200_000).contains(&freed[1]) && freed[2] == 0, "{freed:?}");
        }
    }
}

#[test]
fn a_trimmed_sender_refers_to_nothing() {
    for outgoing in [OutgoingParams::default(), without_takeover(), narrow(8)] {
        let (mut sender, _) = ends(Role::Server, &outgoing);
        let payload = words(2, 500);
        for _ in 0..3 {
            send(&mut sender, &payload);
            let bytes = taken(&mut sender);
            // A receiver without history can therefore inflate it.
            assert_eq!(receive(&mut client(), &bytes), [Event::binary(&payload)]);
            sender.trim_memory();
            sender.trim_memory();
        }
    }
}

#[test]
fn a_trimmed_receiver_keeps_its_history() {
    for bits in [8, 9, 12, 15] {
        for takeover in [true, false] {
            let outgoing = OutgoingParams { context_takeover: takeover, threshold: 0, ..narrow(bits) };
            let (mut sender, mut trimmed) = ends(Role::Server, &outgoing);
            let mut keeping = ends(Role::Server, &outgoing).1;
            for round in 0..20 {
                send(&mut sender, &words(round % 4, 100 + 97 * round));
                let bytes = taken(&mut sender);
                let seen = receive(&mut trimmed, &bytes);
                assert_eq!(seen, [Event::binary(&words(round % 4, 100 + 97 * round))]);
                assert_eq!(receive(&mut keeping, &bytes), seen);
                for _ in 0..round % 3 {
                    trimmed.trim_memory();
                }
            }
        }
    }
}

#[test]
fn nothing_is_freed_within_a_message() {
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
fn nothing_is_freed_during_the_last_frame() {
    // The header of the last frame has arrived, its payload has not.
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
fn blocks_may_span_frames() {
    // Split anywhere, even inside a code. Meanwhile the inflater is in the middle of a block.
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
fn trimming_does_not_disturb_an_offloaded_frame() {
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
fn both_directions_are_trimmed() {
    let (mut one, mut other) = (with_deflate(Role::Server), with_deflate(Role::Client));
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
