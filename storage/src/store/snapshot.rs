//! The state that a search sees: segments, growing rows and removals of one moment. It never
//! changes.

use super::SearchOptions;
use crate::error::Result;
use crate::index::effort::Effort;
use crate::index::growing::Growing;
use crate::index::segment::Segment;
use crate::vector::metric::Metric;
use crate::vector::top_k::{Ranked, TopK};
use roaring::RoaringTreemap;
use std::borrow::Cow;
use std::sync::Arc;

/// Largest number of rows for which a scan is as fast as a graph; it is also exact.
const SCAN_BELOW: u64 = 2_000;
/// Approximate number of distances that a graph search computes per candidate kept.
const DISTANCES_PER_CANDIDATE: u64 = 25;

/// Fewest candidates ranked exactly, even for few hits: codes do not distinguish near duplicates.
const FEWEST_RANKED: usize = 16;

/// Cost of a candidate in the growing graph, in components of a scan: about 16 rows are examined,
/// each a few cache lines elsewhere in memory. Measured on 16,000 rows of 384 components, where a
/// scan takes a quarter of the time of the graph with 384 candidates.
const COMPONENTS_PER_CANDIDATE: [usize; 2] = [16 * 3_000, 16 * 3];

/// Candidates of the growing graph for a recall: measured on up to 16,384 sentence embeddings of
/// 384 dimensions with questions as queries.
const GROWING: [(f32, usize); 4] = [(0.9, 96), (0.95, 192), (0.99, 384), (1.0, 768)];

fn growing_candidates(effort: Effort) -> usize {
    match effort {
        Effort::Candidates(candidates) => candidates,
        Effort::Recall(recall) => {
            GROWING.iter().find(|(reached, _)| recall <= *reached).map_or(GROWING[3].1, |found| found.1)
        }
    }
}

#[derive(Clone)]
pub(super) struct Snapshot {
    /// Generation of the batch that made it; sealing moves rows without a new generation.
    pub(super) generation: u64,
    pub(super) metric: Metric,
    /// Segments in order of rows.
    pub(super) segments: Vec<Arc<Segment>>,
    pub(super) growing: Growing,
    pub(super) removed: Arc<RoaringTreemap>,
    /// Number of rows that are not removed.
    pub(super) live: u64,
    pub(super) documents: u64,
}

impl Snapshot {
    /// Returns the best `k` allowed rows, best first. `allowed` has no removed rows.
    pub(super) fn search(
        &self,
        query: &[f32],
        options: &SearchOptions,
        allowed: Option<&RoaringTreemap>,
    ) -> Result<Vec<Ranked<u64>>> {
        let SearchOptions { k, effort, oversampling, exact, .. } = *options;
        self.ids_are_sound()?;
        let matches = allowed.map_or(self.live, RoaringTreemap::len);
        // No allocation or search larger than the number of rows.
        let k = k.min(usize::try_from(matches).unwrap_or(usize::MAX));
        let exact = exact || effort == Effort::Recall(1.0);
        if exact || self.scan_is_cheaper(matches, self.width(effort).max(k) as u64) {
            return self.scan(query, k, allowed);
        }
        let mut top = TopK::new(k);
        let most = k.saturating_mul(oversampling.max(1)).max(FEWEST_RANKED);
        for segment in &self.segments {
            let in_filter = |row| allowed.is_some_and(|allowed| allowed.contains(row));
            let present = |row| !self.removed.contains(row);
            let accept: Option<&dyn Fn(u64) -> bool> = match allowed {
                Some(_) => Some(&in_filter),
                None if self.removed_in(segment) > 0 => Some(&present),
                None => None,
            };
            segment.search(query, effort, k, most, accept)?.into_iter().for_each(|ranked| top.offer(ranked));
        }
        match allowed {
            Some(allowed) => self.scan_growing(query, 0, &mut top, |row| allowed.contains(row)),
            None => self.search_growing(query, growing_candidates(effort).max(k), &mut top),
        }
        let found = top.into_sorted();
        // The graph guarantees nothing: if it finds too few rows, a scan follows.
        if found.len() < k { self.scan(query, k, allowed) } else { Ok(found) }
    }

    /// Returns the approximate number of candidates that a search of the graphs examines.
    fn width(&self, effort: Effort) -> usize {
        match effort {
            Effort::Candidates(candidates) => candidates,
            Effort::Recall(recall) => {
                let widths = self.segments.iter().filter_map(|segment| segment.plan().width(recall));
                widths.max().unwrap_or(0).max(FEWEST_RANKED as u32) as usize
            }
        }
    }

