//! What a caller may choose.

use std::collections::BTreeMap;

use crate::error::{Result, StorageError};
use crate::filter::Filter;
use crate::index::effort::Effort;
use crate::index::growing_graph::MAX_GRAPH_ROWS;
use crate::vector::metric::{MAX_DIMENSION, Metric};
use crate::vector::precision::Precision;

/// Rows that make a new segment.
pub const DEFAULT_SEAL_ROWS: usize = 16_384;
/// Links per row on upper levels; twice as many on level 0.
pub const DEFAULT_M: usize = 16;
/// Candidates looked at when a row is linked.
pub const DEFAULT_EF_CONSTRUCTION: usize = 240;
/// 64 MiB.
pub const DEFAULT_MAX_TEXT_BYTES: usize = 64 * 1024 * 1024;
/// 1 MiB of field names and values.
pub const DEFAULT_MAX_METADATA_BYTES: usize = 1024 * 1024;
/// 64 KiB.
pub const DEFAULT_MAX_TITLE_BYTES: usize = 64 * 1024;
/// 262,144: three times what the longest text has at 200 tokens a passage.
pub const DEFAULT_MAX_PASSAGES: usize = 1 << 18;

/// More than this would only wait for each other.
const MAX_THREADS: usize = 256;
/// Candidates per hit that are ranked by their exact vectors.
pub const DEFAULT_OVERSAMPLING: usize = 3;
/// 16 MiB: what sled may write while it opens, with room to spare.
pub const DEFAULT_MIN_FREE_BYTES: u64 = 16 * 1024 * 1024;

/// What a database is created for; stored in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Components of every vector.
    pub dimension: usize,
    /// How vectors are compared.
    pub metric: Metric,
    /// How exactly they are kept.
    pub precision: Precision,
    /// The name of the encoder that makes the vectors; may be empty.
    pub encoder: String,
    /// The encoder's fingerprint; may be empty.
    pub fingerprint: String,
    /// Whatever else the layer above has to know of the database, such as how texts are split.
    pub attributes: BTreeMap<String, String>,
}

impl Profile {
    /// A profile without an encoder, for vectors of full precision.
    #[must_use]
    pub fn new(dimension: usize, metric: Metric) -> Self {
        let (precision, encoder, fingerprint, attributes) = Default::default();
        Self { dimension, metric, precision, encoder, fingerprint, attributes }
    }

    /// A vector as it is stored.
    pub(crate) fn prepare(&self, vector: &[f32]) -> Result<Vec<f32>> {
        self.precision.prepare(vector, self.metric, self.dimension)
    }

    pub(crate) fn check(&self) -> Result<()> {
        within("dimension", self.dimension, 1, MAX_DIMENSION)
    }
}

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Rows that make a new segment, 1 to 32,768. A batch with a 64th of them or more has its vectors in a file of its own
    /// until then. Default [`DEFAULT_SEAL_ROWS`].
    pub seal_rows: usize,
    /// Links per row on upper levels, 2 to 128; twice as many on level 0. Default [`DEFAULT_M`].
    pub m: usize,
    /// Candidates looked at when a row is linked, 1 to 10,000. Default [`DEFAULT_EF_CONSTRUCTION`].
    pub ef_construction: usize,
    /// Threads that build a segment's graph, which does not depend on their number, and that answer
    /// [`search_all`](super::Store::search_all); 1 to 256. Default: the machine's cores. While there are searches, one
    /// fewer builds.
    pub index_threads: usize,
    /// Queries that are kept in memory, a random choice of those since the database was opened, so that segments which are
    /// made meanwhile are measured by what is really asked, from 128 on by nothing made up; 0 to 1,024.
    /// Default 0: none is kept.
    pub remembered_queries: usize,
    /// The longest text of one document, in bytes. Default [`DEFAULT_MAX_TEXT_BYTES`].
    pub max_text_bytes: usize,
    /// The most metadata of one document, names and values, in bytes. Default [`DEFAULT_MAX_METADATA_BYTES`].
    pub max_metadata_bytes: usize,
    /// The longest title of a document or a passage, in bytes. Default [`DEFAULT_MAX_TITLE_BYTES`].
    pub max_title_bytes: usize,
    /// The most passages of one document. Default [`DEFAULT_MAX_PASSAGES`].
    pub max_passages: usize,
    /// Free bytes of the disk below which the database is neither opened nor written, since it cannot be
    /// opened safely on a full disk. Default [`DEFAULT_MIN_FREE_BYTES`].
    pub min_free_bytes: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            seal_rows: DEFAULT_SEAL_ROWS,
            m: DEFAULT_M,
            ef_construction: DEFAULT_EF_CONSTRUCTION,
            index_threads: std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS),
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

/// How a search is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SearchOptions {
    /// Hits wanted; fewer come back only when there are fewer.
    pub k: usize,
    /// How widely to look; the default is a recall of [`DEFAULT_RECALL`](crate::DEFAULT_RECALL).
    pub effort: Effort,
    /// Of the candidates, which were found by codes of a byte per component, the nearest `k` times this, and no fewer than
    /// 16, are ranked by their exact vectors; at least 1. Default [`DEFAULT_OVERSAMPLING`].
    pub oversampling: usize,
    /// Look at every row instead of the graph.
    pub exact: bool,
    /// Only documents whose metadata passes.
    pub filter: Option<Filter>,
}

impl SearchOptions {
    /// The `k` nearest, with the defaults.
    #[must_use]
    pub fn new(k: usize) -> Self {
        let (effort, oversampling) = (Effort::default(), DEFAULT_OVERSAMPLING);
        Self { k, effort, oversampling, exact: false, filter: None }
    }

    /// Refuses what no search can be made with, as every search does.
    ///
    /// # Errors
    /// [`StorageError::NoneAsked`] for `k` 0, [`StorageError::Recall`] for a recall that is not from 0 to 1.
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

    /// Looks for so many hits.
    #[must_use]
    pub fn k(mut self, k: usize) -> Self {
        self.k = k;
        self
    }

    /// Looks until that share of the nearest rows is found, on average, from 0 to 1; see [`Effort::Recall`].
    #[must_use]
    pub fn recall(mut self, recall: f32) -> Self {
        self.effort = Effort::Recall(recall);
        self
    }

    /// Looks at every row.
    #[must_use]
    pub fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    /// Looks that widely.
    #[must_use]
    pub fn effort(mut self, effort: Effort) -> Self {
        self.effort = effort;
        self
    }

    /// Keeps that many candidates per segment; see [`Effort::Candidates`].
    #[must_use]
    pub fn ef(mut self, ef: usize) -> Self {
        self.effort = Effort::Candidates(ef);
        self
    }

    /// Ranks that many candidates per hit by their exact vectors.
    #[must_use]
    pub fn oversampling(mut self, oversampling: usize) -> Self {
        self.oversampling = oversampling;
        self
    }

    /// Only documents whose metadata passes.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }
}
