//! Readers beside the one writer, in any process.

use std::path::Path;

use crate::{Database, Error, Options};

impl Options {
    /// Opens what was last [published](Database::publish) of the database at `path`, to be read only, whether it is open
    /// elsewhere or not. It stays as it was published until [`Database::refresh`]; writing gives
    /// [`StorageError::ReadOnly`](crate::StorageError::ReadOnly).
    ///
    /// # Errors
    /// [`Error::Storage`] when nothing was published yet; otherwise as [`Options::open`].
    pub fn open_read_only(mut self, path: impl AsRef<Path>) -> Result<Database, Error> {
        self.read_only = true;
        self.open(path)
    }
}

impl Database {
    /// Opens what was last published, for reading only; see [`Options::open_read_only`].
    ///
    /// # Errors
    /// As [`Options::open_read_only`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::options().open_read_only(path)
    }

    /// Shows what is committed now to those who opened the database read-only, once they [`refresh`](Self::refresh);
    /// what is committed later is not seen until this is called again. Costs a copy of the documents, for which commits
    /// wait; what is removed later stays in the copy until the next one.
    ///
    /// # Errors
    /// [`Error::Storage`] when it failed; what was published before stays then.
    pub fn publish(&self) -> Result<(), Error> {
        Ok(self.store().publish()?)
    }

    /// Takes up what was published since a read-only database was opened or refreshed; whether there was anything.
    ///
    /// # Errors
    /// [`Error::Storage`] when it cannot be read; the database then shows what it showed.
    pub fn refresh(&mut self) -> Result<bool, Error> {
        Ok(self.store_mut().refresh()?)
    }
}
