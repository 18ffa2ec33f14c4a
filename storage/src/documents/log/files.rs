//! Syncing and cleaning that sled 0.34 leaves undone in its folder.

use crate::durable::sync_names;
use crate::error::{AtPath, Result};
use parking_lot::Mutex;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Upper bound on the resolution of file times.
const CLOCK: Duration = Duration::from_secs(3);

/// Makes durable what sled's `flush` only writes to the page cache.
///
/// On Linux sled calls `sync_file_range` on its log, which by its manual writes no metadata, such
/// as a file's length, and does not flush the cache of a disk; it syncs neither the files of large
/// pages (`blobs/`) nor its folders.
pub(in crate::documents) struct Syncing {
    folder: PathBuf,
    log: File,
    blobs: Mutex<Blobs>,
}

/// The durable files of large pages. Their names, which are log positions, are never reused.
#[derive(Default)]
struct Blobs {
    durable: HashSet<OsString>,
    /// Modification time of their folder; `None` if it is so recent that a later change might get
    /// the same time.
    unchanged_since: Option<SystemTime>,
}

impl Syncing {
    /// Opens the files to sync in the folder of an open sled, and syncs them.
    pub(in crate::documents) fn new(folder: &Path) -> Result<Self> {
        let log = folder.join("db");
        let log = File::open(&log).at(&log)?;
        let syncing = Self { folder: folder.to_owned(), log, blobs: Mutex::default() };
        let settings = folder.join("conf");
        File::open(&settings).and_then(|file| file.sync_all()).at(&settings)?;
        syncing.all()?;
        sync_names(folder)?;
        Ok(syncing)
    }

    /// Makes durable everything that sled has flushed.
    pub(in crate::documents) fn all(&self) -> Result<()> {
        self.blobs()?;
        self.log.sync_data().at(&self.folder)
    }

    /// Makes the files of large pages durable.
    pub(in crate::documents) fn blobs(&self) -> Result<()> {
        let folder = self.folder.join("blobs");
        let blobs = &mut *self.blobs.lock();
        let changed = std::fs::metadata(&folder).and_then(|folder| folder.modified()).at(&folder)?;
        if blobs.unchanged_since != Some(changed) {
            let settled = SystemTime::now().duration_since(changed).is_ok_and(|ago| ago > CLOCK);
            let mut present = HashSet::new();
            for entry in std::fs::read_dir(&folder).at(&folder)? {
                let entry = entry.at(&folder)?;
                let name = entry.file_name();
                if !blobs.durable.contains(&name) {
                    match File::open(entry.path()).and_then(|file| file.sync_all()) {
                        // Removed after it was listed.
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                        synced => synced.at(&entry.path())?,
                    }
                }
                present.insert(name);
            }
            *blobs = Blobs { durable: present, unchanged_since: settled.then_some(changed) };
            sync_names(&folder)?;
        }
        Ok(())
    }
}

/// Removes half-written snapshots that a crash during an open left.
///
/// sled writes a snapshot of its page table to `snap.N.generating` and renames it to `snap.N`, but
/// reads the last file in order whose name begins with `snap.`: a half-written one makes every
/// later open fail as damage. A snapshot only ever repeats what the log has.
pub(super) fn remove_unfinished(folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).at(folder)? {
        let path = entry.at(folder)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            std::fs::remove_file(&path).at(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::documents::Documents;

    #[test]
    fn a_snapshot_that_a_crash_cut_short_is_no_damage() {
        let folder = tempfile::tempdir().unwrap();
        drop(Documents::open(folder.path()).unwrap());
        for (name, bytes) in
            [("snap.00000000000000FF.generating", &b""[..]), ("snap.7FFF.generating", &[7; 90])]
        {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            drop(Documents::open(folder.path()).unwrap());
            assert!(!folder.path().join(name).exists());
        }
    }
}
