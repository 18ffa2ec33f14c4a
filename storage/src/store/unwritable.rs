//! Databases in places that may only be read: without write permission, on a medium that is read only, of another user.
//!
//! sled writes to what it opens, so its trees are read from a private copy, which is small: what is large, the base,
//! the segments and the runs, is mapped where it is. Writers are kept out while the copy is made; afterwards they
//! cannot disturb it, since they never change a file that is mapped, and one whose name goes stays.

use super::lock::{LOCK_FILE, Lock, is_marked};
use super::private::Private;
use super::publish::PUBLISHED;
use super::read_only::ReadOnly;
use super::recover::SEGMENTS;
use super::stat::bytes_under;
use super::{Store, StoreOptions, space};
use crate::documents::{COMMITTED, rewrite};
use crate::durable::link_for_reading;
use crate::error::{AtPath, Result, StorageError, may_not_be_written};
use std::io::ErrorKind;
use std::path::Path;

impl Store {
    /// Opens a database to be read: as [`open`](Self::open) where it may be written, and where it may not, as it is now,
    /// without changing a byte in its folder; nothing can be written then. Its trees are copied for that to a folder of the
    /// system's for temporary files that only this user can read, and that goes when the store is dropped.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`StorageError::NotReadable`] where not even reading is permitted, and
    /// [`StorageError::NoTemporary`] where there is no place for the copy.
    #[expect(clippy::needless_pass_by_value, reason = "as open takes them")]
    pub fn open_to_read(path: impl AsRef<Path>, options: StoreOptions) -> Result<Self> {
        let path = path.as_ref();
        match Self::open(path, options.clone()) {
            Err(StorageError::NotWritable { .. }) => open(path, options),
            // The lock was permitted and something else was not.
            Err(StorageError::Io { source, .. }) if may_not_be_written(&source) => open(path, options),
            opened => opened,
        }
    }
}

fn open(path: &Path, options: StoreOptions) -> Result<Store> {
    copied(path, options).map_err(|error| match error {
        StorageError::Io { path: place, source } if source.kind() == ErrorKind::PermissionDenied => {
            StorageError::NotReadable { path: path.to_owned(), place, source }
        }
        error => error,
    })
}

fn copied(path: &Path, options: StoreOptions) -> Result<Store> {
    if !is_marked(path)? {
        let what = "the folder has no LOCK file of a database".to_owned();
        return Err(StorageError::NotADatabase { path: path.to_owned(), what });
    }
    let _unused = Lock::watch(path)?;
    let Some((_, trees)) = rewrite::current(path)? else {
        let what = "it was never completely created; create it again where it may be written".to_owned();
        return Err(StorageError::NotADatabase { path: path.to_owned(), what });
    };
    let private = Private::new()?;
    let copy = private.copy();
    let base_bytes = std::fs::metadata(rewrite::base_file(&trees)).map_or(0, |base| base.len());
    let needed_bytes = bytes_under(&trees)?.saturating_sub(base_bytes);
    space::ensure(&copy, options.min_free_bytes.saturating_add(needed_bytes))?;
    let lock = Lock::take(&copy)?;
    let name = trees.file_name().unwrap_or_default();
    rewrite::copy_for_reading(&trees, &copy.join(name))?;
    link_all(&path.join(SEGMENTS), &copy.join(SEGMENTS))?;
    for entry in std::fs::read_dir(path).at(path)? {
        let from = entry.at(path)?.path();
        let Some(name) = from.file_name() else { continue };
        if name == COMMITTED {
            std::fs::copy(&from, copy.join(name)).at(&from)?;
        } else if from.is_file() && name != LOCK_FILE && name != PUBLISHED {
            // So that a check finds what is no part of the database.
            link_for_reading(&from, &copy.join(name))?;
        }
    }
    let read_only = ReadOnly { path: path.to_owned(), generation: None, private: private.clone() };
    Store::open_locked(&copy, options, lock, Some(read_only)).map_err(|error| private.told_of(error, path))
}

fn link_all(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir(to).at(to)?;
    if !from.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(from).at(from)? {
        let entry = entry.at(from)?;
        link_for_reading(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
