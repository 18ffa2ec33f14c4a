//! One opener per folder. The lock is the operating system's; the content of its file only names
//! the holder.

use crate::documents::rewrite;
use crate::error::{AtPath, Result, StorageError, may_not_be_written};
use crate::index::SEGMENTS;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;

/// File name of the lock, which also marks a folder as a database of ours.
pub(super) const LOCK_FILE: &str = "LOCK";
/// The beginning of the file.
const MARK: &str = "postil ";
/// Upper bound on the bytes of the file.
const MOST: u64 = 64;

/// A lock held until it is dropped; the end of the process, however it comes, releases it.
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the folder's lock, creating the file if it is missing.
    pub(super) fn take(folder: &Path) -> Result<Self> {
        let path = folder.join(LOCK_FILE);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = match opened {
            Err(source) if may_not_be_written(&source) && path.exists() => {
                return Err(StorageError::NotWritable { path: folder.to_owned(), source });
            }
            opened => opened.at(&path)?,
        };
        let taken = file.try_lock();
        settle(taken, &mut file, folder)?;
        // Written in place, and shortened last: a power cut never finds the file without its mark.
        let content = format!("{MARK}{}\n", std::process::id());
        let new = !content_of(&mut file).at(&path)?.starts_with(MARK.as_bytes());
        file.rewind().at(&path)?;
        file.write_all(content.as_bytes()).at(&path)?;
        file.set_len(content.len() as u64).at(&path)?;
        if new {
            file.sync_all().at(&path)?;
        }
        Ok(Self { file })
    }

    /// Keeps writers out of a folder whose files, `LOCK` included, are only read, but not other
    /// readers.
    pub(super) fn watch(folder: &Path) -> Result<Self> {
        let path = folder.join(LOCK_FILE);
        let mut file = File::open(&path).at(&path)?;
        let taken = file.try_lock_shared();
        settle(taken, &mut file, folder)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would not suffice: a process that another thread is just starting has the file
        // open too, until it runs its program.
        let _ = self.file.unlock();
    }
}

fn settle(taken: Result<(), TryLockError>, file: &mut File, folder: &Path) -> Result<()> {
    match taken {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Best effort: the holder may be about to write the file.
            let _ = file.read_to_string(&mut text);
            let pid = text.trim().strip_prefix(MARK).and_then(|pid| pid.parse().ok()).unwrap_or(0);
            Err(StorageError::Locked { path: folder.to_owned(), pid })
        }
        Err(TryLockError::Error(source)) => Err(StorageError::Io { path: folder.join(LOCK_FILE), source }),
    }
}

/// True if the folder has our mark.
pub(super) fn is_marked(folder: &Path) -> Result<bool> {
    let path = folder.join(LOCK_FILE);
    let mut file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        opened => opened.at(&path)?,
    };
    let content = content_of(&mut file).at(&path)?;
    if content.starts_with(MARK.as_bytes()) {
        return Ok(true);
    }
    // A power cut between creating the file and syncing it leaves it empty, or full of zeros: it is
    // ours if the folder has nothing foreign in it.
    let blank = (content.len() as u64) < MOST && content.iter().all(|&byte| byte == 0);
    Ok(blank && rewrite::is_begun(folder, &[LOCK_FILE, SEGMENTS])?)
}

/// Returns the file's content, up to the most that ours can have.
fn content_of(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(MOST).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_let_go_is_free_even_where_a_child_still_has_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        // A forked process holds the file until it runs another program.
        let inherited = lock.file.try_clone().unwrap();
        assert!(matches!(Lock::take(folder.path()), Err(StorageError::Locked { .. })));
        drop(lock);
        assert!(Lock::take(folder.path()).is_ok());
        drop(inherited);
    }

    #[test]
    fn a_lock_that_a_power_cut_left_blank_marks_a_folder_only_where_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOCK_FILE);
        for (content, marked) in
            [(vec![], true), (vec![0; 12], true), (vec![0; 64], false), (vec![b'x'; 12], false)]
        {
            std::fs::write(&path, content).unwrap();
            assert_eq!(is_marked(folder.path()).unwrap(), marked);
        }
        std::fs::write(&path, [0; 12]).unwrap();
        std::fs::write(folder.path().join("letter.txt"), "mine").unwrap();
        assert!(!is_marked(folder.path()).unwrap());
        drop(Lock::take(folder.path()).unwrap());
        assert!(is_marked(folder.path()).unwrap());
    }
}
