//! Documents, their texts and passages, unsealed vectors, and the manifest: sled's trees, and the base below them. Every
//! use of sled is here.
//!
//! | file | responsibility |
//! |---|---|
//! | keys | big-endian integer keys, text blocks |
//! | records | the rkyv records and their version byte; passages |
//! | document | the record of a document: metadata whole, and as filters look at it |
//! | manifest | what the database is made of right now |
//! | base/ | what the trees held when they were last written anew, in a sorted, mapped file |
//! | over | what changed since, over it |
//! | open | opening both |
//! | trees | reading both |
//! | scan | every entry, damaged ones included |
//! | sled_files | what sled leaves undone in its folder |
//! | rewrite | all of it anew, without what was removed |
//! | transaction | one atomic, flushed write over all trees |
//! | flush | flushes that end where a write fails |
//! | closing | the end of sled, and of a folder that others took the place of |
//! | committed | a lower bound of the generation, outside of sled |
//! | contain | sled's panics as errors |

pub(crate) mod base;
mod closing;
mod committed;
mod contain;
mod document;
mod flush;
pub(crate) mod keys;
mod manifest;
mod open;
mod over;
mod records;
pub(crate) mod rewrite;
mod scan;
mod sled_files;
#[cfg(any(test, fuzzing))]
pub(crate) mod targets;
mod transaction;
mod trees;

pub use contain::panic_message;

pub(crate) use base::Base;
pub(crate) use committed::{COMMITTED, noted_generation};
pub(crate) use document::DocumentRecord;
pub(crate) use manifest::{Manifest, SegmentEntry};
pub(crate) use records::PassageRecord;
pub(crate) use transaction::Writes;
pub(crate) use trees::Documents;
