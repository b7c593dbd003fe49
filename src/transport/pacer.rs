//! Pacing of housekeeping: work that no event waits for, on a thread that events do wait for. It is done in steps, a few at a time.
//! The work itself, and the timer, are the owner's.

/// Nanoseconds of a slice, after which no step begins.
const SLICE: u64 = 1_000_000;
/// Steps between two looks at the clock. Each takes microseconds.
const STEPS: u32 = 32;
/// Pause after a slice, in multiples of its duration: a hundredth of the time is spent on housekeeping.
const PAUSE: u64 = 99;

/// Outcome of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slice {
    /// The work is done.
    Done,
    /// The next slice may begin after this many nanoseconds.
    Pause(u64),
}

/// Runs `step` until it returns false, because the work is done, or until the slice is over. `now`: nanoseconds since any fixed
/// moment. A step that takes long delays the next slice accordingly.
pub fn run_slice(now: impl Fn() -> u64, mut step: impl FnMut() -> bool) -> Slice {
    let begin = now();
    loop {
        for _ in 0..STEPS {
            if !step() {
                return Slice::Done;
            }
        }
        let spent = now().saturating_sub(begin);
        if spent >= SLICE {
            return Slice::Pause(spent.saturating_mul(PAUSE));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::{PAUSE, SLICE, STEPS, Slice, run_slice};

    proptest! {
        #[test]
        fn all_work_is_done_in_bounded_slices(costs in prop::collection::vec(0_u64..50_000, 0..5000)) {
            let clock = Cell::new(7);
            let (mut busy, mut waited, mut done) = (0, 0, 0);
            loop {
                let begin = clock.get();
                let slice = run_slice(|| clock.get(), || {
                    let Some(cost) = costs.get(done) else { return false };
                    clock.set(clock.get() + cost);
                    done += 1;
                    true
                });
                let spent = clock.get() - begin;
                // One round of steps may begin just before the end of the slice.
                prop_assert!(spent <= SLICE + 50_000 * u64::from(STEPS));
                busy += spent;
                match slice {
                    Slice::Done => break,
                    Slice::Pause(pause) => {
                        prop_assert!(spent >= SLICE, "a slice is used up");
                        waited += pause;
                        clock.set(clock.get() + pause);
                    }
                }
                prop_assert!(waited >= PAUSE * busy, "a hundredth of the time");
            }
            prop_assert_eq!(done, costs.len());
        }
    }

    #[test]
    fn a_slow_step_is_followed_by_a_long_pause() {
        let clock = Cell::new(0);
        let slice = run_slice(
            || clock.get(),
            || {
                clock.set(clock.get() + 40_000_000);
                true
            },
        );
        let spent = 40_000_000 * u64::from(STEPS);
        assert_eq!(slice, Slice::Pause(spent * PAUSE));
    }
}
