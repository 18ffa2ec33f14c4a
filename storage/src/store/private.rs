//! The private folder of a read-only opener: a copy of the trees, and links to immutable files.
//!
//! It is removed when the store is dropped. The next reader of the same user removes what killed
//! readers left: a copy in use has its lock held, or is too young to have it.

use super::lock::{LOCK_FILE, Lock};
use crate::error::{AtPath, Result, StorageError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const PREFIX: &str = "postil-reader-";
/// Name of the folder's only entry, so that no other folder of a similar name is taken for ours.
const COPY: &str = "database";
/// Far more time than a reader needs from making the folder to locking the copy in it.
const YOUNG: Duration = Duration::from_secs(60 * 60);

/// The parts of a read-only store beside an open store.
pub(super) struct ReadOnly {
    /// Folder of the database.
    pub(super) path: PathBuf,
    /// Generation of the publication; `None` if the database itself is open, in a read-only place.
    pub(super) generation: Option<u64>,
    /// The private folder, removed with the store.
    pub(super) private: Private,
}

/// A folder that is removed when its last clone is dropped.
#[derive(Clone)]
pub(super) struct Private {
    folder: Arc<TempDir>,
}

impl Private {
    /// Makes an empty folder for a copy of a database.
    ///
    /// # Errors
    /// [`StorageError::NoTemporary`] if the system's folder for temporary files is not writable.
    pub(super) fn new() -> Result<Self> {
        let place = std::env::temp_dir();
        remove_left(&place);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&place);
        let folder = folder.map_err(|source| StorageError::NoTemporary { path: place, source })?;
        let private = Self { folder: Arc::new(folder) };
        std::fs::create_dir(private.copy()).at(&private.copy())?;
        Ok(private)
    }

    /// Returns the path for the copy.
    pub(super) fn copy(&self) -> PathBuf {
        self.folder.path().join(COPY)
    }

    /// Returns the path in the database at `path` of a name in the copy.
    pub(super) fn original(&self, name: &Path, path: &Path) -> PathBuf {
        name.strip_prefix(self.copy()).map_or_else(|_| name.to_owned(), |inside| path.join(inside))
    }

    /// Returns an error about the copy as one about the database at `path`.
    pub(super) fn told_of(&self, error: StorageError, path: &Path) -> StorageError {
        let original = |name: PathBuf| self.original(&name, path);
        match error {
            StorageError::Corrupt { path, what } => StorageError::Corrupt { path: original(path), what },
            StorageError::NotADatabase { path, what } => {
                StorageError::NotADatabase { path: original(path), what }
            }
            StorageError::Version { path, what, got, supported } => {
                StorageError::Version { path: original(path), what, got, supported }
            }
            StorageError::Documents { path, source } => {
                StorageError::Documents { path: original(path), source }
            }
            other => other,
        }
    }
}

/// Removes what killed readers left, as far as possible: a failure does no harm.
fn remove_left(place: &Path) {
    let entries = std::fs::read_dir(place).into_iter().flatten().filter_map(std::result::Result::ok);
    for path in entries.map(|entry| entry.path()) {
        if is_left(&path) {
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

fn is_left(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // Symbolic links are not followed.
    let Some(folder) = path.symlink_metadata().ok().filter(std::fs::Metadata::is_dir) else { return false };
    let age = folder.modified().ok().and_then(|made| SystemTime::now().duration_since(made).ok());
    if !name.starts_with(PREFIX) || age.is_none_or(|age| age < YOUNG) {
        return false;
    }
    let only = std::fs::read_dir(path).is_ok_and(|entries| {
        entries.into_iter().all(|entry| entry.is_ok_and(|entry| entry.file_name() == COPY))
    });
    let copy = path.join(COPY);
    only && (!copy.join(LOCK_FILE).exists() || Lock::watch(&copy).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, FileTimes};

    fn made(place: &Path, name: &str, content: &[&str], hours: u64) -> PathBuf {
        let folder = place.join(name);
        for file in content {
            std::fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
            std::fs::write(folder.join(file), "postil 1\n").unwrap();
        }
        let then = SystemTime::now() - Duration::from_secs(hours * 3600);
        File::open(&folder).unwrap().set_times(FileTimes::new().set_modified(then)).unwrap();
        folder
    }

    #[test]
    fn only_what_a_killed_reader_left_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let of = |name, content: &[&str], hours| made(place.path(), name, content, hours);
        let left = of("postil-reader-a", &["database/LOCK", "database/documents/db"], 2);
        let unfinished = of("postil-reader-b", &["database/documents/db"], 2);
        let young = of("postil-reader-c", &["database/LOCK"], 0);
        let used = of("postil-reader-d", &["database/LOCK"], 2);
        let someone = of("postil-reader-e", &["LOCK", "documents/db"], 2);
        let other = of("postil-demo", &["database/LOCK"], 2);
        let held = Lock::watch(&used.join(COPY)).unwrap();
        let writing = Lock::take(&young.join(COPY)).unwrap();
        drop(held);
        let reading = Lock::take(&used.join(COPY)).unwrap();
        remove_left(place.path());
        assert!(!left.exists() && !unfinished.exists());
        for kept in [young, used, someone, other] {
            assert!(kept.exists(), "{}", kept.display());
        }
        drop((reading, writing));
    }
}
