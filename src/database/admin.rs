use std::path::Path;

use postil_storage::{Store, StoreOptions};

use super::Database;
use crate::{Copied, Error, Progress, Watch};

impl Database {
    /// Rewrites the database without removed data and waits until that is done; see
    /// [`Store::compact`]. The progress counts the rows of the new segment that are linked.
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
    /// [`Error::Storage`] when it failed, [`Error::Cancelled`]; nothing is lost then, and the next
    /// call goes on with what is left to compact.
    pub fn compact(&self, watch: &Watch<'_>) -> Result<(), Error> {
        Ok(self.store.compact_watched(&mut watch.steps(Progress::of_rows))?)
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

    /// Publishes the committed state to those who opened the database by
    /// [`Database::open_published`], in any process, which see it once they
    /// [`refresh`](crate::ReadOnlyDatabase::refresh); later commits stay unseen until the next
    /// call. Copies the documents, and commits wait meanwhile; documents removed later stay in the
    /// copy until the next call.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let options = postil::Database::options().vectors(2, postil::Metric::Cosine);
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// use postil::Database;
    /// db.publish()?;
    /// let reader = Database::open_published(db.path())?;
    /// assert_eq!(reader.stat()?.documents, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Storage`] when it failed; the previously published state stays then.
    pub fn publish(&self) -> Result<(), Error> {
        Ok(self.store.publish()?)
    }
}
