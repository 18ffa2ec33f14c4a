//! The file that a document was read from: its identity, and its record in a database.
//!
//! file | responsibility
//! ---|---
//! `place.rs` | a file's identity, and its record in a database
//! `known.rs` | documents by file

mod known;
mod place;

use std::path::PathBuf;

use postil_storage::{Metadata, Value};

pub(crate) use known::{Known, is_of_records};
pub(crate) use place::{Places, key_of, place_of};

/// Name of the metadata field that holds the file a document was read from, as its path was given
/// when it was first ingested; [`Input::Paths`](crate::ingest::Input::Paths) and
/// [`Document::from_path`](crate::Document::from_path) set it.
pub const FILE_FIELD: &str = "_file";

/// Name of the metadata field that holds that file's real path, without links: relative to the
/// folder that the database is in, or absolute when they have no folder in common. It identifies a
/// file under another spelling.
pub const PATH_FIELD: &str = "_path";

/// The file that a document was read from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// Its real, absolute path.
    pub(crate) place: PathBuf,
    /// Its path as it was given, which is the key of a document that is the whole file.
    pub(crate) given: String,
    /// True for a document that is the whole file, false for a record with its own key.
    pub(crate) is_whole: bool,
    /// True when its path is a link, which may lead to another file later.
    pub(crate) is_link: bool,
    /// Its size in bytes.
    pub(crate) bytes: u64,
}

/// The name to show a reader for a document: its file, or else its key.
pub(crate) fn source_of(key: &str, metadata: &Metadata) -> String {
    match metadata.get(FILE_FIELD) {
        Some(Value::String(file)) => file.clone(),
        _ => key.to_owned(),
    }
}
