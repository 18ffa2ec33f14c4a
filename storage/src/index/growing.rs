//! The newest rows, in memory: chunks that never change once shared.

use super::growing_graph::GrowingGraph;
use std::sync::{Arc, OnceLock};

/// Chunks are joined up to this many rows, so that many small commits do not leave many small chunks.
const CHUNK_ROWS: usize = 1024;

/// Consecutive rows and their vectors.
pub(crate) struct Chunk {
    pub(crate) ids: Vec<u64>,
    pub(crate) vectors: Vec<f32>,
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
        self.chunks.push(Arc::new(Chunk { ids, vectors }));
        // Joining only equals keeps the copying logarithmic in the number of commits.
        while let [.., a, b] = self.chunks.as_slice()
            && b.ids.len() >= a.ids.len()
            && a.ids.len() + b.ids.len() <= CHUNK_ROWS
        {
            let joined = Chunk {
                ids: [a.ids.as_slice(), &b.ids].concat(),
                vectors: [a.vectors.as_slice(), &b.vectors].concat(),
            };
            self.chunks.truncate(self.chunks.len() - 2);
            self.chunks.push(Arc::new(joined));
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

    /// The vector of a row.
    pub(crate) fn vector(&self, row: u64) -> Option<&[f32]> {
        let chunk =
            self.chunks.get(self.chunks.partition_point(|chunk| *chunk.ids.last().unwrap_or(&0) < row))?;
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
