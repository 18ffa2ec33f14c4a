//! Opening the trees and the base below them.

use super::base::{self, Base, OTHER_BASE, Part};
use super::closing::Closing;
use super::committed::Committed;
use super::contain::contained;
use super::sled_files::{self, Syncing};
use super::trees::{BASE_KEY, Documents};
use crate::error::{AtPath, Result, StorageError};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

/// Bytes of sled's cache. Its default, 1 GiB, is too much for an embedded database.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes of a segment of sled's log; sled's default is 512 KiB. A page larger than a quarter of
/// this gets a file of its own. sled does not sync that file, and if it is missing or cannot be
/// opened once, sled drops the log after it. A page has up to about 20 values.
const SEGMENT_BYTES: usize = 4 << 20;

/// Longest wait for a closed sled to release its lock.
const LET_GO: Duration = Duration::from_secs(10);

/// Opens sled, waiting for its lock: a closed sled may hold it until the last of its threads ends.
/// The caller holds the database's own lock, so no other process can be using sled.
fn open_when_let_go(config: &sled::Config) -> sled::Result<sled::Db> {
    let deadline = Instant::now() + LET_GO;
    loop {
        match config.open() {
            // The message is the only trace of the lock in sled's error.
            Err(sled::Error::Io(error))
                if error.to_string().contains("could not acquire lock") && Instant::now() < deadline =>
            {
                std::thread::sleep(LET_GO / 1000);
            }
            opened => return opened,
        }
    }
}

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
        // Every commit flushes, so sled's own periodic flush would only add work.
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        sled_files::remove_unfinished(path)?;
        let opened = |config: &sled::Config| contained(path, || open_when_let_go(config));
        let db = match opened(&config.clone().segment_size(SEGMENT_BYTES)) {
            // Made when log segments were smaller; the next compaction rewrites it.
            Err(StorageError::Documents { source: sled::Error::Unsupported(_), .. }) => opened(&config)?,
            opened => opened?,
        };
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
