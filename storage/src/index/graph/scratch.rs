//! What a search writes to: which rows it has seen, and the best so far. Reused between searches.

use super::search::Candidate;
use parking_lot::Mutex;

/// Scratches waiting for the next search; more searches than this at once allocate.
const POOLED: usize = 16;

/// The rows a search has seen: a bit each, cleared by what was set.
#[derive(Default)]
pub(crate) struct Visited {
    words: Vec<u64>,
    touched: Vec<u32>,
    rows: usize,
}

impl Visited {
    fn start(&mut self, rows: usize) {
        for word in self.touched.drain(..) {
            self.words[word as usize] = 0;
        }
        self.rows = rows;
        if self.words.len() < rows.div_ceil(64) {
            self.words.resize(rows.div_ceil(64), 0);
        }
    }

    /// Among how many rows the search is.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether this is the first visit. A row out of range counts as seen.
    #[inline]
    pub(crate) fn first(&mut self, row: u32) -> bool {
        if row as usize >= self.rows {
            return false;
        }
        let (word, bit) = (row / 64, 1u64 << (row % 64));
        let seen = &mut self.words[word as usize];
        if *seen & bit != 0 {
            return false;
        }
        if *seen == 0 {
            self.touched.push(word);
        }
        *seen |= bit;
        true
    }
}

/// Buffers of one search.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) visited: Visited,
    /// The best so far, best first.
    pub(crate) pool: Vec<Candidate>,
    pub(crate) fresh: Vec<u32>,
}

impl Scratch {
    /// Ready for a search among that many rows.
    pub(crate) fn start(&mut self, rows: usize) -> &mut Self {
        self.visited.start(rows);
        self.pool.clear();
        self
    }
}

/// Scratches for reuse.
#[derive(Default)]
pub(crate) struct ScratchPool(Mutex<Vec<Scratch>>);

impl ScratchPool {
    pub(crate) fn with<T>(&self, rows: usize, search: impl FnOnce(&mut Scratch) -> T) -> T {
        let mut scratch = self.0.lock().pop().unwrap_or_default();
        let result = search(scratch.start(rows));
        let mut pool = self.0.lock();
        if pool.len() < POOLED {
            pool.push(scratch);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_first_once_per_search() {
        let pool = ScratchPool::default();
        for rows in [4, 200, 100] {
            pool.with(rows, |scratch| {
                for row in [0, rows as u32 / 2, rows as u32 - 1] {
                    assert!(scratch.visited.first(row), "{row} of {rows}");
                    assert!(!scratch.visited.first(row));
                }
                assert!(!scratch.visited.first(rows as u32));
            });
        }
    }
}
