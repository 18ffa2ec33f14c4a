//! Readers beside a writer, in any process: each has its own copy of the newest publication's
//! trees, and maps its segments.

use super::lock::Lock;
use super::private::{Private, ReadOnly};
use super::{Store, StoreOptions, publish};
use crate::documents::rewrite;
use crate::durable::link_for_reading;
use crate::error::{AtPath, Result, StorageError};
use crate::index::SEGMENTS;
use std::io::ErrorKind;
use std::path::Path;

/// Number of publications that may be removed during copying before a reader gives up.
const ATTEMPTS: usize = 20;

impl Store {
    /// Opens the state that the writer last [`publish`](Self::publish)ed, whether the database is
    /// open elsewhere or not. It is consistent, and stays the same; [`newer`](Self::newer) opens
    /// later ones. Nothing can be written. The database's files are only read; the
    /// documents' changes are copied to a temporary folder that only this user can read, and that
    /// is removed when the store is dropped.
    ///
    /// # Errors
    /// [`StorageError::NotPublished`] if nothing was published, otherwise as [`open`](Self::open).
    #[expect(clippy::needless_pass_by_value, reason = "as open takes them")]
    pub fn open_published(path: impl AsRef<Path>, options: StoreOptions) -> Result<Self> {
        let path = path.as_ref();
        options.check()?;
        if !path.exists() {
            return Err(StorageError::NotFound { path: path.to_owned() });
        }
        let mut attempt = 0;
        loop {
            let Some((generation, publication)) = publish::newest(path)? else {
                return Err(StorageError::NotPublished { path: path.to_owned() });
            };
            attempt += 1;
            match open(path, generation, &publication, options.clone()) {
                // A newer publication replaced it.
                Err(StorageError::Io { source, .. })
                    if source.kind() == ErrorKind::NotFound && attempt < ATTEMPTS => {}
                opened => return opened,
            }
        }
    }

    /// Opens the newest publication if it is newer than the one that this store shows; `None` if
    /// not. Also `None` for a store of another kind: one that may be written shows committed states
    /// anyway, and one [opened to be read](Self::open_read_only) stays at its state.
    ///
    /// # Errors
    /// As [`open_published`](Self::open_published).
    pub fn newer(&self) -> Result<Option<Self>> {
        let Some(ReadOnly { path, generation: Some(generation), .. }) = &self.shared.read_only else {
            return Ok(None);
        };
        if publish::newest(path)?.is_none_or(|(newest, _)| newest <= *generation) {
            return Ok(None);
        }
        Self::open_published(path, self.shared.options.clone()).map(Some)
    }
}

fn open(path: &Path, generation: u64, publication: &Path, options: StoreOptions) -> Result<Store> {
    let private = Private::new()?;
    let copy = &*private.copy();
    let trees = rewrite::first(publication);
    rewrite::copy_for_reading(&trees, &rewrite::first(copy))?;
    let (from, to) = (publication.join(SEGMENTS), copy.join(SEGMENTS));
    std::fs::create_dir(&to).at(&to)?;
    for entry in std::fs::read_dir(&from).at(&from)? {
        let entry = entry.at(&from)?;
        link_for_reading(&entry.path(), &to.join(entry.file_name()))?;
    }
    // Removing a publication begins with renaming it.
    if !publication.is_dir() {
        let gone = ErrorKind::NotFound.into();
        return Err(StorageError::Io { path: publication.to_owned(), source: gone });
    }
    let lock = Lock::take(copy)?;
    let read_only =
        ReadOnly { path: path.to_owned(), generation: Some(generation), private: private.clone() };
    Store::open_locked(copy, options, lock, Some(read_only))
        .map_err(|error| private.told_of(error, publication))
}
