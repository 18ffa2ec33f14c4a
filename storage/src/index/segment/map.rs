//! Mapping a segment file into memory.
#![expect(unsafe_code, reason = "a mapping is only as immutable as its file")]

use crate::error::{AtPath, Result};
use memmap2::Mmap;
use std::fs::File;
use std::path::Path;

/// Maps a file of this database read-only.
pub(super) fn map(path: &Path) -> Result<Mmap> {
    let file = File::open(path).at(path)?;
    // SAFETY: the bytes must not change while mapped. A segment gets its name only when it is complete and is never
    // written again by this crate; it is only unlinked, which keeps mapped pages. The folder's LOCK keeps other
    // openers out. A program that ignores the lock and truncates the file breaks this, as it does for every user of
    // mapped files.
    unsafe { Mmap::map(&file) }.at(path)
}
