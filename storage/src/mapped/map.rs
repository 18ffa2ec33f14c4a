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
    // SAFETY: the bytes must not change while mapped. Segments, runs and bases get their name only
    // once they are complete, and this crate never writes them again; it only unlinks them, which
    // keeps mapped pages. The folder's LOCK keeps other openers out. A program that ignores the
    // lock and truncates the file breaks this, as it does for every user of mapped files.
    unsafe { Mmap::map(&file) }.at(path)
}

/// Returns an array of a file; opening has checked its alignment and length.
#[inline]
pub(crate) fn array<'a, T: bytemuck::AnyBitPattern>(map: &'a Mmap, place: &Range<usize>) -> &'a [T] {
    bytemuck::try_cast_slice(&map[place.clone()]).expect("opening checked alignment and length")
}

/// Bytes that are read before their pages are dropped; few in tests, so that small files have
/// several pieces.
pub(crate) const PIECE_BYTES: usize = if cfg!(test) { 64 } else { 4 << 20 };

/// Streams the elements of an array once, dropping pages after they are read.
pub(crate) fn stream(map: &Mmap, array: Range<usize>, element_bytes: usize) -> impl Iterator<Item = &[u8]> {
    let piece = (PIECE_BYTES / element_bytes).max(1) * element_bytes;
    let mut at = array.start;
    std::iter::from_fn(move || {
        let read = at - array.start;
        if read > 0 && (read.is_multiple_of(piece) || at == array.end) {
            let piece_start = at - (read - 1) % piece - 1;
            let_go(map, piece_start..at);
        }
        let element = (at < array.end).then(|| &map[at..at + element_bytes])?;
        at += element_bytes;
        Some(element)
    })
}

/// Drops pages from this process's memory; the next access reads them again, most often from the
/// page cache. Without this, a process that has read a whole file counts as holding all of it.
pub(crate) fn let_go(map: &Mmap, bytes: Range<usize>) {
    #[cfg(unix)]
    // SAFETY: the mapping is shared, read-only and of a file that does not change: reading again
    // gives the same bytes. Refused advice changes nothing.
    let _ =
        unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, bytes.start, bytes.len()) };
    #[cfg(not(unix))]
    let _ = (map, bytes);
}
