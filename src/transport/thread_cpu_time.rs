//! CPU time of the calling thread.

/// Nanoseconds of CPU time that the calling thread has used since it began. 0 if the system does not report
/// it.
pub fn thread_cpu_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: plain out-parameter.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    if status != 0 {
        return 0;
    }
    // The fields have another integer type on each system; both values are small and not negative.
    #[allow(clippy::unnecessary_fallible_conversions, reason = "not the same type everywhere")]
    let field = |value| u64::try_from(value).unwrap_or(0);
    field(time.tv_sec) * 1_000_000_000 + field(time.tv_nsec)
}
