//! One segment file: rows that never change, their graph, and nothing that needs decoding to be
//! used.
//!
//! | file | responsibility |
//! |---|---|
//! | header | the list of sections; checked before anything else is read |
//! | write | temp name, fsync, rename, fsync folder |
//! | open | the mapped file as slices |
//! | plan | the measured efforts of a search |
//! | search | through the graph, by nibbles, codes or vectors |
//! | trust | the parts of a damaged file that are still correct |
//! | damage | the check of the whole file |
//! | verify | checksums at first use |
//! | verified | results of those checks so far |
//! | resident | bytes of the file that are in memory |

mod damage;
mod header;
mod open;
mod plan;
mod resident;
mod search;
#[cfg(any(test, fuzzing))]
pub(crate) mod targets;
#[cfg(test)]
pub(crate) mod tests;
mod trust;
mod verified;
mod verify;
mod write;

pub(crate) use open::{Segment, shape};
pub(crate) use plan::{ENOUGH, Means, Plan, Step};
pub(crate) use search::{By, Coded, Stored, Walk};
pub(crate) use trust::{Trust, numbers};
pub(crate) use verify::row_checksum;
pub(crate) use write::{SegmentRows, write};

use std::path::{Path, PathBuf};

/// Returns the path of a segment.
pub(crate) fn file(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:06}.seg"))
}