    /// True if a scan costs less. A graph search examines the neighbours of about `ef` candidates,
    /// and of `1 / selectivity` times as many under a filter.
    fn scan_is_cheaper(&self, matches: u64, ef: u64) -> bool {
        let walked = u128::from(ef) * u128::from(DISTANCES_PER_CANDIDATE);
        matches <= SCAN_BELOW || u128::from(matches).pow(2) <= walked * u128::from(self.live)
    }

    fn search_growing(&self, query: &[f32], ef: usize, top: &mut TopK<u64>) {
        let mut scan_from = 0;
        let [each, of_each] = COMPONENTS_PER_CANDIDATE;
        let walked = ef.saturating_mul(each + of_each * query.len());
        let is_cheaper = walked < self.growing.rows().saturating_mul(query.len());
        if let Some(graph) = self.growing.graph.get().filter(|_| is_cheaper) {
            // Rows that enter the graph meanwhile are scanned: none is missed, none counted twice.
            scan_from = graph.indexed().min(self.growing.rows());
            for position in graph.search(query, ef, scan_from) {
                if let Some((row, vector)) = self.growing.at(position)
                    && !self.removed.contains(row)
                {
                    top.offer(Ranked { rank: self.metric.rank(query, vector), item: row });
                }
            }
        }
        self.scan_growing(query, scan_from, top, |row| !self.removed.contains(row));
    }

    fn scan_growing(&self, query: &[f32], from: usize, top: &mut TopK<u64>, accept: impl Fn(u64) -> bool) {
        for (row, vector) in self.growing.iter_from(from).filter(|&(row, _)| accept(row)) {
            top.offer(Ranked { rank: self.metric.rank(query, vector), item: row });
        }
    }

    /// Scans every row, or every allowed row.
    fn scan(&self, query: &[f32], k: usize, allowed: Option<&RoaringTreemap>) -> Result<Vec<Ranked<u64>>> {
        let mut top = TopK::new(k);
        if let Some(allowed) = allowed {
            for row in allowed {
                if let Some(vector) = self.sound_vector(row)? {
                    top.offer(Ranked { rank: self.metric.rank(query, &vector), item: row });
                }
            }
            return Ok(top.into_sorted());
        }
        for segment in &self.segments {
            segment.vectors_are_sound()?;
            for (row, vector) in segment.iter().filter(|&(row, _)| !self.removed.contains(row)) {
                top.offer(Ranked { rank: self.metric.rank(query, &vector), item: row });
            }
        }
        self.scan_growing(query, 0, &mut top, |row| !self.removed.contains(row));
        Ok(top.into_sorted())
    }

    /// Iterates over all rows that are not removed. The caller has checked the ids.
    pub(super) fn rows(&self) -> impl Iterator<Item = u64> {
        let sealed = self.segments.iter().flat_map(|segment| segment.ids()).copied();
        let all = sealed.chain(self.growing.iter_from(0).map(|(row, _)| row));
        all.filter(|&row| !self.removed.contains(row))
    }

    /// Checks the row ids of all segments.
    pub(super) fn ids_are_sound(&self) -> Result<()> {
        self.segments.iter().try_for_each(|segment| segment.ids_are_sound())
    }

    /// Returns the vector of a row, removed or not, after checking it. The caller has checked the
    /// ids.
    pub(super) fn sound_vector(&self, row: u64) -> Result<Option<Cow<'_, [f32]>>> {
        let Some(segment) = self.segments.get(self.segment_of(row)) else {
            return Ok(self.growing.vector(row).map(Cow::Borrowed));
        };
        let Some(position) = segment.position(row) else { return Ok(None) };
        segment.row_is_sound(position)?;
        Ok(segment.at(position))
    }

    /// True if a segment holds a row, removed or not. The caller has checked the ids.
    pub(super) fn is_sealed(&self, row: u64) -> bool {
        self.segments.get(self.segment_of(row)).is_some_and(|segment| segment.position(row).is_some())
    }

    /// Returns the index of the segment that holds a row, or would hold it.
    fn segment_of(&self, row: u64) -> usize {
        self.segments.partition_point(|segment| segment.ids().last().is_some_and(|&last| last < row))
    }

    /// Returns the number of removed rows in a segment.
    pub(super) fn removed_in(&self, segment: &Segment) -> usize {
        let (Some(&first), Some(&last)) = (segment.ids().first(), segment.ids().last()) else { return 0 };
        if self.removed.is_empty() {
            return 0;
        }
        // Ids missing between a segment's rows are not in the database, nor in `removed`.
        let before_it = first.checked_sub(1).map_or(0, |below| self.removed.rank(below));
        // Damaged ids may be in any order.
        self.removed.rank(last).saturating_sub(before_it) as usize
    }

    /// Returns the first row that is not in a segment.
    pub(super) fn growing_from(&self) -> u64 {
        self.segments.last().and_then(|segment| segment.ids().last()).map_or(0, |&last| last + 1)
    }
}
