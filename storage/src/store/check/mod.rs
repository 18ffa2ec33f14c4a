//! The search for damage: everything that FORMAT.md says is looked at, and nothing is changed.
//!
//! | file | responsibility |
//! |---|---|
//! | records | keys, documents, texts and passages: each decodes and fits the others |
//! | rows | every live row has one vector, in one place |
//! | files | nothing lies in the folder that the database does not know |

mod files;
mod records;
mod rows;
#[cfg(test)]
mod tests;

use super::Store;
use super::read_only::ReadOnly;
use crate::documents::Base;
use crate::error::{Result, StorageError};
use std::path::{Path, PathBuf};

/// Something wrong that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file or folder.
    pub path: PathBuf,
    /// What disagrees.
    pub what: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

/// Findings about the document trees.
struct Report<'a> {
    path: &'a Path,
    /// The file below them, whose own damage is found already.
    base: Option<&'a Path>,
    damage: Vec<Damage>,
}

impl Report<'_> {
    fn add(&mut self, what: impl Into<String>) {
        self.damage.push(Damage { path: self.path.to_owned(), what: what.into() });
    }

    /// The next of many entries; `None` in the place of a block of the base that cannot be read.
    fn step<T>(&self, read: Result<T>) -> Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(StorageError::Corrupt { path, .. }) if Some(&*path) == self.base => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Notes damage of one entry; any other error ends the check.
    fn entry<T>(&mut self, of: impl FnOnce() -> String, read: Result<T>) -> Result<Option<T>> {
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

impl Store {
    /// Reads everything and reports what disagrees, in the files, between them, and with what FORMAT.md says of them;
    /// holds up writers meanwhile, and changes nothing. Empty means sound.
    ///
    /// # Errors
    /// When something cannot be read at all; damage that can be worked around is in the list.
    pub fn check(&self) -> Result<Vec<Damage>> {
        let manifest = self.shared.writer.lock();
        let snapshot = self.shared.current();
        let documents = &self.shared.documents();
        let mut damage = Vec::new();
        for segment in &snapshot.segments {
            let path = segment.path();
            damage.extend(segment.damage().into_iter().map(|what| Damage { path: path.to_owned(), what }));
        }
        for run in snapshot.growing.runs(snapshot.growing.rows()) {
            let path = run.path();
            damage.extend(run.damage().into_iter().map(|what| Damage { path: path.to_owned(), what }));
        }
        if let Some(base) = documents.base() {
            let path = base.path();
            damage.extend(base.damage().into_iter().map(|what| Damage { path: path.to_owned(), what }));
        }
        let base = documents.base().map(Base::path);
        let mut report = Report { path: documents.path(), base, damage };
        if report.entry(|| "manifest".to_owned(), documents.manifest())?.flatten().as_ref()
            != Some(&*manifest)
        {
            report.add(
                "the manifest is not the one that was read when the database was opened or last written",
            );
        }
        let passages = records::check(documents, &manifest, &mut report)?;
        rows::check(documents, &snapshot, &manifest, &passages, &mut report)?;
        let mut damage = report.damage;
        files::check(&self.shared, &manifest, documents, &snapshot, &mut damage)?;
        if let Some(ReadOnly { path, private, .. }) = &self.shared.read_only {
            damage.iter_mut().for_each(|found| found.path = private.original(&found.path, path));
        }
        Ok(damage)
    }
}
