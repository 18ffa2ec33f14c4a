use std::path::PathBuf;

use crate::extract::{ExtractOptions, FileKind};
use crate::setters::setters;

/// The source of documents.
#[derive(Debug)]
pub enum Input {
    /// Files, and folders walked to their end. A file named itself is taken whatever its name, a
    /// file in a folder only when its ending is known ([`FileKind::of`]), its name does not begin
    /// with a dot and no `.gitignore` or `.ignore` excludes it; links in folders are not followed.
    /// [`Ingested::left_out`](super::Ingested::left_out) counts the others.
    Paths(Vec<PathBuf>),
    /// One document, or many if `kind` is JSONL, from standard input.
    Stdin {
        /// Key of the document.
        key: String,
        /// Format of the bytes.
        kind: FileKind,
    },
}

/// Options of an ingest.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct IngestOptions {
    /// Removes documents once read from the given paths whose file is now missing or left out.
    pub prune: bool,
    /// Password of encrypted documents; `None` tries the empty one.
    pub password: Option<String>,
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

    /// Sets [`password`](Self::password).
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    pub(super) fn extraction(&self) -> ExtractOptions {
        let options = ExtractOptions::default();
        match &self.password {
            Some(password) => options.password(password),
            None => options,
        }
    }
}
