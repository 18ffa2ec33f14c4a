use std::path::Path;

use postil_storage::{Damage, Recall, SearchOptions, Stat, Store, StoreOptions};

use super::Database;
use crate::{Copied, Error, Watch};

impl Database {
    /// Sizes and counts.
    ///
    /// # Errors
    /// [`Error::Storage`] when the folder cannot be read.
    pub fn stat(&self) -> Result<Stat, Error> {
        Ok(self.store.stat()?)
    }

    /// Writes everything anew without what was removed, and waits for it; see [`Store::compact`].
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let options = postil::Database::options().vectors(2, postil::Metric::Cosine);
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// use postil::Watch;
    /// db.compact(&Watch::default())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Storage`] when it failed; nothing is lost then. [`Error::Cancelled`] before it has begun; once it has, it
    /// runs to its end.
    pub fn compact(&self, watch: &Watch<'_>) -> Result<(), Error> {
        watch.begin()?;
        Ok(self.store.compact()?)
    }

    /// Verifies every checksum and reference, and lists what does not hold; empty when all does. See [`Store::check`](crate::Store::check).
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let options = postil::Database::options().vectors(2, postil::Metric::Cosine);
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// use postil::Watch;
    /// assert!(db.check(&Watch::default())?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Storage`] when something cannot be read for another reason than damage. [`Error::Cancelled`] before it has
    /// begun; once it has, it runs to its end.
    pub fn check(&self, watch: &Watch<'_>) -> Result<Vec<Damage>, Error> {
        watch.begin()?;
        Ok(self.store.check()?)
    }

    /// Measures how much searches with these options find of what a look at every row finds; `None` where there are no
    /// rows. See [`Store::measure_recall`].
    ///
    /// # Errors
    /// As [`check`](Self::check), and as [`Database::search_vector`].
    pub fn measure_recall(
        &self,
        options: &SearchOptions,
        watch: &Watch<'_>,
    ) -> Result<Option<Recall>, Error> {
        watch.begin()?;
        Ok(self.store.measure_recall(options)?)
    }

    /// Copies the database, as it is at one moment and while it is in use, to `to`, where nothing may be yet. The copy is
    /// a database like any other, complete and durable when this returns; nothing is at `to` before, nor after it was
    /// cancelled.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let options = postil::Database::options().vectors(2, postil::Metric::Cosine);
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// use postil::{Database, Watch};
    /// let copied = db.backup(home.path().join("copy.postil"), &Watch::default())?;
    /// assert!(copied.bytes > 0 && !copied.interrupted);
    /// db.close()?;
    /// let damaged = home.path().join("d.postil");
    /// std::fs::remove_dir_all(&damaged)?;
    /// Database::restore(home.path().join("copy.postil"), &damaged, &Watch::default())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Storage`] when something is at `to`, there is no room, or a segment is damaged; nothing is left then.
    pub fn backup(&self, to: impl AsRef<Path>, watch: &Watch<'_>) -> Result<Copied, Error> {
        Ok(Copied::of(watch, |progress| self.store().backup(to, progress))?)
    }

    /// Copies a backup, which is only read, to `to`, where nothing may be yet, and checks the copy before it gets its
    /// name. Nothing is at `to` after it was cancelled.
    ///
    /// # Errors
    /// [`Error::Storage`] when the backup is damaged, is no database or is in use, or something is at `to`; nothing is
    /// left then.
    pub fn restore(
        backup: impl AsRef<Path>,
        to: impl AsRef<Path>,
        watch: &Watch<'_>,
    ) -> Result<Copied, Error> {
        Ok(Copied::of(watch, |progress| Store::restore(backup, to, StoreOptions::default(), progress))?)
    }

    /// Shows what is committed now to those who opened the database read-only, once they [`refresh`](Self::refresh);
    /// what is committed later is not seen until this is called again. Costs a copy of the documents, for which commits
    /// wait; what is removed later stays in the copy until the next one.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let options = postil::Database::options().vectors(2, postil::Metric::Cosine);
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// use postil::Database;
    /// db.publish()?;
    /// let reader = Database::open_read_only(db.path())?;
    /// assert_eq!(reader.stat()?.documents, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
