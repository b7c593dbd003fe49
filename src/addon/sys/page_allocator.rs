//! The addon's allocator for blocks of 4 KiB to 256 KiB on Linux: histories of permessage-deflate, event memory, output.
//! All other blocks come from the system's allocator.
//!
//! glibc keeps free blocks that lie below blocks in use. `malloc_trim` would return them, but it walks the heap of the whole
//! process under a lock: with a large heap of the program, that takes hundreds of milliseconds. Here, free pages are returned
//! in steps of microseconds, and other heaps are left alone.
//!
//! A block has the length of its class, a power of two, and lies in a mapping ("chunk") with blocks of its class only. Pages that
//! were never written take no memory, so the length rounded up costs addresses only.

#![allow(clippy::cast_ptr_alignment, reason = "chunks begin at multiples of their length")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::{self, NonNull};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lengths of the shortest and of the longest block, as powers of two.
const MIN_SHIFT: u32 = 12;
const MAX_SHIFT: u32 = 18;
const CLASSES: usize = (MAX_SHIFT - MIN_SHIFT + 1) as usize;

/// Length and alignment of a chunk.
const CHUNK: usize = 1 << 22;
const WORDS: usize = (CHUNK >> MIN_SHIFT) / 64;

/// Bytes returned in one step: few enough for some ten microseconds.
const STEP: usize = 256 * 1024;

/// One bit per block of a chunk.
type Bits = [u64; WORDS];

/// The beginning of a chunk, in its first block, which is not handed out.
struct Chunk {
    /// Free blocks.
    free: Bits,
    /// Free blocks that may have pages.
    dirty: Bits,
    /// Dirty blocks that were in use since the last [`release`] began.
    recent: Bits,
    /// Number of free blocks.
    count: usize,
    /// The next chunk of the class with free blocks.
    next: Option<NonNull<Chunk>>,
}

/// The chunks of one class that have free blocks; one without free blocks is known by the addresses of its blocks only.
struct Class {
    shift: u32,
    first: Option<NonNull<Chunk>>,
}

// SAFETY: the chunks belong to the class, and are accessed under its lock only.
unsafe impl Send for Class {}

static CHUNKS: [Mutex<Class>; CLASSES] = {
    const fn class(shift: u32) -> Mutex<Class> {
        Mutex::new(Class { shift, first: None })
    }
    [class(12), class(13), class(14), class(15), class(16), class(17), class(18)]
};

/// The index of the class for a layout; `None` if the system's allocator has its blocks.
fn class_of(layout: Layout) -> Option<usize> {
    let is_ours = layout.size() >= 1 << MIN_SHIFT
        && layout.size() <= 1 << MAX_SHIFT
        && layout.align() <= 1 << MIN_SHIFT;
    is_ours.then(|| (layout.size().next_power_of_two().trailing_zeros() - MIN_SHIFT) as usize)
}

fn lock(class: usize) -> MutexGuard<'static, Class> {
    CHUNKS[class].lock().unwrap_or_else(PoisonError::into_inner)
}

/// Position of a block in [`Bits`].
#[derive(Clone, Copy)]
struct Bit {
    word: usize,
    mask: u64,
}

impl Bit {
    fn of(index: usize) -> Self {
        Self { word: index / 64, mask: 1 << (index % 64) }
    }
}

/// The first of the bits that are set in `one` and, if given, in `other`.
fn find(one: &Bits, other: impl Fn(usize) -> u64) -> Option<usize> {
    (0..WORDS).find_map(|word| {
        let both = one[word] & other(word);
        (both != 0).then(|| word * 64 + both.trailing_zeros() as usize)
    })
}

impl Chunk {
    /// All blocks but the first one are free.
    fn new(shift: u32) -> Self {
        let blocks = CHUNK >> shift;
        let mut free = [0; WORDS];
        for index in 1..blocks {
            let Bit { word, mask } = Bit::of(index);
            free[word] |= mask;
        }
        Self { free, dirty: [0; WORDS], recent: [0; WORDS], count: blocks - 1, next: None }
    }

