//! A file that gets its name when it is complete and on the disk.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use super::failed;
use crate::Error;

/// Added to the name until the file is complete, as to a backup's.
const UNFINISHED: &str = ".unfinished";

/// A file under its unfinished name; removed when dropped, unless it was finished.
pub(super) struct Staged {
    path: PathBuf,
    to: PathBuf,
    finished: bool,
}

impl Staged {
    /// Begins a file that will be at `to`, which must not exist. Every file of its kind begins with
    /// `mark`, so that nothing but the rest of an export that crashed is overwritten.
    pub(super) fn create(to: &Path, mark: &[u8]) -> Result<(Self, File), Error> {
        if to.symlink_metadata().is_ok() {
            return Err(failed(to)(std::io::ErrorKind::AlreadyExists.into()));
        }
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(UNFINISHED);
        let path = to.with_file_name(name);
        let file = opened(&path, mark)?;
        Ok((Self { path, to: to.to_owned(), finished: false }, file))
    }

    /// The unfinished name, for errors.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name; both are durable when this returns.
    pub(super) fn finish(mut self, file: &File) -> Result<(), Error> {
        file.sync_all().map_err(failed(&self.path))?;
        std::fs::rename(&self.path, &self.to).map_err(failed(&self.to))?;
        self.finished = true;
        let parent =
            self.to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent).and_then(|folder| folder.sync_all()).map_err(failed(parent))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.finished {
            // Best effort: the next export to the same name reuses the file.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Opens an empty file that only we write; truncates only what a crash of ours left there.
fn opened(path: &Path, mark: &[u8]) -> Result<File, Error> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(failed(path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Error::BeingWritten { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => return Err(failed(path)(source)),
    }
    let mut start = Vec::new();
    (&mut file).take(mark.len() as u64).read_to_end(&mut start).map_err(failed(path))?;
    if !mark.starts_with(&start) {
        return Err(Error::Occupied { path: path.to_owned() });
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(failed(path))?;
    Ok(file)
}
