//! Blocks do not overlap and keep their bytes, whatever is allocated, freed, resized and released in between.

use std::alloc::{GlobalAlloc, Layout};
use std::thread;

use proptest::prelude::*;

use super::{PageAllocator, class_of, release_pages};

#[derive(Clone, Debug)]
enum Step {
    Allocate(usize),
    Free(usize),
    Resize(usize, usize),
    Release,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = prop_oneof![1_usize..300_000, 4000_usize..9000, Just(4096), Just(262_144), Just(262_145)];
    let step = prop_oneof![
        4 => size.clone().prop_map(Step::Allocate),
        3 => any::<usize>().prop_map(Step::Free),
        2 => (any::<usize>(), size).prop_map(|(block, size)| Step::Resize(block, size)),
        1 => Just(Step::Release),
    ];
    prop::collection::vec(step, 1..80)
}

/// A block, and the byte that it is filled with.
struct Block {
    start: *mut u8,
    layout: Layout,
    fill: u8,
}

impl Block {
    fn new(size: usize, fill: u8) -> Self {
        let layout = Layout::from_size_align(size, 8).unwrap();
        // SAFETY: the size is not 0.
        let start = unsafe { PageAllocator.alloc(layout) };
        assert!(!start.is_null() && start.is_aligned());
        let mut block = Self { start, layout, fill };
        block.bytes().fill(fill);
        block
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the block is in use, has this length, and is written before it is read.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.layout.size()) }
    }

    fn check(&mut self, length: usize) {
        let fill = self.fill;
        assert!(self.bytes()[..length].iter().all(|byte| *byte == fill), "another block has its memory");
    }

    fn resize(&mut self, size: usize) {
        // SAFETY: the block is in use, and the size is not 0.
        self.start = unsafe { PageAllocator.realloc(self.start, self.layout, size) };
        let kept = size.min(self.layout.size());
        self.layout = Layout::from_size_align(size, 8).unwrap();
        self.check(kept);
        let fill = self.fill;
        self.bytes().fill(fill);
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.check(self.layout.size());
        // SAFETY: the block is in use.
        unsafe { PageAllocator.dealloc(self.start, self.layout) };
    }
}

fn release_all() {
    let mut progress = 0;
    while release_pages(&mut progress) {}
}

fn run(steps: Vec<Step>) {
    let mut blocks = Vec::new();
    for (number, step) in steps.into_iter().enumerate() {
        let count = blocks.len().max(1);
        match step {
            Step::Allocate(size) => blocks.push(Block::new(size, number as u8)),
            Step::Free(block) if !blocks.is_empty() => drop(blocks.swap_remove(block % count)),
            Step::Resize(block, size) if !blocks.is_empty() => blocks[block % count].resize(size),
            Step::Free(_) | Step::Resize(..) => {}
            Step::Release => release_all(),
        }
    }
}

proptest! {
    #[test]
    fn blocks_keep_their_bytes(steps in steps()) {
        run(steps);
    }

    #[test]
    fn threads_share_the_allocator(plans in prop::collection::vec(steps(), 4)) {
        thread::scope(|scope| {
            for plan in plans {
                scope.spawn(|| run(plan));
            }
        });
    }
}

/// Resident bytes of the process.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[test]
fn pages_of_freed_blocks_are_returned() {
    const SIZE: usize = 32 * 1024;
    const COUNT: usize = 4000;
    assert!(class_of(Layout::from_size_align(SIZE, 1).unwrap()).is_some());
    let mut blocks: Vec<_> = (0..COUNT).map(|number| Block::new(SIZE, number as u8)).collect();
    let before = resident();
    // Every fourth one stays.
    let mut number = 0;
    blocks.retain(|_| {
        number += 1;
        number % 4 == 0
    });
    // The first pass sees that the blocks were in use.
    release_all();
    release_all();
    let returned = before.saturating_sub(resident());
    assert!(returned > SIZE * COUNT / 2, "{returned} bytes returned");
    drop(blocks);
}

#[test]
fn zeroed_blocks_are_zero() {
    let layout = Layout::from_size_align(20_000, 8).unwrap();
    for _ in 0..3 {
        drop(Block::new(20_000, 0xFF));
        // SAFETY: the size is not 0.
        let start = unsafe { PageAllocator.alloc_zeroed(layout) };
        // SAFETY: the block has this length.
        let bytes = unsafe { std::slice::from_raw_parts(start, 20_000) };
        assert!(bytes.iter().all(|byte| *byte == 0));
        // SAFETY: the block is in use.
        unsafe { PageAllocator.dealloc(start, layout) };
    }
}