    /// Takes a free block, one with pages if there is one. Returns its index.
    fn take(&mut self) -> Option<usize> {
        let index = find(&self.dirty, |word| self.free[word]).or_else(|| find(&self.free, |_| !0))?;
        let Bit { word, mask } = Bit::of(index);
        self.free[word] &= !mask;
        self.dirty[word] &= !mask;
        self.recent[word] &= !mask;
        self.count -= 1;
        Some(index)
    }

    /// Puts a block back.
    fn put(&mut self, index: usize) {
        let Bit { word, mask } = Bit::of(index);
        debug_assert_eq!(self.free[word] & mask, 0, "a block is freed once");
        self.free[word] |= mask;
        self.dirty[word] |= mask;
        self.recent[word] |= mask;
        self.count += 1;
    }

    /// Takes a run of up to `most` dirty blocks that were not in use recently; they are clean from then on. Returns the index of
    /// the first one and their number.
    fn take_unused(&mut self, most: usize) -> Option<(usize, usize)> {
        let first = find(&self.dirty, |word| !self.recent[word])?;
        let mut length = 0;
        while length < most && first + length < WORDS * 64 {
            let Bit { word, mask } = Bit::of(first + length);
            if self.dirty[word] & !self.recent[word] & mask == 0 {
                break;
            }
            self.dirty[word] &= !mask;
            length += 1;
        }
        Some((first, length))
    }
}

impl Class {
    /// Allocates a block. Null if the system has no memory.
    fn allocate(&mut self) -> *mut u8 {
        let Some(chunk) = self.first.or_else(|| map(self.shift)) else { return ptr::null_mut() };
        self.first = Some(chunk);
        // SAFETY: a chunk on the list is mapped, and accessed under the lock of its class, which the caller holds.
        let header = unsafe { &mut *chunk.as_ptr() };
        let Some(index) = header.take() else { return ptr::null_mut() };
        if header.count == 0 {
            self.first = header.next.take();
        }
        // SAFETY: the block lies within the chunk, which is mapped as a whole.
        unsafe { chunk.as_ptr().cast::<u8>().add(index << self.shift) }
    }

    /// Frees a block of this class.
    fn free(&mut self, block: *mut u8) {
        let offset = block.addr() % CHUNK;
        // SAFETY: chunks begin at multiples of their length, so the block and the beginning of its chunk are in one mapping.
        let chunk = unsafe { block.sub(offset) }.cast::<Chunk>();
        // SAFETY: as in `allocate`; a chunk with a block in use stays mapped.
        let header = unsafe { &mut *chunk };
        let was_full = header.count == 0;
        header.put(offset >> self.shift);
        if was_full {
            header.next = self.first;
            self.first = NonNull::new(chunk);
        }
    }

    /// Returns pages of free blocks that were not in use recently, up to [`STEP`] bytes. False if there are none.
    fn release_some(&mut self) -> bool {
        let mut at = self.first;
        while let Some(chunk) = at {
            // SAFETY: as in `allocate`.
            let header = unsafe { &mut *chunk.as_ptr() };
            if let Some((first, length)) = header.take_unused(STEP >> self.shift) {
                let (start, length) = (first << self.shift, length << self.shift);
                // SAFETY: the run lies within the chunk.
                let start = unsafe { chunk.as_ptr().cast::<u8>().add(start) };
                // SAFETY: no block of the run is in use; the lengths of blocks are multiples of the page's.
                unsafe { libc::madvise(start.cast(), length, libc::MADV_DONTNEED) };
                return true;
            }
            at = header.next;
        }
        false
    }

    /// Ends a pass: unmaps chunks without blocks in use, and lets the next pass return the blocks that are unused until then.
    fn end_pass(&mut self) {
        let mut kept = None;
        let mut at = self.first;
        while let Some(chunk) = at {
            // SAFETY: as in `allocate`.
            let header = unsafe { &mut *chunk.as_ptr() };
            at = header.next;
            let is_clean = header.dirty == [0; WORDS];
            if is_clean && header.count == (CHUNK >> self.shift) - 1 {
                // SAFETY: the chunk is on no list any more, and none of its blocks is in use.
                unsafe { libc::munmap(chunk.as_ptr().cast(), CHUNK) };
                continue;
            }
            header.recent = [0; WORDS];
            header.next = kept;
            kept = Some(chunk);
        }
        self.first = kept;
    }
}

