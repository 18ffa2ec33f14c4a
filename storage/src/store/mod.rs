//! The store: one writer, many snapshots.
//!
//! | file | responsibility |
//! |---|---|
//! | options | options of databases and searches |
//! | batch | the writes of a caller, checked before anything is locked |
//! | limits | limits of a document |
//! | lock | one opener per folder |
//! | recover | create and open |
//! | shared | the state that callers and the indexer share |
//! | snapshot | the state that a search sees, and the search |
//! | queue | batches that wait for the writer |
//! | group | the batches that are written together |
//! | commit | batches, one transaction |
//! | seal | the indexer thread: graph, segment file, adoption; merging and compaction |
//! | rewrite | rewriting the documents before their files grow too large |
//! | space | room on the disk |
//! | read | documents and passages |
//! | lead | the text of a passage |
//! | place | the place of parts of that text in the document |
//! | asked | some of the queries, to measure segments by |
//! | find | searches: filters, retries |
//! | resolve | from ranked rows to passages |
//! | step | progress of long work, and its cancellation |
//! | staging | a folder that gets its name only when it is complete |
//! | backup | copies made while the database is in use, and restoring them |
//! | publish | states that other processes may read |
//! | read_only | readers of published states |
//! | unwritable | databases in read-only places |
//! | private | private copies of read-only openers |
//! | lost | parts that could not be read |
//! | salvage | reading a damaged database |
//! | rebuild | a new database from what can be read |
//! | stat | counts and sizes |
//! | recall | the recall of searches |
//! | check/ | the check of everything that FORMAT.md promises |

mod asked;
mod backup;
mod batch;
mod check;
mod commit;
mod find;
mod group;
mod lead;
mod limits;
mod lock;
mod lost;
mod options;
mod place;
mod private;
mod publish;
mod queue;
mod read;
mod read_only;
mod rebuild;
mod recall;
mod recover;
mod replace;
mod resolve;
mod rewrite;
mod salvage;
mod seal;
mod shared;
mod snapshot;
mod space;
mod staging;
mod stat;
mod step;
#[cfg(test)]
mod tests;
mod unwritable;

pub use batch::{Batch, Committed, DocumentWrite, PassageWrite};
pub use check::Damage;
pub use find::Hit;
pub use lead::LEAD_JOINT;
pub use limits::{Extent, MAX_KEY_BYTES};
pub use lost::Lost;
pub use options::{
    DEFAULT_EF_CONSTRUCTION, DEFAULT_M, DEFAULT_MAX_METADATA_BYTES, DEFAULT_MAX_PASSAGES,
    DEFAULT_MAX_TEXT_BYTES, DEFAULT_MAX_TITLE_BYTES, DEFAULT_MIN_FREE_BYTES, DEFAULT_OVERSAMPLING,
    DEFAULT_SEAL_ROWS, Profile, SearchOptions, StoreOptions,
};
pub use read::{Document, Passage};
pub use rebuild::{Embed, EmbedError, Rebuilt};
pub use recall::Recall;
pub use stat::Stat;
pub use step::{OnStep, Step};

use crate::error::Result;
use seal::Indexer;
use shared::Shared;
use std::sync::Arc;

/// An open database. Reads and writes may come from any number of threads.
pub struct Store {
    indexer: Indexer,
    shared: Arc<Shared>,
}

impl Store {
    /// Returns the profile that the database was created with.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.shared.profile
    }

    /// Moves all growing rows, whatever their number, into a segment, and waits for it.
    ///
    /// # Errors
    /// The failure to write or adopt the segment; nothing is lost then.
    pub fn seal(&self) -> Result<()> {
        self.indexer.seal_all()
    }

    /// Merges everything into one segment and rewrites the documents, both without removed entries,
    /// and waits for it: searches are fastest then, the files are smallest, and no byte of removed
    /// documents is left in them. Searches go on meanwhile; commits wait for the documents. Does
    /// nothing if nothing was committed since the last time.
    ///
    /// # Errors
    /// The failure to write or adopt the segment; nothing is lost then.
    pub fn compact(&self) -> Result<()> {
        self.compact_watched(&mut step::unwatched)
    }

    /// As [`compact`](Self::compact); `progress` gets the rows linked in the new segment.
    ///
    /// # Errors
    /// As [`compact`](Self::compact); [`StorageError::Cancelled`](crate::StorageError::Cancelled)
    /// if `progress` cancelled it, which leaves nothing to compact, or all of it, or the documents
    /// only.
    pub fn compact_watched(&self, progress: OnStep<'_>) -> Result<()> {
        self.indexer.compact(progress)
    }

    /// Finishes the sealing that is due, then closes. Dropping closes without finishing it; nothing
    /// is lost either way.
    ///
    /// # Errors
    /// The failure to write or adopt a segment.
    pub fn close(self) -> Result<()> {
        self.finish()
    }

    /// Finishes the sealing that is due.
    ///
    /// # Errors
    /// The failure to write or adopt a segment.
    pub fn finish(&self) -> Result<()> {
        // Indexing for a segment that is not due can be repeated at any time.
        if self.shared.read_only.is_some()
            || self.shared.current().growing.rows() < self.shared.options.seal_rows
        {
            return Ok(());
        }
        self.indexer.seal_due()
    }
}

#[cfg(feature = "faults")]
impl Store {
    /// Waits until all background work is done.
    ///
    /// # Errors
    /// The failure to write or adopt a segment.
    #[doc(hidden)]
    pub fn settle(&self) -> Result<()> {
        self.indexer.seal_due()
    }

    /// True if no write has failed in a way that requires reopening the database.
    #[doc(hidden)]
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.shared.writable().is_ok()
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.shared.path)
            .field("profile", &self.shared.profile)
            .finish()
    }
}
