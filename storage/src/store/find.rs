//! Searches.

use super::snapshot::Snapshot;
use super::{SearchOptions, Store};
use crate::error::{Result, StorageError};
use crate::parallel::parallel;
use crate::value::Metadata;
use crate::vector::top_k::Ranked;
use postil_kernel::threads;
use std::ops::Range;
use std::sync::Arc;

/// A passage that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Row of the passage.
    pub row: u64,
    /// Exact score, higher is better: the cosine, the inner product, or the negative Euclidean
    /// distance.
    pub score: f32,
    /// The document's key.
    pub key: String,
    /// The document's title.
    pub title: String,
    /// The document's fields.
    pub metadata: Arc<Metadata>,
    /// The document's map from text to source offsets, as its writer gave it, for the version that
    /// was found.
    pub source_map: Arc<Vec<u8>>,
    /// Path of the headings above the passage, embedded before its text; may be empty.
    pub heading: String,
    /// Text of the passage: that of `lead`, if there is one, and on the next line that of `range`.
    pub text: String,
    /// Bytes of the document's text that `text` begins with, such as the header of a table; empty
    /// for none.
    pub lead: Range<u64>,
    /// Bytes of the document's text.
    pub range: Range<u64>,
    /// Bytes of the original document.
    pub source_range: Range<u64>,
    /// Places of `range`, such as its pages, as the caller gave them; empty for none.
    pub places: Vec<u8>,
}

impl Store {
    /// Returns the nearest passages, best first: `k`, or all if there are fewer.
    ///
    /// # Errors
    /// For a query of the wrong dimension, with a component that is not a number, or zero under
    /// cosine; for `k` 0; for a recall that is not from 0 to 1.
    pub fn search(&self, query: &[f32], options: &SearchOptions) -> Result<Vec<Hit>> {
        let query = self.prepare(query, options)?;
        loop {
            let (snapshot, ranked) = self.ranked(&query, options)?;
            match self.resolve(&ranked)? {
                Ok(hits) => return Ok(hits),
                Err(row) => self.shared.wait_for_newer(snapshot.generation, row)?,
            }
        }
    }

    /// Searches for each of many queries, `[queries, dimension]` row-major, on all cores; returns the
    /// results in their order, each as [`search`](Self::search) gives it.
    ///
    /// # Errors
    /// As [`search`](Self::search), for the first query that fails; for a length that is no multiple
    /// of the dimension.
    pub fn search_all(&self, queries: &[f32], options: &SearchOptions) -> Result<Vec<Vec<Hit>>> {
        let dimension = self.shared.profile.dimension;
        let (queries, rest) = (queries.chunks_exact(dimension), queries.len() % dimension);
        if rest != 0 {
            return Err(StorageError::Dimension { got: rest, expected: dimension });
        }
        let queries: Vec<&[f32]> = queries.collect();
        let found = parallel(threads::available(), queries.len(), |at, ()| self.search(queries[at], options));
        found.into_iter().collect()
    }

    /// As [`search`](Self::search), without reading documents: only the rows and their scores.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn search_rows(&self, query: &[f32], options: &SearchOptions) -> Result<Vec<(u64, f32)>> {
        let query = self.prepare(query, options)?;
        let (_, ranked) = self.ranked(&query, options)?;
        let metric = self.shared.profile.metric;
        Ok(ranked.into_iter().map(|Ranked { rank, item: row }| (row, metric.score(rank))).collect())
    }

    fn prepare(&self, query: &[f32], options: &SearchOptions) -> Result<Vec<f32>> {
        options.check()?;
        let query = self.shared.profile.metric.prepare(query, self.shared.profile.dimension)?;
        if self.shared.options.remembered_queries > 0 {
            self.shared.asked.lock().offer(&query);
        }
        Ok(query)
    }

    fn ranked(&self, query: &[f32], options: &SearchOptions) -> Result<(Arc<Snapshot>, Vec<Ranked<u64>>)> {
        let (snapshot, allowed) = match &options.filter {
            Some(filter) => {
                let (snapshot, rows) = self.shared.filtered(filter)?;
                (snapshot, Some(rows))
            }
            None => (self.shared.current(), None),
        };
        self.shared.building.make_way();
        let ranked = snapshot.search(query, options, allowed.as_deref())?;
        Ok((snapshot, ranked))
    }
}
