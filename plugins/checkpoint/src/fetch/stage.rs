use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::progress::Progress;
use crate::{CheckpointError, Damage};

/// A hidden folder in the home; removed when dropped, unless it was adopted.
pub(super) struct Stage {
    folder: TempDir,
}

impl Stage {
    pub(super) fn new(home: &Path) -> Result<Self, CheckpointError> {
        let io = |source| CheckpointError::io(home, source);
        fs::create_dir_all(home).map_err(io)?;
        let folder = tempfile::Builder::new().prefix(".adding-").tempdir_in(home).map_err(io)?;
        Ok(Self { folder })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of at most `limit_bytes` and syncs it; returns its length in bytes.
    pub(super) fn write(
        &self,
        name: &str,
        from: &mut dyn Read,
        limit_bytes: u64,
    ) -> Result<u64, CheckpointError> {
        let path = self.path().join(name);
        let io = |source| CheckpointError::io(&path, source);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io)?;
        }
        let mut file = File::create_new(&path).map_err(io)?;
        let got_bytes = io::copy(&mut from.take(limit_bytes.saturating_add(1)), &mut file).map_err(io)?;
        if got_bytes > limit_bytes {
            return Err(CheckpointError::corrupt(
                Path::new(name),
                Damage::TooLarge { got_bytes, limit_bytes },
            ));
        }
        file.sync_all().map_err(io)?;
        Ok(got_bytes)
    }

    /// Writes a file as [`Stage::write`] does, and reports progress.
    pub(super) fn store(
        &self,
        name: &str,
        from: &mut dyn Read,
        limit_bytes: u64,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<(), CheckpointError> {
        let bytes = self.write(name, from, limit_bytes)?;
        progress(&Progress::File { name: name.to_owned(), bytes });
        Ok(())
    }

    /// Renames the folder to `target`, replacing an existing model.
    pub(super) fn adopt(self, target: &Path) -> Result<PathBuf, CheckpointError> {
        let io = |source| CheckpointError::io(target, source);
        let parent = target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(io)?;
        sync_folders(self.path()).map_err(io)?;
        // A folder cannot be renamed over a non-empty one, so the old one is first renamed to a
        // hidden name and removed last. Between the two renames the model is absent, never
        // incomplete.
        let old = match fs::symlink_metadata(target) {
            Ok(_) => {
                let aside = tempfile::Builder::new().prefix(".replaced-").tempdir_in(parent).map_err(io)?;
                fs::rename(target, aside.path().join("old")).map_err(io)?;
                Some(aside)
            }
            Err(_) => None,
        };
        fs::rename(self.folder.path(), target).map_err(io)?;
        // The folder is no longer at its old path, so there is nothing to remove.
        let _ = self.folder.keep();
        open_to_others(target).map_err(io)?;
        sync_folder(parent).map_err(io)?;
        drop(old);
        Ok(target.to_owned())
    }
}

/// Makes a temporary folder, which is created private, as readable as any other folder.
fn open_to_others(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    let _ = folder;
    Ok(())
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_folders(&path)?;
        }
    }
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    let _ = folder;
    Ok(())
}
