//! Buffers of a search: the rows it has seen and the best so far. Reused between searches.

use super::candidate::Candidate;
use super::links::NONE;
use crate::sync::Mutex;
use std::ops::Range;

/// Most buffers kept for later searches; further concurrent searches allocate.
const POOLED: usize = 16;

/// The rows that a search has seen: one bit each, and a list of them.
#[derive(Default)]
pub(crate) struct Visited {
    words: Vec<u64>,
    seen: Vec<u32>,
    rows: usize,
}

impl Visited {
    fn start(&mut self, rows: usize) {
        for row in self.seen.drain(..) {
            self.words[row as usize / 64] = 0;
        }
        self.rows = rows;
        if self.words.len() < rows.div_ceil(64) {
            self.words.resize(rows.div_ceil(64), 0);
        }
    }

    /// Returns the number of rows that the search is among.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Returns `true` on the first visit. A row out of range counts as seen.
    #[inline]
    pub(crate) fn first(&mut self, row: u32) -> bool {
        !self.fresh(&[row]).is_empty()
    }

    /// Visits the new rows of a list, up to its first unused place, and returns their range among
    /// all visited rows. Rows out of range are skipped.
    #[inline]
    pub(crate) fn fresh(&mut self, list: &[u32]) -> Range<usize> {
        let start = self.seen.len();
        self.seen.resize(start + list.len(), 0);
        let (rows, fresh) = (self.rows as u32, &mut self.seen[start..]);
        let mut count = 0;
        for &row in list {
            if row >= rows {
                // Unused places are out of range, too.
                if row == NONE {
                    break;
                }
                continue;
            }
            // No branch on whether a row was seen: the CPU cannot predict it.
            let (word, bit) = (&mut self.words[row as usize / 64], row % 64);
            fresh[count] = row;
            count += usize::from(*word >> bit & 1 == 0);
            *word |= 1 << bit;
        }
        self.seen.truncate(start + count);
        start..start + count
    }

    /// Returns visited rows, in the order of their visits.
    #[inline]
    pub(crate) fn seen(&self, places: &Range<usize>) -> &[u32] {
        &self.seen[places.clone()]
    }
}

/// Buffers of one search.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) visited: Visited,
    /// The candidates kept so far, best first.
    pub(crate) pool: Vec<Candidate>,
    /// Ranks of the neighbours being examined.
    pub(crate) ranks: Vec<f32>,
    /// Number of ranks computed.
    pub(crate) ranked: usize,
}

impl Scratch {
    /// Prepares for a search among that many rows.
    pub(crate) fn start(&mut self, rows: usize) -> &mut Self {
        self.visited.start(rows);
        self.pool.clear();
        self.ranked = 0;
        self
    }
}

/// Buffers for reuse.
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

#[cfg(all(test, feature = "schedules"))]
mod schedules {
    use super::*;
    use crate::sync::schedules::explore;
    use crate::sync::thread;

    /// Runs searches within searches, so that few threads hold many buffers.
    fn nested(pool: &ScratchPool, depth: usize) {
        if depth == 0 {
            return;
        }
        pool.with(70 * depth, |scratch| {
            let rows = [0, 64, 70 * depth as u32 - 1];
            assert!(rows.iter().all(|&row| scratch.visited.first(row)), "somebody's rows are left");
            nested(pool, depth - 1);
            assert!(rows.iter().all(|&row| !scratch.visited.first(row)), "somebody else uses it");
        });
    }

    #[test]
    fn searches_at_once_have_a_clean_scratch_each_and_only_so_many_are_kept() {
        explore("pool", 1_000, || {
            let pool = ScratchPool::default();
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| (0..2).for_each(|_| nested(&pool, POOLED / 2)));
                }
            });
            let pool = pool.0.lock();
            assert!((POOLED / 2..=POOLED).contains(&pool.len()), "{} are kept", pool.len());
        });
    }
}
