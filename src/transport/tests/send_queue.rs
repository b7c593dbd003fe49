//! The queue of small messages, as JavaScript writes it: each entry comes back once, in order, and no content of the memory hangs or
//! panics.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::transport::send_queue::{LENGTH, is_empty, take};

type Message = (u32, u32, Vec<u8>);

/// Writes a message as `lib/transport/send-queue.js` does. False if it does not fit.
fn enqueue(memory: &mut [u8], (id, flags, payload): &Message) -> bool {
    let length = u32::from_ne_bytes(memory[..4].try_into().unwrap()) as usize;
    let start = 8 + length;
    let end = start + 8 + payload.len().next_multiple_of(8);
    if end > memory.len() {
        return false;
    }
    memory[start..][..4].copy_from_slice(&id.to_ne_bytes());
    memory[start + 4..][..4].copy_from_slice(&(flags | (payload.len() as u32) << 16).to_ne_bytes());
    memory[start + 8..][..payload.len()].copy_from_slice(payload);
    memory[..4].copy_from_slice(&((end - 8) as u32).to_ne_bytes());
    true
}

/// Takes all entries, connection by connection as long as they follow each other.
fn take_all(memory: &mut [u8]) -> Vec<Message> {
    let mut entries = take(memory);
    let mut messages = Vec::new();
    while let Some(id) = entries.next_id() {
        while let Some(entry) = entries.next_of(id) {
            assert_eq!(entry.id, id);
            messages.push((id, entry.flags, entry.payload.to_vec()));
        }
    }
    messages
}

proptest! {
    #[test]
    fn entries_come_back_in_order(messages in vec((0..3_u32, 0..256_u32, vec(any::<u8>(), 0..65)), 0..400)) {
        let mut memory = vec![0; LENGTH];
        for _ in 0..2 {
            let written: Vec<_> =
                messages.iter().filter(|message| enqueue(&mut memory, message)).cloned().collect();
            prop_assert_eq!(is_empty(&memory), written.is_empty());
            prop_assert_eq!(take_all(&mut memory), written);
            prop_assert!(is_empty(&memory));
        }
    }

    #[test]
    fn any_content_ends(mut memory in vec(any::<u8>(), 0..300)) {
        let most = memory.len() / 8 + 1;
        prop_assert!(take_all(&mut memory).len() <= most);
    }
}
