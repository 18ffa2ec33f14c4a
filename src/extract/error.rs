//! Why there is no text.

/// Why a document has no text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// Convert the document to UTF-8 first.
    #[error("byte {at} is not UTF-8")]
    NotUtf8 {
        /// The first byte that is not.
        at: usize,
    },
}

/// Why a line is no record. Lines count from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonlError {
    /// Reading failed; no more lines follow.
    #[error("line {line}: {source}")]
    Read {
        /// The line being read.
        line: u64,
        /// What the reader said.
        source: std::io::Error,
    },
    /// Split the record, or raise the limit.
    #[error("line {line} has {got_bytes} bytes, a line may have {max_bytes}")]
    TooLong {
        /// The line, which is skipped.
        line: u64,
        /// Its bytes.
        got_bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// Not JSON, not an object, or with something in it that cannot be kept.
    #[error("line {line}: {source}")]
    Json {
        /// The line.
        line: u64,
        /// What is wrong, with its place in the line.
        source: postil_storage::json::JsonError,
    },
    /// A record needs this field.
    #[error("line {line} has no {field}")]
    Missing {
        /// The line.
        line: u64,
        /// `id` or `text`.
        field: &'static str,
    },
    /// This field has a value that it cannot have.
    #[error("line {line}: {field} must be {expected}")]
    Field {
        /// The line.
        line: u64,
        /// The field.
        field: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
}
