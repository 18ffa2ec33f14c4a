//! Counts and sizes of a database.

use super::shared::Shared;
use super::{Profile, Store};
use crate::durable::bytes_under;
use crate::error::Result;
use crate::index::effort::DEFAULT_RECALL;
use crate::index::growing_graph::GrowingGraph;
use std::sync::atomic::Ordering;

/// Counts and sizes of a database.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stat {
    /// Profile that the database was created with.
    pub profile: Profile,
    /// Number of documents.
    pub documents: u64,
    /// Number of passages, which are the rows that can be found.
    pub passages: u64,
    /// Removed rows that still take up space in segments or memory.
    pub removed: u64,
    /// Number of segment files.
    pub segments: usize,
    /// Number of rows that no segment has yet.
    pub growing_rows: usize,
    /// Number of growing rows that are in the growing graph.
    pub indexed_rows: usize,
    /// Rows of the segment under construction; 0 if there is none.
    pub building_rows: usize,
    /// Rows of that segment that are linked.
    pub built_rows: usize,
    /// Bytes of all files.
    pub disk_bytes: u64,
    /// Bytes of the segments: ids, codes, links, vectors.
    pub index_bytes: u64,
    /// Bytes that searches read at random, for which memory should have room: codes of four bits or
    /// eight and their norms, links and row ids of segments, and the vectors of growing rows. Exact
    /// vectors of segments are only read for the last candidates.
    pub searched_bytes: u64,
    /// Bytes of the segments that are in memory now, in whole pages, for any process; `None` if the
    /// system does not tell.
    pub resident_bytes: Option<u64>,
    /// Recall of searches at the default effort, from 0 to 1, as measured when segments were made:
    /// the least of all segments. `None` if no segment was measured.
    pub recall: Option<f32>,
    /// Number of committed batches.
    pub generation: u64,
    /// Reason that the documents could not be rewritten when their files had grown to their limit:
    /// they grow on until it succeeds. `None` if it succeeded.
    pub rewrite_failure: Option<String>,
}

impl Stat {
    /// Returns the average of `bytes` per passage.
    #[must_use]
    pub fn per_row(&self, bytes: u64) -> f64 {
        bytes as f64 / self.passages.max(1) as f64
    }
}

impl Store {
    /// Returns the counts and sizes of the database.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn stat(&self) -> Result<Stat> {
        let snapshot = self.shared.current();
        let growing_row_bytes = size_of::<u64>() + size_of::<f32>() * self.profile().dimension;
        let growing_bytes = (snapshot.growing.rows() * growing_row_bytes) as u64;
        let measured = snapshot.segments.iter().filter_map(|segment| segment.plan().measured(DEFAULT_RECALL));
        Ok(Stat {
            profile: self.profile().clone(),
            documents: snapshot.documents,
            passages: snapshot.live,
            removed: snapshot.removed.len(),
            segments: snapshot.segments.len(),
            growing_rows: snapshot.growing.rows(),
            indexed_rows: snapshot.growing.graph.get().map_or(0, GrowingGraph::indexed),
            building_rows: self.shared.building.rows.load(Ordering::Relaxed),
            built_rows: self.shared.building.done.load(Ordering::Relaxed),
            disk_bytes: self.shared.disk_bytes()?,
            index_bytes: snapshot.segments.iter().map(|segment| segment.bytes().0).sum(),
            searched_bytes: snapshot.segments.iter().map(|segment| segment.bytes().1).sum::<u64>()
                + growing_bytes,
            resident_bytes: snapshot.segments.iter().map(|segment| segment.resident_bytes()).sum(),
            recall: measured.min_by(f32::total_cmp),
            generation: snapshot.generation,
            rewrite_failure: self.shared.rewrite_failure.lock().clone(),
        })
    }
}

impl Shared {
    /// Returns the bytes of all files of the database; for a reader whose database is gone, those
    /// of its copy.
    pub(super) fn disk_bytes(&self) -> Result<u64> {
        let original = self.original();
        bytes_under(if original.is_dir() { original } else { &self.path })
    }
}
