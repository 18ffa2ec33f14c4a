//! Exit statuses beside success (0) and failure (1).

/// Wrong arguments.
pub(crate) const ARGUMENTS: u8 = 2;
/// Some documents or files could not be ingested or rebuilt, the rest were; or there was nothing to
/// ingest.
pub(crate) const SKIPPED: u8 = 3;
/// Stopped by Ctrl-C, with everything finished kept.
pub(crate) const INTERRUPTED: u8 = 130;
