//! Event batches as a queue: order, resuming, large messages, memory.

use super::{EventBatch, EventRef, KEPT_CAPACITY, LARGE_MESSAGE};
use crate::protocol::{MaskingKey, ProtocolError};

fn message<'a>(data: &'a [u8], fragments: &'a [u32]) -> EventRef<'a> {
    EventRef::Message { binary: true, data, fragments }
}

#[test]
fn events_come_out_in_order_and_the_batch_resets_itself() {
    let mut events = EventBatch::new();
    assert_eq!((events.is_empty(), events.len(), events.peek()), (true, 0, None));
    events.push_ping(b"pi", false);
    events.push_small(true, b"message", &[3, 4]);
    events.push_pong(b"");
    events.push_close(1000, b"bye");
    events.push_failed(ProtocolError::InvalidUtf8);
    events.push_flooded();
    assert_eq!((events.len(), events.payload_bytes()), (6, 12));

    for expected in [
        EventRef::Ping { data: b"pi", answered: false },
        EventRef::Message { binary: true, data: b"message", fragments: &[3, 4] },
        EventRef::Pong(b""),
        EventRef::Close { code: 1000, reason: b"bye" },
        EventRef::Failed(ProtocolError::InvalidUtf8),
        EventRef::Flooded,
    ] {
        assert_eq!(events.peek(), Some(expected));
        assert_eq!(events.take_large(), None);
        events.advance();
    }
    assert!(events.is_empty() && events.buffers().records.is_empty() && events.buffers().bytes.is_empty());
    assert_eq!((events.peek(), events.payload_bytes()), (None, 0));
    events.advance();
    assert!(events.is_empty());
}

#[test]
fn reading_continues_after_more_was_appended() {
    let mut events = EventBatch::new();
    events.push_ping(b"1", false);
    events.push_ping(b"2", false);
    events.advance();
    events.compact();
    events.push_ping(b"3", false);
    assert_eq!(events.peek(), Some(EventRef::Ping { data: b"2", answered: false }));
    events.advance();
    assert_eq!(events.peek(), Some(EventRef::Ping { data: b"3", answered: false }));
}

#[test]
fn large_messages_have_their_own_allocation() {
    let big = vec![5; LARGE_MESSAGE];
    let mut events = EventBatch::new();
    events.push_frame(true, &big, Some(MaskingKey([0; 4])), false).unwrap();
    events.push_frame(true, &big[1..], None, false).unwrap();
    events.push_large(true, big.clone(), &[10, 20]);
    assert_eq!(events.payload_bytes(), 3 * LARGE_MESSAGE - 1);
    assert_eq!(events.buffers().bytes.len(), LARGE_MESSAGE - 1);

    // Can be copied from the borrowed event.
    assert_eq!(events.peek(), Some(message(&big, &[])));
    events.advance();
    assert_eq!(events.take_large(), None);
    assert_eq!(events.peek(), Some(message(&big[1..], &[])));
    events.advance();
    // Can be taken, once.
    assert_eq!(events.take_large(), Some(big));
    assert_eq!(events.take_large(), None);
    assert_eq!(events.peek(), Some(message(&[], &[10, 20])));
    events.advance();
    assert_eq!((events.is_empty(), events.payload_bytes()), (true, 0));
}

#[test]
fn a_rejected_message_leaves_no_bytes() {
    let mut events = EventBatch::new();
    events.push_ping(b"p", false);
    let refused = events.push_frame(false, &[0xFF; 10], None, true);
    assert_eq!(refused, Err(ProtocolError::InvalidUtf8));
    assert_eq!((events.len(), events.payload_bytes(), events.buffers().bytes.len()), (1, 1, 1));
}

#[test]
fn a_batch_that_is_never_drained_does_not_grow() {
    let mut events = EventBatch::new();
    let (small, large) = (vec![1; 1_000], vec![2; LARGE_MESSAGE]);
    for round in 0_u32..2_000 {
        events.compact();
        events.push_small(true, &small, &[round, 1]);
        events.push_frame(true, &large, None, false).unwrap();
        events.push_ping(&round.to_be_bytes(), false);
        if round >= 10 {
            // Three in, three out, ten rounds behind.
            assert_eq!(events.peek(), Some(message(&small, &[round - 10, 1])));
            events.advance();
            assert_eq!(events.peek(), Some(message(&large, &[])));
            events.advance();
            assert_eq!(
                events.peek(),
                Some(EventRef::Ping { data: &(round - 10).to_be_bytes(), answered: false })
            );
            events.advance();
        }
    }
    assert_eq!(events.len(), 30);
    assert!(events.buffers().bytes.capacity() < 512 * 1024, "{}", events.buffers().bytes.capacity());
    assert!(events.buffers().records.capacity() < 4_096, "{}", events.buffers().records.capacity());
    assert!(events.buffers().fragments.capacity() < 4_096, "{}", events.buffers().fragments.capacity());
}

#[test]
fn a_drained_batch_keeps_a_bounded_capacity() {
    let mut events = EventBatch::new();
    for _ in 0..200 {
        events.push_small(true, &[0; 10_000], &[]);
    }
    events.clear();
    assert_eq!((events.is_empty(), events.payload_bytes()), (true, 0));
    assert!(events.buffers().bytes.capacity() > 0 && events.buffers().bytes.capacity() <= KEPT_CAPACITY);
}

#[test]
fn a_large_message_copied_out_of_its_chunk_is_complete() {
    let mut events = EventBatch::new();
    let chunk = vec![7; LARGE_MESSAGE + 3];
    events.push_in_chunk(true, 1, LARGE_MESSAGE);
    events.push_in_chunk(true, 2, LARGE_MESSAGE - 1);
    events.copy_out_chunk(&chunk);
    assert_eq!(events.peek(), Some(message(&chunk[..LARGE_MESSAGE], &[])));
    assert_eq!(events.take_large().as_deref(), Some(&chunk[..LARGE_MESSAGE]));
    events.advance();
    assert_eq!(events.peek(), Some(message(&chunk[..LARGE_MESSAGE - 1], &[])));
    assert_eq!(events.take_large(), None);
    events.advance();
    assert!(events.is_empty());
}
