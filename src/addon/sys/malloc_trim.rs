//! Memory that has been freed, back to the system: glibc keeps what lies below what is still in use.

/// Gives back what the allocator of C holds free, where it does not do so by itself. Takes a few milliseconds for a large heap.
pub(in crate::addon) fn malloc_trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes its own locks, and touches free memory only.
    unsafe {
        libc::malloc_trim(0);
    }
}
