//! The manifest, which lists the parts of the database: one record, replaced in every transaction.

use rkyv::{Archive, Deserialize, Serialize};

/// The manifest record.
#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Number of committed batches.
    pub(crate) generation: u64,
    pub(crate) next_row: u64,
    pub(crate) next_document: u64,
    pub(crate) next_segment: u32,
    pub(crate) documents: u64,
    pub(crate) passages: u64,
    /// Segments in order of rows.
    pub(crate) segments: Vec<SegmentEntry>,
    pub(crate) dimension: u32,
    pub(crate) metric: u8,
    pub(crate) encoder: String,
    pub(crate) fingerprint: String,
    /// Names and values that the layer above records, sorted by name.
    pub(crate) attributes: Vec<(String, String)>,
}

/// A segment that belongs to the database.
#[derive(Clone, Debug, PartialEq, Archive, Serialize, Deserialize)]
pub(crate) struct SegmentEntry {
    pub(crate) number: u32,
    pub(crate) rows: u32,
}
