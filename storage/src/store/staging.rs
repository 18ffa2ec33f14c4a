//! A database that gets its name only once it is complete and durable.
//!
//! It is made in `NAME.unfinished` beside its place, and renamed. However the work ends, nothing is
//! under the name before; the next attempt removes what a crash left.

use super::lock::{LOCK_FILE, Lock, is_marked};
use crate::durable::{sync_folder, sync_names};
use crate::error::{AtPath, Result, StorageError};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

const UNFINISHED: &str = ".unfinished";

/// A folder that is removed when dropped, unless it was finished.
pub(super) struct Staging {
    pub(super) path: PathBuf,
    to: PathBuf,
    finished: bool,
}

impl Staging {
    /// Makes an empty folder for the database that will be at `to`, and its lock: two attempts at
    /// the same name do not collide.
    pub(super) fn begin(to: &Path) -> Result<(Self, Lock)> {
        if to.symlink_metadata().is_ok() {
            return Err(StorageError::Exists { path: to.to_owned() });
        }
        let mut name = to.file_name().map(OsString::from).unwrap_or_default();
        name.push(UNFINISHED);
        let path = to.with_file_name(name);
        if path.exists() && !is_leftover(&path) {
            let what = "something else is in the way".to_owned();
            return Err(StorageError::NotADatabase { path, what });
        }
        std::fs::create_dir_all(&path).at(&path)?;
        let lock = Lock::take(&path)?;
        for entry in std::fs::read_dir(&path).at(&path)? {
            let entry = entry.at(&path)?;
            if entry.file_name() != LOCK_FILE {
                remove(&entry.path())?;
            }
        }
        Ok((Self { path, to: to.to_owned(), finished: false }, lock))
    }

    /// Gives the folder its final name, durably.
    pub(super) fn finish(mut self) -> Result<()> {
        sync_folder(&self.path)?;
        std::fs::rename(&self.path, &self.to).at(&self.to)?;
        self.finished = true;
        sync_names(parent(&self.to))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.finished {
            // Best effort: the next attempt removes it too.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Returns the folder that a path is in.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn remove(path: &Path) -> Result<()> {
    if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.at(path)
}

/// True if a crash of ours left it: with our mark, or before the mark was written.
fn is_leftover(path: &Path) -> bool {
    let unmarked = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|entry| {
            entry.file_name() == LOCK_FILE && entry.metadata().is_ok_and(|lock| lock.len() == 0)
        })
    };
    matches!(is_marked(path), Ok(true))
        || std::fs::read_dir(path).is_ok_and(|mut entries| entries.all(unmarked))
}
