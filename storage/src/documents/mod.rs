//! Documents, their texts and passages, unsealed vectors, and the manifest: sled's trees and the
//! base below them. All uses of sled are here.
//!
//! | file | responsibility |
//! |---|---|
//! | keys | big-endian integer keys, text blocks |
//! | records | the rkyv records and their version byte; passages |
//! | document | the record of a document: metadata whole, and as filters see it |
//! | manifest | the list of the database's parts |
//! | base/ | entries as of the last rewrite, in a sorted, mapped file |
//! | over | the trees' changes merged over the base |
//! | open | opening the trees and the base |
//! | trees | reading the trees and the base |
//! | fetch | fetches the memory of entries that are about to be read |
//! | scan | every entry, damaged ones included |
//! | log/ | opening, flushing and closing sled, its faults, and the guards against them |
//! | rewrite | rewriting all trees without removed entries |
//! | transaction | one atomic, flushed write over all trees |

pub(crate) mod base;
mod document;
mod fetch;
pub(crate) mod keys;
mod log;
mod manifest;
mod open;
mod over;
mod records;
pub(crate) mod rewrite;
mod scan;
#[cfg(any(test, fuzzing))]
pub(crate) mod targets;
mod transaction;
mod trees;

pub use log::panic_message;

pub(crate) use base::Base;
pub(crate) use document::DocumentRecord;
pub(crate) use log::{COMMITTED, noted_generation};
pub(crate) use manifest::{Manifest, SegmentEntry};
pub(crate) use records::PassageRecord;
pub(crate) use transaction::Writes;
pub(crate) use trees::Documents;
