use std::path::Path;
use std::sync::Arc;

use postil_storage::{Damage, Recall, SearchOptions, Stat};

use super::ReadOnlyDatabase;
use crate::{Copied, Error, Progress, Watch};

impl ReadOnlyDatabase {
    /// Sizes and counts.
    ///
    /// # Errors
    /// [`Error::Storage`] when the folder cannot be read.
    pub fn stat(&self) -> Result<Stat, Error> {
        Ok(self.state().stat()?)
    }

    /// Verifies every checksum and reference and lists the damage found; empty when there is none.
    /// See [`Store::check`](crate::Store::check). The progress counts rows, each in its file and in
    /// the documents.
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
    /// [`Error::Storage`] when a file cannot be read for another reason than damage;
    /// [`Error::Cancelled`].
    pub fn check(&self, watch: &Watch<'_>) -> Result<Vec<Damage>, Error> {
        Ok(self.state().check_watched(&mut watch.steps(Progress::of_rows))?)
    }

    /// Measures the recall of searches with these options against a full scan; `None` when there
    /// are no rows. See [`Store::measure_recall`](crate::Store::measure_recall). The progress
    /// counts the vectors that are looked for, as questions.
    ///
    /// # Errors
    /// As [`check`](Self::check), and as [`search_vector`](Self::search_vector).
    pub fn measure_recall(
        &self,
        options: &SearchOptions,
        watch: &Watch<'_>,
    ) -> Result<Option<Recall>, Error> {
        Ok(self.state().measure_recall_watched(options, &mut watch.steps(Progress::of_questions))?)
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
        Ok(Copied::of(watch, |progress| self.state().backup(to, progress))?)
    }

    /// Shows the newest published state from now on; returns `true` when there was a newer one.
    /// Calls that run meanwhile end on the state that they began on. A database that was not opened
    /// by [`Database::open_published`](crate::Database::open_published) has no other state.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let options = postil::Database::options().vectors(2, postil::Metric::Cosine);
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// # let row = postil::Row { key: "a".into(), vector: vec![1.0, 0.0], metadata: Default::default() };
    /// use postil::Database;
    /// db.publish()?;
    /// let reader = Database::open_published(db.path())?;
    /// db.upsert([row])?;
    /// assert!(!reader.refresh()?);
    /// db.publish()?;
    /// assert!(reader.refresh()?);
    /// assert_eq!(reader.stat()?.documents, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Storage`] when the state cannot be read, [`Error::AnotherDatabase`] when it was made
    /// anew with another encoder or dimension; the database then keeps the previous one.
    pub fn refresh(&self) -> Result<bool, Error> {
        let _alone = self.refreshing.lock();
        let Some(newer) = self.state().newer()? else { return Ok(false) };
        if newer.profile() != &self.profile {
            return Err(Error::AnotherDatabase { path: self.path.clone() });
        }
        // The old state is dropped after the lock is released: its files may take a while to close.
        let newer = Arc::new(newer);
        let old = std::mem::replace(&mut *self.store.write(), newer);
        drop(old);
        Ok(true)
    }
}
