//! Documents as they were written, whatever the format.

use postil_storage::DocumentWrite;

use crate::Error;

/// A byte of text takes at most six in JSON, and stands in several passages where they overlap; the rest is metadata,
/// ranges and vectors.
pub(super) const BYTES_PER_TEXT_BYTE: u64 = 8;
pub(super) const BYTES: u64 = 64 << 20;

/// Documents as someone wrote them.
pub(super) trait Source {
    /// How many bytes there are to read, about; `None` where nobody knows.
    fn total_bytes(&self) -> Option<u64>;

    /// The next document, its vectors still empty. An error ends the import.
    fn next(&mut self) -> Result<Option<Entry>, Error>;

    /// Fills in the vectors of the document that was given last; `false` where it has none.
    fn vectors(&mut self, document: &mut DocumentWrite) -> Result<bool, Error>;
}

/// A document, or why there is none.
pub(super) struct Entry {
    /// What to call it in errors: a line, a row.
    pub(super) place: String,
    pub(super) bytes: u64,
    pub(super) document: Result<DocumentWrite, String>,
}
