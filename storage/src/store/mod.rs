//! The store: one writer, many snapshots.
//!
//! | file | responsibility |
//! |---|---|
//! | options | what a caller may choose |
//! | batch | what a caller writes, checked before anything is locked |
//! | limits | what a document may be at most |
//! | lock | one opener per folder |
//! | recover | create and open |
//! | shared | the state that callers and the indexer share |
//! | snapshot | what a search sees, and the search |
//! | queue | batches that wait for the writer |
//! | group | those that are written together |
//! | commit | batches, one transaction |
//! | seal | the indexer thread: graph, segment file, adoption; merging and compaction |
//! | rewrite | documents written anew before their files grow too large |
//! | space | room on the disk |
//! | read | documents and passages |
//! | lead | the text of a passage |
//! | place | where parts of that text stand in the document |
//! | asked | some of the queries, to measure segments by |
//! | find | search results: filters, hits, retries |
//! | staging | a folder that gets its name only when it is complete |
//! | backup | copies made while the database is in use, and the way back |
//! | publish | what other processes may read |
//! | read_only | those who read it |
//! | unwritable | databases in places that may only be read |
//! | private | what such readers have for themselves |
//! | lost | what could not be read |
//! | salvage | what can still be read of a damaged database |
//! | rebuild | a fresh database of that |
//! | stat | how much there is |
//! | recall | how much searches find of it |
//! | check/ | everything that FORMAT.md promises, looked at |

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
mod rewrite;
mod salvage;
mod seal;
mod shared;
mod snapshot;
mod space;
mod staging;
mod stat;
#[cfg(test)]
mod tests;
mod unwritable;

pub use backup::{Copied, CopyProgress};
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
pub use rebuild::{Embed, Rebuilt};
pub use recall::Recall;
pub use stat::Stat;

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
    /// What the database was created for.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.shared.profile
    }

    /// Moves every row that no segment has yet into one, whatever their number, and waits for it.
    ///
    /// # Errors
    /// What kept the segment from being written or adopted; nothing is lost then.
    pub fn seal(&self) -> Result<()> {
        self.indexer.seal_all()
    }

    /// Makes one segment of everything and writes the documents anew, both without what was removed, and waits for it:
    /// searches are fastest then, the files smallest, and no byte of what was removed is left in them. Searches go on
    /// meanwhile; commits wait for the documents. Does nothing when nothing was committed since the last time.
    ///
    /// # Errors
    /// What kept the segment from being written or adopted; nothing is lost then.
    pub fn compact(&self) -> Result<()> {
        self.indexer.compact()
    }

    /// Finishes the sealing that is due, then closes. Dropping closes without finishing; nothing is lost either way.
    ///
    /// # Errors
    /// What kept a segment from being written or adopted.
    pub fn close(self) -> Result<()> {
        // Indexing that no segment is due for can be done again at any time.
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
    /// Waits until nothing is left to do in the background.
    ///
    /// # Errors
    /// What kept a segment from being written or adopted.
    #[doc(hidden)]
    pub fn settle(&self) -> Result<()> {
        self.indexer.seal_due()
    }

    /// Whether no write failed so far that a reopening has to look at.
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
