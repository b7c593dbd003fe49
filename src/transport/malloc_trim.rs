//! Returns freed memory to the system: glibc keeps free memory that lies below memory in use. Called by
//! `compression` only. No other unsafe code belongs here.

/// Calls glibc's `malloc_trim`. Takes a few milliseconds with a large heap. Does nothing with other C
/// libraries.
pub fn malloc_trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes the allocator's locks and touches free memory only; may be called at any time from any
    // thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
