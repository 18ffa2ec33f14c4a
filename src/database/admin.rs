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

    /// Rewrites the database without removed data and waits until that is done; see
    /// [`Store::compact`].
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
    /// [`Error::Storage`] when it failed; nothing is lost then. [`Error::Cancelled`] when it was
    /// cancelled before it began; once begun, it runs to its end.
    pub fn compact(&self, watch: &Watch<'_>) -> Result<(), Error> {
        watch.begin()?;
        Ok(self.store.compact()?)
    }

    /// Verifies every checksum and reference and lists the damage found; empty when there is none.
    /// See [`Store::check`](crate::Store::check).
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
    /// [`Error::Storage`] when a file cannot be read for another reason than damage.
    /// [`Error::Cancelled`] when it was cancelled before it began; once begun, it runs to its end.
    pub fn check(&self, watch: &Watch<'_>) -> Result<Vec<Damage>, Error> {
        watch.begin()?;
        Ok(self.store.check()?)
    }

    /// Measures the recall of searches with these options against a full scan; `None` when there
    /// are no rows. See [`Store::measure_recall`].
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

    /// Copies a consistent state of the database to `to`, which must not exist; reads and writes go
    /// on meanwhile. The copy is a complete, durable database when this returns; until then, and
    /// after a cancel, nothing is at `to`.
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
    /// [`Error::Storage`] when something is at `to`, there is no room, or a segment is damaged;
    /// nothing is left then.
    pub fn backup(&self, to: impl AsRef<Path>, watch: &Watch<'_>) -> Result<Copied, Error> {
        Ok(Copied::of(watch, |progress| self.store().backup(to, progress))?)
    }

    /// Copies a backup, which is only read, to `to`, which must not exist, and checks the copy
    /// before it gets its name. After a cancel nothing is at `to`.
    ///
    /// # Errors
    /// [`Error::Storage`] when the backup is damaged, is no database or is in use, or something is
    /// at `to`; nothing is left then.
    pub fn restore(
        backup: impl AsRef<Path>,
        to: impl AsRef<Path>,
        watch: &Watch<'_>,
    ) -> Result<Copied, Error> {
        Ok(Copied::of(watch, |progress| Store::restore(backup, to, StoreOptions::default(), progress))?)
    }

    /// Publishes the committed state to processes that opened the database read-only, which see it
    /// once they [`refresh`](Self::refresh); later commits stay unseen until the next call. Copies
    /// the documents, and commits wait meanwhile; documents removed later stay in the copy until
    /// the next call.
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
    /// [`Error::Storage`] when it failed; the previously published state stays then.
    pub fn publish(&self) -> Result<(), Error> {
        Ok(self.store().publish()?)
    }

    /// Loads the state published since a read-only database was opened or refreshed; returns `true`
    /// when there was a newer one.
    ///
    /// # Errors
    /// [`Error::Storage`] when the state cannot be read; the database then keeps the previous one.
    pub fn refresh(&mut self) -> Result<bool, Error> {
        Ok(self.store_mut().refresh()?)
    }
}
