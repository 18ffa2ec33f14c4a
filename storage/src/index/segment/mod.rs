//! One segment file: rows that never change, their graph, and nothing that needs decoding to be used.
//!
//! | file | responsibility |
//! |---|---|
//! | header | what the file holds and where; checked before anything else is read |
//! | write | temp name, fsync, rename, fsync folder |
//! | map | the one unsafe line: mapping a file |
//! | open | header and lengths to slices |
//! | verify | checksums at first use |

mod header;
mod map;
mod open;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub(crate) use open::Segment;
pub(crate) use write::{SegmentRows, write};

use std::path::{Path, PathBuf};

/// The file of a segment.
pub(crate) fn file(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:06}.seg"))
}
