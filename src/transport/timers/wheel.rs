//! A hashed timing wheel: one deadline per key, in ticks that the caller counts. A deadline that moves away costs one store: the entry
//! in the wheel stays until it is reached, and is inserted again at the true deadline. Used by `liveness`.

use std::mem;

/// Slots of the wheel. A deadline that is further away than this is passed by once per rotation.
const SLOTS: usize = 1024;
/// Slots per word of the list of occupied ones.
const WORD: usize = u64::BITS as usize;
/// Places that an empty slot keeps.
const KEPT: usize = 16;
/// No deadline.
const NEVER: u32 = u32::MAX;

/// The deadline of a key in its slot. Stale unless it is the one that [`Key::armed`] names.
#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u32,
    tick: u32,
}

/// State of a key.
#[derive(Clone, Copy, Debug)]
struct Key {
    deadline: u32,
    /// The tick of the entry in the wheel, at or before the deadline. [`NEVER`] if there is none.
    armed: u32,
}

/// Deadlines by key. Keys are small numbers.
#[derive(Debug, Default)]
pub(super) struct Wheel {
    /// Empty until the first deadline.
    slots: Vec<Vec<Entry>>,
    /// A bit per slot that has entries.
    occupied: [u64; SLOTS / WORD],
    keys: Vec<Key>,
    /// The tick up to which deadlines have been reported.
    now: u32,
}

impl Wheel {
    /// Sets the deadline of a key, in place of the one it had. One that has passed is reported by the next tick.
    pub(super) fn set(&mut self, key: u32, deadline: u32) {
        let deadline = deadline.clamp(self.now + 1, NEVER - 1);
        let index = key as usize;
        if index >= self.keys.len() {
            self.keys.resize(index + 1, Key { deadline: NEVER, armed: NEVER });
        }
        let state = &mut self.keys[index];
        state.deadline = deadline;
        if deadline < state.armed {
            state.armed = deadline;
            self.insert(Entry { key, tick: deadline });
        }
    }

    /// Removes the deadline of a key.
    pub(super) fn clear(&mut self, key: u32) {
        if let Some(state) = self.keys.get_mut(key as usize) {
            state.deadline = NEVER;
        }
    }

    /// Moves on to the tick `now`, and adds to `due` each key whose deadline is not after it. Their deadlines are removed.
    pub(super) fn advance(&mut self, now: u32, due: &mut Vec<u32>) {
        let begin = self.now;
        self.now = begin.max(now);
        if self.slots.is_empty() {
            return;
        }
        // After a rotation each slot has been visited.
        let ticks = (self.now - begin).min(SLOTS as u32);
        for tick in self.now - ticks + 1..=self.now {
            self.visit(tick as usize % SLOTS, due);
        }
    }

    /// The first tick from the present one on at which there may be something to do. `None` without deadlines.
    pub(super) fn next_tick(&self) -> Option<u32> {
        let first = self.now + 1;
        let start = first as usize % SLOTS;
        // The word of the first slot is looked at twice: from that slot on, and at the end up to it.
        for step in 0..=SLOTS / WORD {
            let word = (start / WORD + step) % (SLOTS / WORD);
            let mut bits = self.occupied[word];
            if step == 0 {
                bits &= u64::MAX << (start % WORD);
            }
            if bits != 0 {
                let slot = word * WORD + bits.trailing_zeros() as usize;
                return Some(first + ((slot + SLOTS - start) % SLOTS) as u32);
            }
        }
        None
    }

