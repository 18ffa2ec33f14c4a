//! Mapping a file into memory.
#![expect(unsafe_code, reason = "a mapping is only as immutable as its file")]

use crate::error::{AtPath, Result};
use memmap2::Mmap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

/// Maps a file of this database read-only.
pub(crate) fn map(path: &Path) -> Result<Mmap> {
    let file = File::open(path).at(path)?;
    // SAFETY: the bytes must not change while mapped. Segments and bases get their name only when they are complete and
    // are never written again by this crate; they are only unlinked, which keeps mapped pages. The folder's LOCK keeps other
    // openers out. A program that ignores the lock and truncates the file breaks this, as it does for every user of
    // mapped files.
    unsafe { Mmap::map(&file) }.at(path)
}

/// Takes bytes out of this process's memory; the system reads them again when they are next looked at, most often from
/// its cache. Without it a process that has read a whole file once holds all of it, as far as anybody counts.
pub(crate) fn let_go(map: &Mmap, bytes: Range<usize>) {
    #[cfg(unix)]
    // SAFETY: the mapping is shared, read-only and of a file that does not change: what is read again is the same.
    // Advice that is refused changes nothing.
    let _ =
        unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, bytes.start, bytes.len()) };
    #[cfg(not(unix))]
    let _ = (map, bytes);
}
