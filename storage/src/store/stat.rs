//! How much there is.

use super::shared::Shared;
use super::{Profile, Store};
use crate::durable::bytes_under;
use crate::error::Result;
use crate::index::effort::DEFAULT_RECALL;
use crate::index::growing_graph::GrowingGraph;
use std::sync::atomic::Ordering;

/// How much there is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stat {
    /// The profile that the database was made with.
    pub profile: Profile,
    /// Documents.
    pub documents: u64,
    /// Passages, which is rows that can be found.
    pub passages: u64,
    /// Removed rows that still take up place in segments or memory.
    pub removed: u64,
    /// Segment files.
    pub segments: usize,
    /// Rows that no segment has yet.
    pub growing_rows: usize,
    /// Those of them that are in the growing graph.
    pub indexed_rows: usize,
    /// Rows that the segment in the making will have; 0 when none is.
    pub building_rows: usize,
    /// Those of them that are linked.
    pub built_rows: usize,
    /// Bytes of all files.
    pub disk_bytes: u64,
    /// Bytes of the segments: ids, codes, links, vectors.
    pub index_bytes: u64,
    /// What memory should have room for: those of them that searches read all over, which are codes of four bits or eight and
    /// their norms, links and row ids, and the vectors of growing rows. Exact vectors of segments are only
    /// read for the last candidates.
    pub searched_bytes: u64,
    /// Bytes of the segments that are in memory now, in whole pages, whoever had them read; `None` where the system does
    /// not say it.
    pub resident_bytes: Option<u64>,
    /// What searches at the default effort find of what the exact scan finds, from 0 to 1, as it was measured when
    /// segments were made: the least of all. `None` where no segment was measured.
    pub recall: Option<f32>,
    /// Committed batches.
    pub generation: u64,
    /// Why the documents could not be written anew when their files had grown to their limit: they grow on until it can
    /// be done. `None` when it could.
    pub rewrite_failure: Option<String>,
}

impl Stat {
    /// The share of some bytes that falls to each passage.
    #[must_use]
    pub fn per_row(&self, bytes: u64) -> f64 {
        bytes as f64 / self.passages.max(1) as f64
    }
}

impl Store {
    /// How much there is.
    ///
    /// # Errors
    /// When the folder cannot be listed.
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
    /// Bytes of all files of the database; of what a reader has of it when it is gone.
    pub(super) fn disk_bytes(&self) -> Result<u64> {
        let original = self.original();
        bytes_under(if original.is_dir() { original } else { &self.path })
    }
}
