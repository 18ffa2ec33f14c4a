//! The documents of an export, in any format.

use postil_storage::DocumentWrite;

use super::invalid::Invalid;
use crate::Error;

/// Bytes read for each byte of text: at most six in JSON, and more where passages overlap.
pub(super) const BYTES_PER_TEXT_BYTE: u64 = 8;
/// Bytes read beside those, for metadata, ranges and vectors.
pub(super) const BYTES: u64 = 64 << 20;

/// The documents of an export, one after the other.
pub(super) trait Source {
    /// Approximate number of bytes to read; `None` when it is not known, as on a stream.
    fn total_bytes(&self) -> Option<u64>;

    /// The next document, its vectors still empty. An error ends the import.
    fn next(&mut self) -> Result<Option<Entry>, Error>;

    /// Fills in the vectors of the last document; returns `false` when it has none.
    fn vectors(&mut self, document: &mut DocumentWrite) -> Result<bool, Error>;
}

/// A document, or the reason why it cannot be read.
pub(super) struct Entry {
    /// Name of the document's place in errors: a line or a row.
    pub(super) place: String,
    pub(super) bytes: u64,
    pub(super) document: Result<DocumentWrite, Invalid>,
}
