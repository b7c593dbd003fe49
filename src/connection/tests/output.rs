//! The output with external segments, against a flat list of bytes.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::server;
use crate::connection::{Connection, Output};

#[derive(Debug, Clone)]
enum Step {
    Bytes(Vec<u8>),
    External(Vec<u8>),
    /// Takes queued output, if all that was taken before is consumed.
    Take,
    /// Consumes this part of the head, in 256ths.
    Consume(u8),
    /// Consumes one byte.
    ConsumeOne,
    /// Turns external segments into bytes.
    Copy,
    /// Puts the taken output back.
    Requeue,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        vec(any::<u8>(), 0..40).prop_map(Step::Bytes),
        vec(any::<u8>(), 1..60).prop_map(Step::External),
        Just(Step::Take),
        any::<u8>().prop_map(Step::Consume),
        Just(Step::ConsumeOne),
        Just(Step::Copy),
        Just(Step::Requeue),
    ];
    vec(step, 0..60)
}

/// A connection whose output is taken, with the memory of external segments, and all bytes that are not consumed.
struct Sender {
    connection: Connection,
    taken: Output,
    memory: VecDeque<Vec<u8>>,
    model: VecDeque<u8>,
}

impl Sender {
    fn new() -> Self {
        Self {
            connection: server(),
            taken: Output::default(),
            memory: VecDeque::new(),
            model: VecDeque::new(),
        }
    }

    /// The bytes of the head, in order.
    fn head(&self) -> Vec<u8> {
        let head = self.taken.head();
        let external = match self.memory.front() {
            Some(memory) if head.external > 0 => &memory[memory.len() - head.external..],
            _ => &[],
        };
        [head.before, external, head.behind].concat()
    }

    fn consume(&mut self, count: usize) {
        let bytes = self.head();
        assert!(self.model.drain(..count).eq(bytes[..count].iter().copied()));
        let (before, external) = (self.taken.head().before.len(), self.taken.head().external);
        let is_used_up = self.taken.consume(count);
        assert_eq!(is_used_up, external > 0 && count >= before + external);
        if is_used_up {
            self.memory.pop_front();
        }
    }

    fn copy(&mut self) {
        let memory = &mut self.memory;
        let mut copy = |length: usize, output: &mut Vec<u8>| {
            let bytes = memory.pop_front().unwrap();
            output.extend_from_slice(&bytes[bytes.len() - length..]);
            true
        };
        assert!(self.taken.copy_externals(&mut copy) && self.connection.copy_externals(&mut copy));
        assert!(self.memory.is_empty());
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Bytes(bytes) => {
                self.connection.write_raw(&bytes);
                self.model.extend(bytes);
            }
            Step::External(bytes) => {
                self.connection.send_external(true, true, bytes.len());
                self.model.extend([0x82, bytes.len() as u8]);
                self.model.extend(&bytes);
                self.memory.push_back(bytes);
            }
            Step::Take => {
                if self.taken.is_empty() {
                    let has_output = self.connection.has_output();
                    assert_eq!(self.connection.swap_output(&mut self.taken), has_output);
                }
            }
            Step::Consume(part) => self.consume(self.head().len() * usize::from(part) / 255),
            Step::ConsumeOne => self.consume(self.head().len().min(1)),
            Step::Copy => self.copy(),
            Step::Requeue => {
                self.copy();
                self.connection.requeue_output(self.taken.bytes());
                self.taken.clear();
            }
        }
        let left = !self.taken.is_empty() || self.connection.has_output();
        assert_eq!(left, !self.model.is_empty());
    }
}

proptest! {
    #[test]
    fn bytes_leave_in_order(steps in steps()) {
        let mut sender = Sender::new();
        for step in steps {
            sender.step(step);
        }
        while !sender.model.is_empty() {
            sender.step(Step::Take);
            sender.step(Step::ConsumeOne);
        }
        prop_assert!(sender.memory.is_empty());
        prop_assert_eq!(sender.connection.swap_output(&mut sender.taken), false);
    }

    #[test]
    fn output_ends_where_memory_is_gone(steps in steps(), lost in 0..4_usize) {
        let mut sender = Sender::new();
        for step in steps {
            if !matches!(step, Step::Copy | Step::Requeue | Step::Take) {
                sender.step(step);
            }
        }
        sender.step(Step::Take);
        let mut seen = 0;
        let memory = &mut sender.memory;
        let is_whole = sender.taken.copy_externals(|length, output| {
            let bytes = memory.pop_front().unwrap();
            output.extend_from_slice(&bytes[..if seen < lost { length } else { length / 2 }]);
            seen += 1;
            seen <= lost
        });
        prop_assert_eq!(is_whole, sender.memory.is_empty() && seen <= lost);
        let bytes = sender.taken.bytes();
        prop_assert!(sender.model.iter().take(bytes.len()).eq(bytes));
        if is_whole {
            prop_assert_eq!(bytes.len(), sender.model.len());
        }
    }
}

#[test]
fn an_empty_output_keeps_little_memory() {
    let mut connection = server();
    let mut taken = Output::default();
    for length in [10, 1_000, 100_000] {
        for _ in 0..3 {
            connection.send(true, true, None, &vec![1; length]);
            connection.send_external(true, true, 5);
            assert!(connection.swap_output(&mut taken));
            while !taken.is_empty() {
                let head = taken.head();
                taken.consume(head.before.len() + head.external + head.behind.len());
            }
            assert!(!connection.swap_output(&mut taken));
            assert_eq!(taken.capacity(), 0);
        }
        let mut kept = Vec::new();
        connection.take_output(&mut kept);
        assert!(kept.capacity() <= 2 * 1024, "{} bytes", kept.capacity());
    }
}
