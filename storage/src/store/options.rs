//! Options of databases and searches.

use std::collections::BTreeMap;

use postil_kernel::threads;

use crate::error::{Result, StorageError};
use crate::filter::Filter;
use crate::index::effort::Effort;
use crate::index::growing_graph::MAX_GRAPH_ROWS;
use crate::vector::metric::{MAX_DIMENSION, Metric};
use crate::vector::precision::Precision;

/// Default number of rows that make a new segment.
pub const DEFAULT_SEAL_ROWS: usize = 16_384;
/// Default number of links per row on upper levels; twice as many on level 0.
pub const DEFAULT_M: usize = 16;
/// Default number of candidates examined when a row is linked.
pub const DEFAULT_EF_CONSTRUCTION: usize = 240;
/// Default limit of a document's text: 64 MiB.
pub const DEFAULT_MAX_TEXT_BYTES: usize = 64 * 1024 * 1024;
/// Default limit of a document's metadata: 1 MiB of field names and values.
pub const DEFAULT_MAX_METADATA_BYTES: usize = 1024 * 1024;
/// Default limit of a title: 64 KiB.
pub const DEFAULT_MAX_TITLE_BYTES: usize = 64 * 1024;
/// Default limit of a document's passages: 262,144, three times as many as the longest text has at
/// 200 tokens a passage.
pub const DEFAULT_MAX_PASSAGES: usize = 1 << 18;

/// Most threads; more would only wait for each other.
const MAX_THREADS: usize = 256;
/// Default number of candidates per hit that are ranked by their exact vectors.
pub const DEFAULT_OVERSAMPLING: usize = 3;
/// Default reserve of free disk space: 16 MiB, more than sled may write while it opens.
pub const DEFAULT_MIN_FREE_BYTES: u64 = 16 * 1024 * 1024;

/// The parameters that a database is created with; stored in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Number of components of every vector.
    pub dimension: usize,
    /// Metric by which vectors are compared.
    pub metric: Metric,
    /// Precision of stored vectors.
    pub precision: Precision,
    /// Name of the encoder that makes the vectors; may be empty.
    pub encoder: String,
    /// Fingerprint of the encoder; may be empty.
    pub fingerprint: String,
    /// Other facts that the layer above records, such as how texts are split.
    pub attributes: BTreeMap<String, String>,
}

impl Profile {
    /// Makes a profile without an encoder, for vectors of full precision.
    #[must_use]
    pub fn new(dimension: usize, metric: Metric) -> Self {
        let (precision, encoder, fingerprint, attributes) = Default::default();
        Self { dimension, metric, precision, encoder, fingerprint, attributes }
    }

    /// Returns a vector in its stored form.
    pub(crate) fn prepare(&self, vector: &[f32]) -> Result<Vec<f32>> {
        self.precision.prepare(vector, self.metric, self.dimension)
    }

    pub(crate) fn check(&self) -> Result<()> {
        within("dimension", self.dimension, 1, MAX_DIMENSION)
    }
}

/// Options for opening a database.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Rows that make a new segment, 1 to 32,768. Until then, the vectors of a batch with at least
    /// a 64th as many rows are in a file of their own. Default [`DEFAULT_SEAL_ROWS`].
    pub seal_rows: usize,
    /// Links per row on upper levels, 2 to 128; twice as many on level 0. Default [`DEFAULT_M`].
    pub m: usize,
    /// Candidates examined when a row is linked, 1 to 10,000. Default [`DEFAULT_EF_CONSTRUCTION`].
    pub ef_construction: usize,
    /// Threads that build a segment's graph, which does not depend on their number; 1 to 256.
    /// Default: the machine's cores. During searches, one thread fewer builds.
    pub index_threads: usize,
    /// Queries kept in memory, a random sample of those since the database was opened; 0 to 1,024.
    /// Segments made meanwhile are measured with them, and from 128 on with no made-up ones.
    /// Default 0: none is kept.
    pub remembered_queries: usize,
    /// Largest text of a document, in bytes. Default [`DEFAULT_MAX_TEXT_BYTES`].
    pub max_text_bytes: usize,
    /// Largest metadata of a document, names and values, in bytes. Default
    /// [`DEFAULT_MAX_METADATA_BYTES`].
    pub max_metadata_bytes: usize,
    /// Largest title of a document or heading of a passage, in bytes. Default
    /// [`DEFAULT_MAX_TITLE_BYTES`].
    pub max_title_bytes: usize,
    /// Largest number of passages of a document. Default [`DEFAULT_MAX_PASSAGES`].
    pub max_passages: usize,
    /// Free bytes of the disk below which the database is neither opened nor written, since opening
    /// it on a full disk is not safe. Default [`DEFAULT_MIN_FREE_BYTES`].
    pub min_free_bytes: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            seal_rows: DEFAULT_SEAL_ROWS,
            m: DEFAULT_M,
            ef_construction: DEFAULT_EF_CONSTRUCTION,
            index_threads: threads::available().min(MAX_THREADS),
            remembered_queries: 0,
            max_text_bytes: DEFAULT_MAX_TEXT_BYTES,
            max_metadata_bytes: DEFAULT_MAX_METADATA_BYTES,
            max_title_bytes: DEFAULT_MAX_TITLE_BYTES,
            max_passages: DEFAULT_MAX_PASSAGES,
            min_free_bytes: DEFAULT_MIN_FREE_BYTES,
        }
    }
}

