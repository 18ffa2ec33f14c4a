//! Copies of a database, and the way back.

use std::ops::ControlFlow;
use std::path::Path;

use postil_storage::{CopyProgress, Store, StoreOptions};

use crate::{Database, Error};

impl Database {
    /// Copies the database, as it is at one moment and while it is in use, to `to`, where nothing may be yet. The copy is
    /// a database like any other, complete and durable when this returns; nothing is at `to` before.
    ///
    /// # Errors
    /// [`Error::Storage`] when something is at `to`, there is no room, or a segment is damaged; nothing is left then.
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<(), Error> {
        self.backup_with(to, &mut |_| ControlFlow::Continue(())).map(|_| ())
    }

    /// The same, telling how far it has come; `progress` may end it, which gives `Break` and leaves nothing at `to`.
    ///
    /// # Errors
    /// As [`Database::backup`].
    pub fn backup_with(
        &self,
        to: impl AsRef<Path>,
        progress: CopyProgress<'_>,
    ) -> Result<ControlFlow<()>, Error> {
        Ok(self.store().backup(to, progress)?)
    }

    /// Copies a backup, which is only read, to `to`, where nothing may be yet, and checks the copy before it gets its
    /// name.
    ///
    /// # Errors
    /// [`Error::Storage`] when the backup is damaged, is no database or is in use, or something is at `to`; nothing is
    /// left then.
    pub fn restore(backup: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), Error> {
        Self::restore_with(backup, to, &mut |_| ControlFlow::Continue(())).map(|_| ())
    }

    /// The same, telling how far it has come; `progress` may end it, which gives `Break` and leaves nothing at `to`.
    ///
    /// # Errors
    /// As [`Database::restore`].
    pub fn restore_with(
        backup: impl AsRef<Path>,
        to: impl AsRef<Path>,
        progress: CopyProgress<'_>,
    ) -> Result<ControlFlow<()>, Error> {
        Ok(Store::restore(backup, to, StoreOptions::default(), progress)?)
    }
}
