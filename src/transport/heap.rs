//! Returns freed memory to the system: glibc keeps free memory that lies below memory in use. Large pieces are returned one by one
//! ([`free`]). For small ones, `malloc_trim` walks the heap of the whole process, the program's part included, under locks that all
//! threads need: [`trim`] leaves a large heap alone, and [`Trimmer`] bounds the cost otherwise. Called by housekeeping of the addon and by
//! the pool of permessage-deflate. No other unsafe code belongs here.

use std::mem::MaybeUninit;

/// Bytes from which freed memory is worth a system call.
const RELEASE_FROM: usize = 16 * 1024;
/// Largest heap that is trimmed, in bytes: this takes up to a millisecond with few free pieces, and 30 for a GiB with many.
const MAX_TRIMMED: usize = 64 * 1024 * 1024;

/// Bytes freed from which the heap is trimmed.
const TRIM_FROM: usize = 4 * 1024 * 1024;
/// The same if no more memory is about to be freed.
const TRIM_LAST_FROM: usize = 256 * 1024;

/// Nanoseconds of a slow trim.
const SLOW: u64 = 2_000_000;
/// Pause after a slow trim, in nanoseconds.
const FIRST_PAUSE: u64 = 60_000_000_000;
/// Longest pause.
const LAST_PAUSE: u64 = 60 * FIRST_PAUSE;

/// Decides when the heap is trimmed: after enough memory was freed, and not in the pause that follows a slow trim. The pause is one
/// minute, and twice as long after each further slow trim, up to an hour; a fast trim ends this. A process with a large
/// heap of its own thus has one slow trim per pause at most.
#[derive(Debug)]
pub struct Trimmer {
    /// Bytes freed since the last trim.
    freed: usize,
    /// Time of the end of the pause.
    not_before: u64,
    /// Pause after the next slow trim.
    pause: u64,
}

impl Default for Trimmer {
    fn default() -> Self {
        Self { freed: 0, not_before: 0, pause: FIRST_PAUSE }
    }
}

impl Trimmer {
    /// Counts bytes that were freed.
    pub fn note_freed(&mut self, bytes: usize) {
        self.freed = self.freed.saturating_add(bytes);
    }

    /// Calls `trim` if the heap is to be trimmed. `may_free_more`: memory that was not used is about to be freed. `now`: nanoseconds
    /// since a moment that is the same in all calls.
    pub fn trim_if_due(&mut self, may_free_more: bool, now: impl Fn() -> u64, trim: impl FnOnce()) {
        let least = if may_free_more { TRIM_FROM } else { TRIM_LAST_FROM };
        if self.freed < least {
            return;
        }
        let begin = now();
        if begin < self.not_before {
            return;
        }
        self.freed = 0;
        trim();
        let end = now();
        if end.saturating_sub(begin) > SLOW {
            self.not_before = end.saturating_add(self.pause);
            self.pause = LAST_PAUSE.min(2 * self.pause);
        } else {
            self.pause = FIRST_PAUSE;
        }
    }
}

/// Frees memory whose pages the system gets back at once, whatever is allocated around it, unless it is small.
pub fn free(mut memory: Vec<u8>) {
    if memory.capacity() >= RELEASE_FROM {
        memory.clear();
        release_pages(memory.spare_capacity_mut());
    }
}