impl StoreOptions {
    pub(crate) fn check(&self) -> Result<()> {
        within("seal_rows", self.seal_rows, 1, MAX_GRAPH_ROWS)?;
        within("m", self.m, 2, 128)?;
        within("remembered_queries", self.remembered_queries, 0, 1_024)?;
        within("index_threads", self.index_threads, 1, MAX_THREADS)?;
        within("ef_construction", self.ef_construction, 1, 10_000)
    }
}

fn within(name: &'static str, got: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&got) {
        return Ok(());
    }
    Err(StorageError::Option { name, got, expected: format!("{least} to {most}") })
}

/// Options of a search.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SearchOptions {
    /// Number of hits wanted; fewer are returned only if there are fewer.
    pub k: usize,
    /// Effort of the search; the default is a recall of [`DEFAULT_RECALL`](crate::DEFAULT_RECALL).
    pub effort: Effort,
    /// Multiple of `k`, at least 1: that many of the nearest candidates, and at least 16, are
    /// ranked by their exact vectors. They were found by codes of four bits or eight per component,
    /// or by vectors, whichever a segment was measured to need. Default [`DEFAULT_OVERSAMPLING`].
    pub oversampling: usize,
    /// True to scan every row instead of using the graph.
    pub exact: bool,
    /// Filter that a document's metadata must pass; `None` for all documents.
    pub filter: Option<Filter>,
}

impl SearchOptions {
    /// Searches for the `k` nearest rows, with the defaults.
    #[must_use]
    pub fn new(k: usize) -> Self {
        let (effort, oversampling) = (Effort::default(), DEFAULT_OVERSAMPLING);
        Self { k, effort, oversampling, exact: false, filter: None }
    }

    /// Refuses options that no search can use, as every search does.
    ///
    /// # Errors
    /// [`StorageError::NoneAsked`] for `k` 0, [`StorageError::Recall`] for a recall that is not
    /// from 0 to 1.
    pub fn check(&self) -> Result<()> {
        if self.k == 0 {
            return Err(StorageError::NoneAsked);
        }
        match self.effort {
            Effort::Recall(recall) if !(0.0..=1.0).contains(&recall) => {
                Err(StorageError::Recall { got: recall })
            }
            Effort::Recall(_) | Effort::Candidates(_) => Ok(()),
        }
    }

    /// Sets the number of hits wanted.
    #[must_use]
    pub fn k(mut self, k: usize) -> Self {
        self.k = k;
        self
    }

    /// Searches until this share of the nearest rows is found, on average, from 0 to 1; see
    /// [`Effort::Recall`].
    #[must_use]
    pub fn recall(mut self, recall: f32) -> Self {
        self.effort = Effort::Recall(recall);
        self
    }

    /// Scans every row.
    #[must_use]
    pub fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    /// Sets the effort of the search.
    #[must_use]
    pub fn effort(mut self, effort: Effort) -> Self {
        self.effort = effort;
        self
    }

    /// Keeps this number of candidates per segment; see [`Effort::Candidates`].
    #[must_use]
    pub fn ef(mut self, ef: usize) -> Self {
        self.effort = Effort::Candidates(ef);
        self
    }

    /// Ranks this number of candidates per hit by their exact vectors.
    #[must_use]
    pub fn oversampling(mut self, oversampling: usize) -> Self {
        self.oversampling = oversampling;
        self
    }

    /// Limits the search to documents whose metadata passes.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }
}
