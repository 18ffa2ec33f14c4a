//! The bytes of a mapped segment that are in memory.
#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "the system writes what it says to a raw pointer")
)]

use super::Segment;

impl Segment {
    /// Returns the bytes of the file, in whole pages, that the system has in memory, for any
    /// process; `None` if the system does not tell.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident_bytes(&self) -> Option<u64> {
        let page_bytes = rustix::param::page_size();
        let mut pages = vec![0u8; self.map.len().div_ceil(page_bytes)];
        let start = self.map.as_ptr().cast_mut().cast();
        // SAFETY: the range is the whole of one mapping, which starts at a page and outlives the
        // call; nothing is written to it. One byte is written for each page of it, also for the
        // last, partial one: `pages` has as many.
        let failed = unsafe { libc::mincore(start, self.map.len(), pages.as_mut_ptr()) } != 0;
        let resident = pages.iter().filter(|&page| page & 1 != 0).count();
        (!failed).then_some((resident * page_bytes) as u64)
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn resident_bytes(&self) -> Option<u64> {
        None
    }
}
