//! The sled trees: documents, their texts and passages, unsealed vectors, and the manifest. Every use of sled is here.
//!
//! | file | responsibility |
//! |---|---|
//! | keys | big-endian integer keys, text blocks |
//! | records | the rkyv records and their version byte |
//! | manifest | what the database is made of right now |
//! | trees | opening and reading |
//! | sled_files | what sled leaves undone in its folder |
//! | rewrite | all of it anew, without what was removed |
//! | transaction | one atomic, flushed write over all trees |

mod keys;
mod manifest;
mod records;
pub(crate) mod rewrite;
mod sled_files;
mod transaction;
mod trees;

pub(crate) use manifest::{Manifest, SegmentEntry};
pub(crate) use records::{DocumentRecord, PassageRecord};
pub(crate) use transaction::Writes;
pub(crate) use trees::Documents;