/// Returns the whole pages in `memory`, the content of which is undefined then.
fn release_pages(memory: &mut [MaybeUninit<u8>]) {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: reads a constant of the system.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let Ok(page) = usize::try_from(page) else { return };
        let start = memory.as_ptr().align_offset(page);
        let Some(whole) = memory.get_mut(start..) else { return };
        let length = whole.len() - whole.len() % page;
        // SAFETY: `length` bytes from `whole` on are borrowed exclusively, may be uninitialized, and are whole pages.
        unsafe {
            libc::madvise(whole.as_mut_ptr().cast(), length, libc::MADV_DONTNEED);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

/// Calls glibc's `malloc_trim`, unless the heap is large. Does nothing with other C libraries.
pub fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if heap_size().is_some_and(|size| size <= MAX_TRIMMED) {
        // SAFETY: takes the allocator's locks and touches free memory only; may be called at any time from any
        // thread.
        unsafe {
            libc::malloc_trim(0);
        }
    }
}

/// Bytes of the main heap of the C library, in use or free; `None` if unknown.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn heap_size() -> Option<usize> {
    // SAFETY: an increment of zero changes nothing.
    let end = unsafe { libc::sbrk(0) }.addr();
    let line = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Field 47, `start_brk`. The second one is a name in parentheses, which may contain anything.
    let (_, fields) = line.rsplit_once(") ")?;
    let start = fields.split(' ').nth(47 - 3)?.parse().ok()?;
    end.checked_sub(start)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::{FIRST_PAUSE, LAST_PAUSE, SLOW, TRIM_FROM, TRIM_LAST_FROM, Trimmer, release_pages};

    const MINUTE: u64 = 60_000_000_000;

    /// Looks at `trimmer` at a time of `clock`; a trim takes `duration`. Returns true if it took place.
    fn look(trimmer: &mut Trimmer, clock: &Cell<u64>, may_free_more: bool, duration: u64) -> bool {
        let was_called = Cell::new(false);
        trimmer.trim_if_due(
            may_free_more,
            || clock.get(),
            || {
                clock.set(clock.get() + duration);
                was_called.set(true);
            },
        );
        was_called.get()
    }

    /// Resident bytes of the process in pages that no file backs.
    #[cfg(target_os = "linux")]
    fn resident() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line of it");
        line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_gets_whole_pages_back() {
        const SIZE: usize = 64 * 1024 * 1024;
        let mut memory = vec![7_u8; SIZE];
        let before = resident();
        let kept = 100;
        memory.truncate(kept);
        release_pages(memory.spare_capacity_mut());
        let released = before.saturating_sub(resident());
        // Other tests allocate meanwhile, but less.
        assert!(released > SIZE / 4, "{released}");
        assert!(memory.iter().all(|&byte| byte == 7));
        // The memory can be used again.
        memory.resize(SIZE, 8);
        assert!(memory[kept..].iter().all(|&byte| byte == 8));
    }

    #[test]
    fn memory_outside_of_the_slice_stays() {
        let mut memory = vec![7_u8; 100_000];
        for length in [99_999, 70_000, 9_000, 4_097, 4_096, 1, 0] {
            memory.truncate(length);
            release_pages(memory.spare_capacity_mut());
            assert!(memory.len() == length && memory.iter().all(|&byte| byte == 7));
        }
    }

    #[test]
    fn the_heap_is_trimmed_for_many_bytes_or_for_the_last_ones() {
        let (mut trimmer, clock) = (Trimmer::default(), Cell::new(0));
        for (least, may_free_more) in [(TRIM_FROM, true), (TRIM_LAST_FROM, false)] {
            trimmer.note_freed(least - 1);
            assert!(!look(&mut trimmer, &clock, may_free_more, SLOW));
            trimmer.note_freed(1);
            assert!(look(&mut trimmer, &clock, may_free_more, SLOW));
            // The bytes are counted once.
            trimmer.note_freed(least - 1);
            assert!(!look(&mut trimmer, &clock, may_free_more, SLOW));
            trimmer = Trimmer::default();
        }
    }

    #[test]
    fn slow_trims_are_minutes_apart_and_then_an_hour() {
        let (mut trimmer, clock) = (Trimmer::default(), Cell::new(0));
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            trimmer.note_freed(TRIM_FROM);
            assert!(look(&mut trimmer, &clock, false, SLOW + 1));
            // Bytes freed in the pause are trimmed after it.
            trimmer.note_freed(TRIM_FROM);
            clock.set(clock.get() + minutes * MINUTE - 1);
            assert!(!look(&mut trimmer, &clock, false, 0));
            clock.set(clock.get() + 1);
        }
        // A fast one: the next slow one has a short pause.
        assert!(look(&mut trimmer, &clock, false, SLOW));
        trimmer.note_freed(TRIM_FROM);
        assert!(look(&mut trimmer, &clock, false, SLOW + 1));
        trimmer.note_freed(TRIM_FROM);
        clock.set(clock.get() + MINUTE);
        assert!(look(&mut trimmer, &clock, false, 0));
    }

    proptest! {
        #[test]
        fn slow_trims_take_a_bounded_share_of_the_time(
            looks in prop::collection::vec((0_u64..20 * MINUTE, 0_usize..2 * TRIM_FROM, any::<bool>(), 0_u64..20 * SLOW), 1..200)
        ) {
            let (mut trimmer, clock) = (Trimmer::default(), Cell::new(0));
            let (mut freed, mut last_slow, mut slow_ones) = (0, None, 0);
            for (wait, bytes, may_free_more, duration) in looks {
                clock.set(clock.get() + wait);
                trimmer.note_freed(bytes);
                freed += bytes;
                let begin = clock.get();
                let trimmed = look(&mut trimmer, &clock, may_free_more, duration);
                // The longest pause that may be under way.
                let pause = (FIRST_PAUSE << (slow_ones.clamp(1, 10) - 1)).min(LAST_PAUSE);
                if trimmed {
                    prop_assert!(freed >= TRIM_LAST_FROM);
                    prop_assert!(last_slow.is_none_or(|last| begin >= last + pause));
                    freed = 0;
                    slow_ones = if duration > SLOW { slow_ones + 1 } else { 0 };
                    last_slow = (duration > SLOW).then(|| clock.get());
                } else {
                    let is_enough = freed >= if may_free_more { TRIM_FROM } else { TRIM_LAST_FROM };
                    prop_assert!(!is_enough || last_slow.is_some_and(|last| begin < last + pause));
                }
            }
        }
    }
}
