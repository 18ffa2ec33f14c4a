//! The newest rows: chunks that never change once shared, in memory or in the file of a run.

use super::growing_graph::GrowingGraph;
use super::run::Run;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// Chunks are joined up to this many rows, so that many small commits do not leave many small chunks.
const CHUNK_ROWS: usize = 1024;

/// Consecutive rows and their vectors.
struct Chunk {
    ids: Vec<u64>,
    vectors: Vectors,
}

enum Vectors {
    Memory(Vec<f32>),
    File(Arc<Run>),
}

impl Deref for Vectors {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::Memory(vectors) => vectors,
            Self::File(run) => run.vectors(),
        }
    }
}

/// The rows that no segment holds, oldest first, and the graph over the first of them.
#[derive(Clone)]
pub(crate) struct Growing {
    dimension: usize,
    chunks: Vec<Arc<Chunk>>,
    rows: usize,
    /// Filled by the indexer; shared by successive snapshots until the rows are sealed.
    pub(crate) graph: Arc<OnceLock<GrowingGraph>>,
}

impl Growing {
    pub(crate) fn new(dimension: usize) -> Self {
        Self { dimension, chunks: Vec::new(), rows: 0, graph: Arc::default() }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds rows whose ids are above all present ones.
    pub(crate) fn append(&mut self, ids: Vec<u64>, vectors: Vec<f32>) {
        debug_assert_eq!(ids.len() * self.dimension, vectors.len());
        if ids.is_empty() {
            return;
        }
        self.rows += ids.len();
        self.chunks.push(Arc::new(Chunk { ids, vectors: Vectors::Memory(vectors) }));
        // Joining only equals keeps the copying logarithmic in the number of commits.
        while let [.., a, b] = self.chunks.as_slice()
            && b.ids.len() >= a.ids.len()
            && a.ids.len() + b.ids.len() <= CHUNK_ROWS
            && let (Vectors::Memory(first), Vectors::Memory(second)) = (&a.vectors, &b.vectors)
        {
            let vectors = Vectors::Memory([first.as_slice(), second].concat());
            let joined = Chunk { ids: [a.ids.as_slice(), &b.ids].concat(), vectors };
            self.chunks.truncate(self.chunks.len() - 2);
            self.chunks.push(Arc::new(joined));
        }
    }

    /// Adds the rows of a run, all of which are above all present ones.
    pub(crate) fn append_run(&mut self, run: Arc<Run>) {
        let ids: Vec<u64> = run.rows().collect();
        self.rows += ids.len();
        self.chunks.push(Arc::new(Chunk { ids, vectors: Vectors::File(run) }));
    }

    /// The runs among the first `rows` rows.
    pub(crate) fn runs(&self, rows: usize) -> impl Iterator<Item = &Arc<Run>> {
        let mut before = 0;
        let within = self.chunks.iter().take_while(move |chunk| {
            before += chunk.ids.len();
            before <= rows
        });
        within.filter_map(|chunk| match &chunk.vectors {
            Vectors::File(run) => Some(run),
            Vectors::Memory(_) => None,
        })
    }

    /// The run that a row is in.
    pub(crate) fn run_of(&self, row: u64) -> Option<&Arc<Run>> {
        match &self.chunk_of(row)?.vectors {
            Vectors::File(run) => run.rows().contains(&row).then_some(run),
            Vectors::Memory(_) => None,
        }
    }

    /// What is left after the first `rows` rows went to a segment, with a graph still to be built.
    pub(crate) fn without_first(&self, rows: usize) -> Self {
        let mut left = Self::new(self.dimension);
        let mut skip = rows;
        for chunk in &self.chunks {
            let here = skip.min(chunk.ids.len());
            skip -= here;
            if here == 0 {
                left.rows += chunk.ids.len();
                left.chunks.push(Arc::clone(chunk));
            } else {
                left.append(chunk.ids[here..].to_vec(), chunk.vectors[here * self.dimension..].to_vec());
            }
        }
        left
    }

    /// Rows from a position on: position, id and vector.
    pub(crate) fn iter_from(&self, position: usize) -> impl Iterator<Item = (u64, &[f32])> {
        let mut skip = position;
        self.chunks.iter().flat_map(move |chunk| {
            let here = skip.min(chunk.ids.len());
            skip -= here;
            let vectors = chunk.vectors.chunks_exact(self.dimension);
            chunk.ids.iter().copied().zip(vectors).skip(here)
        })
    }

    /// All rows, for those who read them once: what is behind of a run does not stay in memory.
    pub(crate) fn stream(&self) -> impl Iterator<Item = (u64, &[f32])> {
        self.chunks.iter().flat_map(|chunk| {
            let vectors = chunk.vectors.chunks_exact(self.dimension);
            let end = std::iter::from_fn(|| {
                if let Vectors::File(run) = &chunk.vectors {
                    run.let_go();
                }
                None
            });
            chunk.ids.iter().copied().zip(vectors).chain(end)
        })
    }

    /// The vector at a position, with its id.
    pub(crate) fn at(&self, position: usize) -> Option<(u64, &[f32])> {
        let mut start = 0;
        for chunk in &self.chunks {
            if let Some(&id) = chunk.ids.get(position - start) {
                let from = (position - start) * self.dimension;
                return Some((id, &chunk.vectors[from..from + self.dimension]));
            }
            start += chunk.ids.len();
        }
        None
    }

    /// The chunk that a row is in, if it is in one.
    fn chunk_of(&self, row: u64) -> Option<&Chunk> {
        let at = self.chunks.partition_point(|chunk| *chunk.ids.last().unwrap_or(&0) < row);
        self.chunks.get(at).map(Deref::deref)
    }

    /// The vector of a row.
    pub(crate) fn vector(&self, row: u64) -> Option<&[f32]> {
        let chunk = self.chunk_of(row)?;
        let at = chunk.ids.binary_search(&row).ok()?;
        chunk.vectors.get(at * self.dimension..(at + 1) * self.dimension)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_in_order_through_joins_and_seals() {
        let mut growing = Growing::new(2);
        let mut expected = Vec::new();
        for (i, size) in [1usize, 1, 3, 700, 1, 600, 1, 1, 2].into_iter().enumerate() {
            let first = expected.len() as u64 * 2 + i as u64;
            let ids: Vec<u64> = (0..size as u64).map(|j| first + 2 * j).collect();
            growing.append(ids.clone(), ids.iter().flat_map(|&id| [id as f32, 1.0]).collect());
            expected.extend(ids);
        }
        for skip in [0, 1, 5, 800, 1309] {
            let left = growing.without_first(skip);
            assert_eq!(left.rows(), expected.len() - skip);
            let ids: Vec<u64> = left.iter_from(0).map(|(id, _)| id).collect();
            assert_eq!(ids, expected[skip..]);
            for (position, &id) in ids.iter().enumerate() {
                assert_eq!(left.at(position), Some((id, &[id as f32, 1.0][..])));
                assert_eq!(left.vector(id), Some(&[id as f32, 1.0][..]));
            }
            assert_eq!(left.vector(1_000_000), None);
            assert_eq!(growing.iter_from(skip).next().map(|(id, _)| id), Some(expected[skip]));
        }
    }
}
