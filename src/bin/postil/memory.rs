//! How this process asks the system for memory.

/// Has all threads allocate from one place, where the C library would give each its own. Vectors, pages and batches are
/// made on one thread and let go on another, and what is let go in one place is of no use to the others: an ingest of
/// 100 MB of text took 690 MB so, and 480 with one place.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "it is a call of the C library")]
pub(crate) fn share_one_arena() {
    // SAFETY: `mallopt` takes two numbers, and no other thread runs yet.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn share_one_arena() {}
