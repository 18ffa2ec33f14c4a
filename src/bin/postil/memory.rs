//! Settings of the C library's allocator.

/// Least bytes of an allocation that is mapped separately and unmapped when freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ALONE_BYTES: libc::c_int = 256 << 10;

/// Makes all threads share one arena, where the C library would give each its own: vectors, pages
/// and batches are made on one thread and freed on another, and memory freed in one arena is of no
/// use to the others. Also fixes the size above which allocations are mapped separately, which the
/// library would raise: an ingest of 100 MB of text used 336 MB at most, and took 515 MB from the
/// system with one arena, 390 with both.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "it is a call of the C library")]
pub(crate) fn hold_little() {
    for (what, value) in [(libc::M_ARENA_MAX, 1), (libc::M_MMAP_THRESHOLD, ALONE_BYTES)] {
        // SAFETY: `mallopt` takes two numbers, and no other thread runs yet.
        unsafe { libc::mallopt(what, value) };
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn hold_little() {}
