//! Reasons that a line or a row is no document of an export.

use std::str::Utf8Error;

use postil_storage::json::JsonError;

/// Reasons that a line or a row is no document of an export, or a document none of a format.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum Invalid {
    #[error(transparent)]
    Utf8(#[from] Utf8Error),
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Another reason, in words: all that a caller can do is mend the line or the row.
    #[error("{0}")]
    Other(String),
}

impl From<Invalid> for String {
    fn from(invalid: Invalid) -> Self {
        invalid.to_string()
    }
}

impl From<String> for Invalid {
    fn from(what: String) -> Self {
        Self::Other(what)
    }
}

impl From<&str> for Invalid {
    fn from(what: &str) -> Self {
        Self::Other(what.to_owned())
    }
}