    fn insert(&mut self, entry: Entry) {
        debug_assert!(entry.tick > self.now, "an entry lies ahead");
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, Vec::new);
        }
        let slot = entry.tick as usize % SLOTS;
        self.slots[slot].push(entry);
        self.occupied[slot / WORD] |= 1 << (slot % WORD);
    }

    /// Takes the entries of a slot that have been reached.
    fn visit(&mut self, slot: usize, due: &mut Vec<u32>) {
        let (word, bit) = (slot / WORD, 1 << (slot % WORD));
        if self.occupied[word] & bit == 0 {
            return;
        }
        let mut entries = mem::take(&mut self.slots[slot]);
        entries.retain(|entry| {
            if entry.tick > self.now {
                return true;
            }
            let state = &mut self.keys[entry.key as usize];
            if state.armed != entry.tick {
                return false;
            }
            state.armed = NEVER;
            if state.deadline <= self.now {
                state.deadline = NEVER;
                due.push(entry.key);
            } else if state.deadline != NEVER {
                state.armed = state.deadline;
                let entry = Entry { key: entry.key, tick: state.deadline };
                self.insert(entry);
            }
            false
        });
        // Entries that were inserted meanwhile: a rotation ahead.
        entries.append(&mut self.slots[slot]);
        if entries.is_empty() {
            entries.shrink_to(KEPT);
            self.occupied[word] &= !bit;
        }
        self.slots[slot] = entries;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Set { key: u32, ticks: u32 },
        Clear { key: u32 },
        Advance { ticks: u32 },
    }

    fn ticks() -> impl Strategy<Value = u32> {
        prop_oneof![4 => 0..40_u32, 2 => 0..3 * SLOTS as u32, 1 => 900..1100_u32, 1 => 0..1_000_000_u32]
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..12_u32, ticks()).prop_map(|(key, ticks)| Step::Set { key, ticks }),
            1 => (0..12_u32).prop_map(|key| Step::Clear { key }),
            4 => ticks().prop_map(|ticks| Step::Advance { ticks }),
        ]
    }

    proptest! {
        /// Against a map of deadlines: each key is reported at its deadline, once, neither before nor later. The wheel must be
        /// visited at the ticks that it names only.
        #[test]
        fn reports_the_keys_of_a_map_of_deadlines(steps in prop::collection::vec(step(), 1..200)) {
            let (mut wheel, mut model, mut now) = (Wheel::default(), BTreeMap::new(), 0_u32);
            for step in steps {
                match step {
                    Step::Set { key, ticks } => {
                        wheel.set(key, now + ticks);
                        model.insert(key, (now + ticks).max(now + 1));
                    }
                    Step::Clear { key } => {
                        wheel.clear(key);
                        model.remove(&key);
                    }
                    Step::Advance { ticks } => {
                        let end = now + ticks;
                        // As a driver does that sleeps until the named tick.
                        while let Some(tick) = wheel.next_tick().filter(|tick| *tick <= end) {
                            prop_assert!(tick > now);
                            now = tick;
                            let mut due = Vec::new();
                            wheel.advance(now, &mut due);
                            due.sort_unstable();
                            let expected: Vec<_> =
                                model.iter().filter(|(_, at)| **at <= now).map(|(key, _)| *key).collect();
                            // Not late either: these were due in this very tick.
                            prop_assert!(expected.iter().all(|key| model[key] == now));
                            prop_assert_eq!(&due, &expected);
                            model.retain(|_, at| *at > now);
                        }
                        now = end;
                        let mut due = Vec::new();
                        wheel.advance(now, &mut due);
                        prop_assert_eq!(due, []);
                        prop_assert!(model.values().all(|at| *at > now));
                    }
                }
                prop_assert!(model.is_empty() || wheel.next_tick().is_some());
            }
        }

        /// A driver that slept too long reports all that was due, once.
        #[test]
        fn catches_up_after_any_gap(
            deadlines in prop::collection::vec(1..5_000_u32, 1..50),
            gaps in prop::collection::vec(1..4_000_u32, 1..10),
        ) {
            let mut wheel = Wheel::default();
            for (key, deadline) in deadlines.iter().enumerate() {
                wheel.set(key as u32, *deadline);
            }
            let (mut begin, mut end) = (0, 0);
            for gap in gaps {
                end += gap;
                let mut due = Vec::new();
                wheel.advance(end, &mut due);
                due.sort_unstable();
                let is_due = |deadline: &u32| (begin + 1..=end).contains(deadline);
                let expected: Vec<_> =
                    (0..deadlines.len() as u32).filter(|key| is_due(&deadlines[*key as usize])).collect();
                prop_assert_eq!(due, expected);
                begin = end;
            }
        }
    }

    #[test]
    fn a_moved_deadline_does_not_grow_the_wheel() {
        let mut wheel = Wheel::default();
        for round in 0..100_000 {
            wheel.set(7, 10 + round % 500);
        }
        // One at the first deadline; the others move away from it.
        assert_eq!(wheel.slots.iter().map(Vec::len).sum::<usize>(), 1);
        let mut due = Vec::new();
        wheel.advance(2_000, &mut due);
        assert_eq!(due, [7]);
        assert_eq!(wheel.next_tick(), None);
    }
}
