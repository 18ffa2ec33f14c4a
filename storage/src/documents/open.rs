//! Opening the trees and the base below them.

use super::base::{self, Base, OTHER_BASE, Part};
use super::log::{self, Closing, Committed, Syncing, contained};
use super::trees::{BASE_KEY, Documents};
use crate::error::{AtPath, Result, StorageError};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

impl Documents {
    /// Opens the trees, creating missing ones, and the base that they name.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut documents = Self::open_trees(path)?;
        documents.read_fewest_bytes()?;
        let base = base::file(path);
        match documents.checksum(BASE_KEY, "the base")? {
            Some(checksum) => documents.base = Some(Arc::new(Base::open(&base, checksum)?)),
            None if base.exists() => {
                return Err(StorageError::corrupt(&base, "the documents beside it do not name it"));
            }
            None => {}
        }
        Ok(documents)
    }

    /// As [`open`](Self::open), also if the base is damaged: without what cannot be read of it.
    /// Also returns the damage found.
    ///
    /// # Errors
    /// If the trees cannot be opened, or the base cannot be read for a reason other than damage.
    pub(crate) fn open_damaged(path: &Path) -> Result<(Self, Vec<StorageError>)> {
        let mut documents = Self::open_trees(path)?;
        let (file, mut damage) = (base::file(path), Vec::new());
        let named = documents.checksum(BASE_KEY, "the base").unwrap_or_else(|error| {
            damage.push(error);
            None
        });
        let wrong = |what: &str| StorageError::corrupt(&file, what);
        if !file.exists() {
            damage.extend(named.map(|_| wrong("it is not there")));
            return Ok((documents, damage));
        }
        match Base::open_damaged(&file) {
            Ok((_, found, _)) if named.is_some_and(|named| named != found) => damage.push(wrong(OTHER_BASE)),
            Ok((base, _, what)) => {
                damage.extend(what.iter().map(|what| wrong(what)));
                if named.is_none() {
                    damage.push(wrong("no document names it: what was removed since it was made is back"));
                }
                documents.base = Some(Arc::new(base));
            }
            Err(error @ StorageError::Io { .. }) => return Err(error),
            Err(error) => damage.push(error),
        }
        Ok((documents, damage))
    }

    /// Marks these trees as replaced: their folder is removed when the last reader is done.
    pub(crate) fn supersede(&self) {
        self.closing.supersede(self.path.clone());
    }

    fn open_trees(path: &Path) -> Result<Self> {
        let (db, config) = log::open(path)?;
        let syncing = Syncing::new(path)?;
        let tree = |name: &str| contained(path, || db.open_tree(name));
        let mut over_base = [const { AtomicBool::new(false) }; Part::ALL.len()];
        for part in Part::ALL {
            let has_entries = contained(path, || Ok(!db.open_tree(part.name())?.is_empty()))?;
            *over_base[part as usize].get_mut() = has_entries;
        }
        Ok(Self {
            path: path.to_owned(),
            committed: Committed::beside(path),
            manifest: tree("manifest")?,
            keys: tree("keys")?,
            documents: tree("documents")?,
            texts: tree("texts")?,
            passages: tree("passages")?,
            vectors: tree("vectors")?,
            removals: tree("removals")?,
            base: None,
            over_base,
            fewest_bytes: AtomicU64::new(0),
            written: AtomicBool::new(true),
            closing: Closing::of(db, config).at(path)?,
            syncing,
        })
    }
}
