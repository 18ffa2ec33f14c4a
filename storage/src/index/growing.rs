//! The newest rows: immutable shared chunks, in memory or in the file of a run.

use super::growing_graph::GrowingGraph;
use super::run::Run;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// Chunks are joined up to this many rows, so that many small commits do not leave many small
/// chunks.
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
    /// Number of rows before each chunk.
    starts: Vec<usize>,
    rows: usize,
    /// The graph, filled by the indexer; successive snapshots share it until the rows are sealed.
    pub(crate) graph: Arc<OnceLock<GrowingGraph>>,
}

impl Growing {
    pub(crate) fn new(dimension: usize) -> Self {
        Self { dimension, chunks: Vec::new(), starts: Vec::new(), rows: 0, graph: Arc::default() }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Appends rows whose ids are above all present ones.
    pub(crate) fn append(&mut self, ids: Vec<u64>, vectors: Vec<f32>) {
        debug_assert_eq!(ids.len() * self.dimension, vectors.len());
        if ids.is_empty() {
            return;
        }
        self.push(Arc::new(Chunk { ids, vectors: Vectors::Memory(vectors) }));
        // Joining only chunks of equal length keeps the copying logarithmic in the number of
        // commits.
        while let [.., a, b] = self.chunks.as_slice()
            && b.ids.len() >= a.ids.len()
            && a.ids.len() + b.ids.len() <= CHUNK_ROWS
            && let (Vectors::Memory(first), Vectors::Memory(second)) = (&a.vectors, &b.vectors)
        {
            let vectors = Vectors::Memory([first.as_slice(), second].concat());
            let joined = Chunk { ids: [a.ids.as_slice(), &b.ids].concat(), vectors };
            self.chunks.truncate(self.chunks.len() - 2);
            self.starts.truncate(self.chunks.len());
            self.rows -= joined.ids.len();
            self.push(Arc::new(joined));
        }
    }

    fn push(&mut self, chunk: Arc<Chunk>) {
        self.starts.push(self.rows);
        self.rows += chunk.ids.len();
        self.chunks.push(chunk);
    }

    /// Appends the rows of a run, whose ids are all above the present ones.
    pub(crate) fn append_run(&mut self, run: Arc<Run>) {
        let ids: Vec<u64> = run.rows().collect();
        self.push(Arc::new(Chunk { ids, vectors: Vectors::File(run) }));
    }

    /// Iterates over the chunks of the first `rows` rows, where a chunk ends.
    fn first_chunks(&self, rows: usize) -> impl Iterator<Item = &Chunk> {
        let within = self.chunks.iter().zip(&self.starts).take_while(move |&(_, &start)| start < rows);
        within.map(|(chunk, _)| &**chunk)
    }

    /// Iterates over the runs among the first `rows` rows.
    pub(crate) fn runs(&self, rows: usize) -> impl Iterator<Item = &Arc<Run>> {
        self.first_chunks(rows).filter_map(|chunk| match &chunk.vectors {
            Vectors::File(run) => Some(run),
            Vectors::Memory(_) => None,
        })
    }

    /// Returns the run that a row is in.
    pub(crate) fn run_of(&self, row: u64) -> Option<&Arc<Run>> {
        match &self.chunk_of(row)?.vectors {
            Vectors::File(run) => run.rows().contains(&row).then_some(run),
            Vectors::Memory(_) => None,
        }
    }

    /// Returns the rows after the first `rows`, which went to a segment; their graph is still to be
    /// built.
    pub(crate) fn without_first(&self, rows: usize) -> Self {
        let mut left = Self::new(self.dimension);
        let mut skip = rows;
        for chunk in &self.chunks {
            let here = skip.min(chunk.ids.len());
            skip -= here;
            if here == 0 {
                left.push(Arc::clone(chunk));
            } else {
                left.append(chunk.ids[here..].to_vec(), chunk.vectors[here * self.dimension..].to_vec());
            }
        }
        left
    }

    /// Iterates over rows from a position on: position, id and vector.
    pub(crate) fn iter_from(&self, position: usize) -> impl Iterator<Item = (u64, &[f32])> {
        let mut skip = position;
        self.chunks.iter().flat_map(move |chunk| {
            let here = skip.min(chunk.ids.len());
            skip -= here;
            let vectors = chunk.vectors.chunks_exact(self.dimension);
            chunk.ids.iter().copied().zip(vectors).skip(here)
        })
    }

    /// Streams the first `rows` rows once, dropping pages of runs after they are read.
    pub(crate) fn stream(&self, rows: usize) -> impl Iterator<Item = (u64, &[f32])> {
        self.first_chunks(rows).flat_map(|chunk| {
            let vectors: Box<dyn Iterator<Item = &[f32]>> = match &chunk.vectors {
                Vectors::Memory(vectors) => Box::new(vectors.chunks_exact(self.dimension)),
                Vectors::File(run) => Box::new(run.stream()),
            };
            vectors.zip(&chunk.ids).map(|(vector, &row)| (row, vector))
        })
    }

    /// Returns the id and the vector at a position.
    pub(crate) fn at(&self, position: usize) -> Option<(u64, &[f32])> {
        let at = self.starts.partition_point(|&start| start <= position).checked_sub(1)?;
        let (chunk, within) = (self.chunks.get(at)?, position - self.starts.get(at)?);
        let vector = chunk.vectors.get(within * self.dimension..(within + 1) * self.dimension)?;
        Some((*chunk.ids.get(within)?, vector))
    }

    /// Returns the chunk that a row is in.
    fn chunk_of(&self, row: u64) -> Option<&Chunk> {
        let at = self.chunks.partition_point(|chunk| *chunk.ids.last().unwrap_or(&0) < row);
        self.chunks.get(at).map(Deref::deref)
    }

    /// Returns the vector of a row.
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
    fn rows_stay_in_order_through_joins_runs_and_seals() {
        let folder = tempfile::tempdir().unwrap();
        let mut growing = Growing::new(2);
        let (mut expected, mut ends) = (Vec::new(), vec![0]);
        for (i, size) in [1usize, 1, 3, 700, 5, 600, 1, 9, 1, 2].into_iter().enumerate() {
            let first = expected.len() as u64 * 2 + i as u64;
            let in_run = [4, 7].contains(&i);
            // The rows of a run have no gaps.
            let ids: Vec<u64> = (0..size as u64).map(|j| first + if in_run { j } else { 2 * j }).collect();
            let vectors: Vec<f32> = ids.iter().flat_map(|&id| [id as f32, 1.0]).collect();
            if in_run {
                growing.append_run(Arc::new(Run::write(folder.path(), first, 2, &vectors).unwrap()));
                assert_eq!(growing.run_of(ids[1]).map(|run| run.rows().start), Some(first));
            } else {
                growing.append(ids.clone(), vectors);
                assert!(growing.run_of(ids[0]).is_none());
            }
            expected.extend(ids);
            ends.push(expected.len());
        }
        assert_eq!((growing.runs(ends[5]).count(), growing.runs(ends[10]).count()), (1, 2));
        for rows in [0, ends[4], ends[5], ends[8], ends[10]] {
            let streamed: Vec<_> = growing.stream(rows).map(|(id, vector)| (id, vector[0] as u64)).collect();
            assert_eq!(streamed, expected[..rows].iter().map(|&id| (id, id)).collect::<Vec<_>>());
        }
        for skip in [0, ends[3], ends[5], ends[6], ends[8] + 1, ends[9]] {
            let left = growing.without_first(skip);
            assert_eq!(left.rows(), expected.len() - skip);
            let ids: Vec<u64> = left.iter_from(0).map(|(id, _)| id).collect();
            assert_eq!(ids, expected[skip..]);
            for (position, &id) in ids.iter().enumerate() {
                assert_eq!(left.at(position), Some((id, &[id as f32, 1.0][..])));
                assert_eq!(left.vector(id), Some(&[id as f32, 1.0][..]));
            }
            assert_eq!((left.at(ids.len()), left.vector(1_000_000)), (None, None));
            assert_eq!(growing.iter_from(skip).next().map(|(id, _)| id), Some(expected[skip]));
        }
    }
}
