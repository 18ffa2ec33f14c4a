//! The base: documents, texts, passages and keys as they were when the trees were last written anew, in one sorted,
//! mapped file that never changes. The trees have what changed since.
//!
//! sled reads and writes its whole page table whenever it is opened, and has a page for every ten entries or so; what
//! hardly ever changes is better off here.
//!
//! | file | responsibility |
//! |---|---|
//! | header | what the file says of itself |
//! | block | entries that are read and checked together |
//! | index | the block that an entry would be in |
//! | read | one entry, or all in order |
//! | write | making the file |
//! | damage | everything compared with its checksum |

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

/// What is said of a base that the trees do not name.
pub(super) const OTHER_BASE: &str = "this is not the base that was written here";

/// Its name in the folder of the trees.
pub(super) const FILE: &str = "base";

/// The base of the trees in a folder, if they have one.
pub(crate) fn file(trees: &Path) -> PathBuf {
    trees.join(FILE)
}

/// A tree that the base has entries of: a table of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Keys,
    Documents,
    Texts,
    Passages,
}

impl Part {
    /// In the order of the file.
    pub(super) const ALL: [Self; 4] = [Self::Keys, Self::Documents, Self::Texts, Self::Passages];

    /// The tree's.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Documents => "documents",
            Self::Texts => "texts",
            Self::Passages => "passages",
        }
    }
}