/// Maps a chunk for blocks of this length. `None` if the system has no memory.
fn map(shift: u32) -> Option<NonNull<Chunk>> {
    let (protection, flags) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
    // SAFETY: a new mapping, anywhere.
    let start = unsafe { libc::mmap(ptr::null_mut(), 2 * CHUNK, protection, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return None;
    }
    let before = start.addr().next_multiple_of(CHUNK) - start.addr();
    let start = start.cast::<u8>();
    // SAFETY: within the mapping, of which a chunk's length is left behind it.
    let chunk = unsafe { start.add(before) };
    if before > 0 {
        // SAFETY: the part before the chunk is not used.
        unsafe { libc::munmap(start.cast(), before) };
    }
    // SAFETY: within the mapping.
    let end = unsafe { chunk.add(CHUNK) };
    // SAFETY: the part behind the chunk, one byte at least, is not used.
    unsafe { libc::munmap(end.cast(), CHUNK - before) };
    // SAFETY: a chunk that has a huge page instead of the pages that were written would take all of its length.
    unsafe { libc::madvise(chunk.cast(), CHUNK, libc::MADV_NOHUGEPAGE) };
    let header = NonNull::new(chunk.cast::<Chunk>())?;
    // SAFETY: the beginning of the chunk is mapped, aligned, and not in use.
    unsafe { header.write(Chunk::new(shift)) };
    Some(header)
}

/// Continues to return free pages to the system, those of some blocks per call. `class` is the progress of a pass, 0 in the
/// beginning. Returns false when the pass is over; blocks that were freed after the last pass are left to the next one.
pub(in crate::addon) fn release_pages(class: &mut usize) -> bool {
    // A block must have whole pages.
    // SAFETY: reads a constant of the system.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(usize::MAX);
    if *class >= CLASSES {
        return false;
    }
    let mut chunks = lock(*class);
    if page > 1 << chunks.shift || !chunks.release_some() {
        chunks.end_pass();
        *class += 1;
    }
    *class < CLASSES
}

#[global_allocator]
static ALLOCATOR: PageAllocator = PageAllocator;

/// The allocator of the addon.
struct PageAllocator;

// SAFETY: a block belongs to the allocator that the class of its layout chooses, for as long as it exists. Blocks of a class are
// as long as its layouts and do not overlap: the bit of a block is set exactly while it is free. No call unwinds.
unsafe impl GlobalAlloc for PageAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match class_of(layout) {
            Some(class) => lock(class).allocate(),
            // SAFETY: the caller's promise.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match class_of(layout) {
            Some(class) => lock(class).free(block),
            // SAFETY: the caller's promise.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if class_of(layout).is_none() {
            // SAFETY: the caller's promise.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: the caller's promise.
        let block = unsafe { self.alloc(layout) };
        if !block.is_null() {
            // SAFETY: the block has the length of the layout.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the size is valid for the alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (class_of(layout), class_of(wanted)) {
            // SAFETY: the caller's promise.
            (None, None) => unsafe { System.realloc(block, layout, size) },
            (before, after) if before == after => block,
            _ => {
                // SAFETY: the caller promises a size that is not 0.
                let moved = unsafe { self.alloc(wanted) };
                if !moved.is_null() {
                    // SAFETY: both blocks have at least this length and do not overlap.
                    unsafe { ptr::copy_nonoverlapping(block, moved, layout.size().min(size)) };
                    // SAFETY: the caller gives the block up.
                    unsafe { self.dealloc(block, layout) };
                }
                moved
            }
        }
    }
}

#[cfg(test)]
#[path = "page_allocator_tests.rs"]
mod tests;
