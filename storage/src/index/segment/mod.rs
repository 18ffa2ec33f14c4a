//! One segment file: rows that never change, their graph, and nothing that needs decoding to be used.
//!
//! | file | responsibility |
//! |---|---|
//! | header | what the file holds and where; checked before anything else is read |
//! | write | temp name, fsync, rename, fsync folder |
//! | open | header and lengths to slices |
//! | plan | how it is searched |
//! | search | through the graph, by nibbles, codes or vectors |
//! | trust | how much of a damaged file is still what was written |
//! | damage | what the file promises beyond that, looked at |
//! | verify | checksums at first use |
//! | verified | what they found so far |
//! | resident | how much of it is in memory |

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

/// The file of a segment.
pub(crate) fn file(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:06}.seg"))
}
