//! The parts of a damaged database that could not be read.

use std::path::Path;

/// A document, file or record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Lost {
    /// A document's key, or a file or record.
    pub name: String,
    /// The reason.
    pub what: String,
}

impl Lost {
    pub(super) fn new(name: &str, what: String) -> Self {
        Self { name: name.to_owned(), what }
    }

    pub(super) fn file(path: &Path, what: String) -> Self {
        Self { name: path.display().to_string(), what }
    }
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.what)
    }
}
