//! Findings of the check, and reads that turn damage into findings.

use crate::error::{Result, StorageError};
use crate::store::step::Counter;
use std::path::{Path, PathBuf};

/// Damage that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The damaged file or folder.
    pub path: PathBuf,
    /// Description of the damage.
    pub what: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

/// Findings about the document trees.
pub(super) struct Report<'a> {
    pub(super) path: &'a Path,
    /// The base below the trees, whose own damage was reported already; `None` if there is none.
    pub(super) base: Option<&'a Path>,
    pub(super) damage: Vec<Damage>,
    pub(super) counter: Counter<'a>,
}

impl Report<'_> {
    pub(super) fn add(&mut self, what: impl Into<String>) {
        self.damage.push(Damage { path: self.path.to_owned(), what: what.into() });
    }

    /// Returns the next of many entries; `None` in place of a block of the base that cannot be
    /// read. A cancelled check ends here.
    pub(super) fn step<T>(&mut self, read: Result<T>) -> Result<Option<T>> {
        self.counter.pass()?;
        match read {
            Ok(read) => Ok(Some(read)),
            Err(StorageError::Corrupt { path, .. }) if Some(&*path) == self.base => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reports damage of one entry; any other error ends the check.
    pub(super) fn entry<T>(&mut self, of: impl FnOnce() -> String, read: Result<T>) -> Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(StorageError::Corrupt { what, .. }) => {
                self.add(format!("{}: {what}", of()));
                Ok(None)
            }
            Err(error @ StorageError::Version { .. }) => {
                self.add(format!("{}: {error}", of()));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
