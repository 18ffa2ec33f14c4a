//! Kinds of errors, by what a caller can do about them.

use crate::error::StorageError;

/// Kinds of errors, by what a caller can do about them: what a binding makes exceptions of, and a
/// server statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input is refused: give something else.
    Input,
    /// The thing named is not there: name something else, or make it first.
    NotFound,
    /// Someone else holds it: try again later.
    InUse,
    /// Nothing may be written or read there, or not by this user: use another place.
    NotPermitted,
    /// Bytes are not those that were written: restore a backup, rebuild, or fetch them again.
    Damaged,
    /// It may be sound, but this build cannot read it: use another build, or another model.
    Unsupported,
    /// The operating system, the document store or a model failed: see the cause, then try again.
    System,
    /// The caller cancelled the work.
    Cancelled,
}

impl StorageError {
    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } | Self::NotPublished { .. } => ErrorKind::NotFound,
            Self::Locked { .. } => ErrorKind::InUse,
            Self::NotWritable { .. }
            | Self::NotReadable { .. }
            | Self::NoTemporary { .. }
            | Self::ReadOnly { .. } => ErrorKind::NotPermitted,
            Self::Corrupt { .. } => ErrorKind::Damaged,
            Self::Version { .. } => ErrorKind::Unsupported,
            Self::Io { .. }
            | Self::NoSpace { .. }
            | Self::Documents { .. }
            | Self::Poisoned { .. }
            | Self::Sealing { .. } => ErrorKind::System,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Exists { .. }
            | Self::NotADatabase { .. }
            | Self::Dimension { .. }
            | Self::Component { .. }
            | Self::BeyondHalf { .. }
            | Self::ZeroVector
            | Self::NoneAsked
            | Self::Recall { .. }
            | Self::Option { .. }
            | Self::DuplicateKey { .. }
            | Self::Key { .. }
            | Self::TextTooLong { .. }
            | Self::TooMuch { .. }
            | Self::Range { .. }
            | Self::Metadata { .. }
            | Self::FilterValue { .. }
            | Self::Filter { .. } => ErrorKind::Input,
        }
    }
}
