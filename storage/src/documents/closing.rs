//! The end of sled: what is left of it when nobody has the trees open any more.

use super::flush::Flusher;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::OnceLock;

/// Closes sled. Its log syncs itself once more when it is dropped, and panics where that fails; everything that was
/// promised is durable by then, and what is not was not promised.
pub(super) struct Closing {
    flusher: Option<Flusher>,
    /// A folder that goes away when nobody has it open any more.
    superseded: OnceLock<PathBuf>,
}

impl Closing {
    /// `config` is what `db` was opened with.
    pub(super) fn of(db: sled::Db, config: sled::Config) -> std::io::Result<Self> {
        Ok(Self { flusher: Some(Flusher::start(db, config)?), superseded: OnceLock::new() })
    }

    pub(super) fn flush(&self) -> sled::Result<usize> {
        self.flusher.as_ref().map_or(Ok(0), Flusher::flush)
    }

    /// Removes the folder when it is closed.
    pub(super) fn supersede(&self, folder: PathBuf) {
        // Said twice, it is as true.
        let _ = self.superseded.set(folder);
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        let flusher = self.flusher.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(flusher)));
        if let Some(folder) = self.superseded.get() {
            // What cannot be removed now is when the database is next opened.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
