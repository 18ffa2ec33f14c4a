//! A database in the place of another, in one step.

use super::Store;
use super::lock::Lock;
use super::staging::parent;
use crate::durable::sync_names;
use crate::error::{AtPath, Result, StorageError};
use std::path::Path;

impl Store {
    /// Puts the closed database at `with` in the place of this one, and removes this one. At every
    /// moment one of the two is at the path, whole, where the system can exchange two names (Linux,
    /// macOS); elsewhere a crash may leave the old one beside it, as `NAME.replaced`.
    ///
    /// # Errors
    /// If `with` is no database, or somebody opens one of the two first; nothing has changed then.
    /// If the old database cannot be removed, which is then at `with`.
    pub fn replace_with(self, with: impl AsRef<Path>) -> Result<()> {
        let (path, with) = (self.shared.path.clone(), with.as_ref());
        if !Self::is_database(with) {
            let what = "it is to take another database's place, and is none".to_owned();
            return Err(StorageError::NotADatabase { path: with.to_owned(), what });
        }
        self.close()?;
        // Nobody commits to the old one from here on.
        let locks = (Lock::take(&path)?, Lock::take(with)?);
        exchange(&path, with)?;
        sync_names(parent(&path))?;
        drop(locks);
        std::fs::remove_dir_all(with).at(with)
    }
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange(path: &Path, with: &Path) -> Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, path, CWD, with, RenameFlags::EXCHANGE) {
        // Some file systems cannot.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => one_after_the_other(path, with),
        done => done.map_err(std::io::Error::from).at(path),
    }
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange(path: &Path, with: &Path) -> Result<()> {
    one_after_the_other(path, with)
}

fn one_after_the_other(path: &Path, with: &Path) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".replaced");
    let aside = path.with_file_name(name);
    std::fs::rename(path, &aside).at(path)?;
    std::fs::rename(with, path).at(with)?;
    std::fs::rename(&aside, with).at(&aside)
}
