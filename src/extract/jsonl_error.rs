/// Why a line is no record. Lines count from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonlError {
    /// Reading failed; no more lines follow.
    #[error("line {line}: {source}")]
    Read {
        /// The line being read.
        line: u64,
        /// The reader's error.
        source: std::io::Error,
    },
    /// Returned when a line is longer than the limit. Split the record, or raise the limit.
    #[error("line {line} has {got_bytes} bytes, a line may have {max_bytes}")]
    TooLong {
        /// The line, which is skipped.
        line: u64,
        /// Bytes of the line.
        got_bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// Not JSON, not an object, or with something in it that cannot be kept.
    #[error("line {line}: {source}")]
    Json {
        /// The line.
        line: u64,
        /// The reason, with its place in the line.
        source: postil_storage::json::JsonError,
    },
    /// Returned when a record lacks a required field.
    #[error("line {line} has no {field}")]
    Missing {
        /// The line.
        line: u64,
        /// `id` or `text`.
        field: &'static str,
    },
    /// Returned when a field has a value of the wrong type.
    #[error("line {line}: {field} must be {expected}")]
    Field {
        /// The line.
        line: u64,
        /// The field.
        field: &'static str,
        /// The type that is expected.
        expected: &'static str,
    },
}
