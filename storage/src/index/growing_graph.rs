//! The graph over growing rows, and the only use of `hnsw_rs`.
//!
//! `hnsw_rs` is safe under these conditions:
//! - It prints a message at every 50,000 points (0.3.5 to `log`, earlier releases to standard
//!   output): a graph never holds more than [`MAX_GRAPH_ROWS`].
//! - It asserts that distances are numbers and not negative: vectors are checked on entry,
//!   distances clamped here.
//! - A point inserted while there is no entry point stays alone: the first is inserted before any
//!   thread starts.
//! - An inserting thread holds the read lock of its own point's lists while it waits for a
//!   neighbour's write lock. With levels 0 and 1 only, two threads cannot wait for each other: a
//!   point is seen by others only once its level-1 pass holds the lock, so its level-1 list cannot
//!   name a thread that is still below, and at level 0 a thread that pushed itself here has already
//!   passed this point. Three threads could, so there are two. A second level is enough for the
//!   rows of one segment: one row in `m` is on it.

use crate::vector::metric::Metric;
use hnsw_rs::prelude::{Distance, Hnsw};
use postil_kernel::{distance, threads};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most rows of a graph: below the 50,000 points at which `hnsw_rs` prints a message.
pub(crate) const MAX_GRAPH_ROWS: usize = 32_768;
/// Threads that insert; three could deadlock, see the module's argument.
const INSERT_THREADS: usize = 2;
/// Most candidates examined when a row is linked: more do not pay in a small, short-lived graph.
const MOST_CANDIDATES: usize = 200;
/// Number of levels: 0 and 1.
const LEVELS: usize = 2;

/// Distances in the order of the metric's ranks.
struct GraphDistance(Metric);

impl Distance<f32> for GraphDistance {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        self.0.distance(a, b)
    }
}

/// A graph that grows by insertion and is searched meanwhile.
pub(crate) struct GrowingGraph {
    hnsw: Hnsw<'static, f32, GraphDistance>,
    metric: Metric,
    /// Length that the extra component brings a vector to, if the metric lifts vectors. It is fixed
    /// when the graph starts; the component is 0 for a longer vector. Only the graph's shape
    /// depends on it; results are ranked by inner product.
    bound: f32,
    indexed: AtomicUsize,
}

impl GrowingGraph {
    /// Makes an empty graph; `longest` is the greatest norm among the rows known now.
    pub(crate) fn new(metric: Metric, m: usize, ef_construction: usize, rows: usize, longest: f32) -> Self {
        // The default of not keeping pruned candidates is right: measured on 8,000 sentence
        // embeddings at ef 64, recall@10 is 0.9947 against 0.9908 with them, in the same time.
        let candidates = ef_construction.min(MOST_CANDIDATES);
        let hnsw = Hnsw::new(m, rows.min(MAX_GRAPH_ROWS), LEVELS, candidates, GraphDistance(metric));
        Self { hnsw, metric, bound: longest * 1.25, indexed: AtomicUsize::new(0) }
    }

    /// Returns the number of rows, from the first, in the graph.
    pub(crate) fn indexed(&self) -> usize {
        self.indexed.load(Ordering::Acquire)
    }

    /// Inserts the rows that follow the indexed ones. Only the indexer calls this.
    pub(crate) fn insert(&self, vectors: &[&[f32]]) {
        let first = self.indexed();
        assert!(first + vectors.len() <= MAX_GRAPH_ROWS, "the store seals before a graph gets this large");
        let insert = |at: usize| match self.metric.lifts() {
            true => self.hnsw.insert_slice((&self.lifted(vectors[at]), first + at)),
            false => self.hnsw.insert_slice((vectors[at], first + at)),
        };
        let mut alone = 0;
        if first == 0 && !vectors.is_empty() {
            insert(0);
            alone = 1;
        }
        let next = AtomicUsize::new(alone);
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= vectors.len() {
                    return;
                }
                insert(at);
            }
        };
        if vectors.len() < 16 {
            work();
        } else {
            threads::on_each(INSERT_THREADS, |_| work());
        }
        self.indexed.store(first + vectors.len(), Ordering::Release);
    }

    /// Returns the positions of about `ef` rows near the query, among the first `limit`.
    pub(crate) fn search(&self, query: &[f32], ef: usize, limit: usize) -> Vec<usize> {
        let found = match self.metric.lifts() {
            true => self.hnsw.search(&[query, &[0.0]].concat(), ef, ef),
            false => self.hnsw.search(query, ef, ef),
        };
        found.into_iter().map(|neighbour| neighbour.d_id).filter(|&position| position < limit).collect()
    }

    fn lifted(&self, vector: &[f32]) -> Vec<f32> {
        let rest = self.bound * self.bound - distance::dot(vector, vector);
        [vector, &[rest.max(0.0).sqrt()]].concat()
    }
}
