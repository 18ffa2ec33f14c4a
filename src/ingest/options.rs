use std::path::PathBuf;

use crate::extract::FileKind;
use crate::setters::setters;

/// Where documents come from.
#[derive(Debug)]
pub enum Input {
    /// Files, and folders walked to their end. A file is taken whatever its name and ending, a file
    /// of a folder when its ending is known ([`FileKind::of`]), its name does not begin with a dot
    /// and no `.gitignore` or `.ignore` excludes it; links in folders are not followed.
    /// [`Ingested::left_out`](super::Ingested::left_out) counts the others.
    Paths(Vec<PathBuf>),
    /// One document, or many if `kind` is JSONL, from standard input.
    Stdin {
        /// Key of the document.
        key: String,
        /// What the bytes are.
        kind: FileKind,
    },
}

/// How an ingest is done.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct IngestOptions {
    /// Removes documents that were once read from the given paths and whose file is no longer taken
    /// there: it is gone, or left out now.
    pub prune: bool,
}

impl IngestOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        prune: bool, "Sets [`prune`](#structfield.prune).";
    }
}
