//! The base: documents, texts, passages and keys as they were at the last rewrite of the trees, in
//! one sorted, mapped file that never changes. The trees hold the changes since then.
//!
//! sled reads and writes its whole page table at every open, and has a page for about every ten
//! entries. Entries that hardly ever change are cheaper here.
//!
//! | file | responsibility |
//! |---|---|
//! | header | the header of the file |
//! | block | entries that are read and checked together |
//! | index | finds the block of a key |
//! | read | one entry, or all in order |
//! | ahead | fetches the memory of many entries before they are read |
//! | write | making the file |
//! | damage | the check of the whole file |

mod ahead;
mod block;
mod damage;
mod header;
mod index;
mod read;
#[cfg(any(test, fuzzing))]
pub(super) mod targets;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use read::Base;
pub(super) use read::Entries;
pub(super) use write::{Entry, write};

use std::path::{Path, PathBuf};

/// Message for a base other than the one that the trees name.
pub(super) const OTHER_BASE: &str = "this is not the base that was written here";

/// File name of the base in the folder of the trees.
pub(super) const FILE: &str = "base";

/// Returns the path of the base below the trees in a folder.
pub(crate) fn file(trees: &Path) -> PathBuf {
    trees.join(FILE)
}

/// A tree whose entries the base may have: one table of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Keys,
    Documents,
    Texts,
    Passages,
}

impl Part {
    /// All parts, in the order of the file.
    pub(super) const ALL: [Self; 4] = [Self::Keys, Self::Documents, Self::Texts, Self::Passages];

    /// Returns the name of the tree.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Documents => "documents",
            Self::Texts => "texts",
            Self::Passages => "passages",
        }
    }

    /// Returns the bytes of each key; `None` where keys have different lengths.
    fn key_bytes(self) -> Option<usize> {
        match self {
            Self::Keys => None,
            Self::Documents | Self::Passages => Some(size_of::<u64>()),
            Self::Texts => Some(size_of::<u64>() + size_of::<u32>()),
        }
    }
}
