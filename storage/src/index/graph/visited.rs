//! Which rows a search has seen: stamps instead of clearing, and a pool instead of allocating.

use parking_lot::Mutex;

/// Sets waiting for the next search; more searches than this at once allocate.
const POOLED: usize = 16;

#[derive(Default)]
pub(crate) struct Visited {
    stamps: Vec<u32>,
    now: u32,
}

impl Visited {
    fn start(&mut self, rows: usize) {
        if self.stamps.len() < rows {
            self.stamps.resize(rows, 0);
        }
        self.now = self.now.wrapping_add(1);
        if self.now == 0 {
            self.stamps.fill(0);
            self.now = 1;
        }
    }

    /// Whether this is the first visit. A row out of range counts as seen.
    #[inline]
    pub(crate) fn first(&mut self, row: u32) -> bool {
        match self.stamps.get_mut(row as usize) {
            Some(stamp) if *stamp != self.now => {
                *stamp = self.now;
                true
            }
            _ => false,
        }
    }
}

/// Visited sets for reuse.
#[derive(Default)]
pub(crate) struct VisitedPool(Mutex<Vec<Visited>>);

impl VisitedPool {
    pub(crate) fn with<T>(&self, rows: usize, search: impl FnOnce(&mut Visited) -> T) -> T {
        let mut visited = self.0.lock().pop().unwrap_or_default();
        visited.start(rows);
        let result = search(&mut visited);
        let mut pool = self.0.lock();
        if pool.len() < POOLED {
            pool.push(visited);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_first_once_per_search() {
        let pool = VisitedPool::default();
        for _ in 0..3 {
            pool.with(4, |seen| {
                assert!(seen.first(3));
                assert!(!seen.first(3));
                assert!(!seen.first(4));
            });
        }
        let mut full_circle = Visited { stamps: vec![1, 0], now: u32::MAX };
        full_circle.start(2);
        assert!(full_circle.first(0) && full_circle.first(1));
    }
}
