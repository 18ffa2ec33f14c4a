//! Closing sled once the last user of the trees is gone.

use super::flush::Flusher;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::OnceLock;

/// Closes sled when dropped. sled syncs its log once more when it is dropped, and panics if that
/// fails; by then everything acknowledged is durable already.
pub(in crate::documents) struct Closing {
    flusher: Option<Flusher>,
    /// A folder to remove once its last user is gone.
    superseded: OnceLock<PathBuf>,
}

impl Closing {
    /// Wraps `db`; `config` is the one that `db` was opened with.
    pub(in crate::documents) fn of(db: sled::Db, config: sled::Config) -> std::io::Result<Self> {
        Ok(Self { flusher: Some(Flusher::start(db, config)?), superseded: OnceLock::new() })
    }

    pub(in crate::documents) fn flush(&self) -> sled::Result<usize> {
        self.flusher.as_ref().map_or(Ok(0), Flusher::flush)
    }

    /// Schedules the removal of the folder for when it is closed.
    pub(in crate::documents) fn supersede(&self, folder: PathBuf) {
        // A second call has the same effect.
        let _ = self.superseded.set(folder);
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        let flusher = self.flusher.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(flusher)));
        if let Some(folder) = self.superseded.get() {
            // If it cannot be removed now, the next open of the database removes it.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
