//! The file that a document was read from: how it is recognised, and what a database keeps of it.
//!
//! file | responsibility
//! ---|---
//! `place.rs` | a file's identity, and how it is written down
//! `known.rs` | which documents were read from which file

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

/// Name of the metadata field that holds where that file is, without links: the way from the folder
/// that the database is in, or its absolute path where they have no folder in common. By it a file
/// is known again under another spelling.
pub const PATH_FIELD: &str = "_path";

/// The file that a document was read from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// Its place.
    pub(crate) place: PathBuf,
    /// Its path as it was given, which is the key of a document that is the whole of it.
    pub(crate) given: String,
    /// True for a document that is the whole of it, and not a record with a key of its own.
    pub(crate) is_whole: bool,
    /// True when its path is a link, so that it may be another file tomorrow.
    pub(crate) is_link: bool,
    /// Its size.
    pub(crate) bytes: u64,
}

/// The name to show a reader for a document: its file, or else its key.
pub(crate) fn source_of(key: &str, metadata: &Metadata) -> String {
    match metadata.get(FILE_FIELD) {
        Some(Value::String(file)) => file.clone(),
        _ => key.to_owned(),
    }
}
