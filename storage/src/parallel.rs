//! The same work on many items, by several threads.

use postil_kernel::threads;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Items that a thread takes at a time.
const TAKEN: usize = 16;

/// Returns `[work(0), work(1), ...]` in that order, for any number of threads; each thread has its
/// own `S`.
pub(crate) fn parallel<T: Send, S: Default>(
    threads: usize,
    items: usize,
    work: impl Fn(usize, &mut S) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut scratch = S::default();
        let mut done = Vec::new();
        loop {
            let from = next.fetch_add(TAKEN, Ordering::Relaxed);
            if from >= items {
                return done;
            }
            let block: Vec<T> = (from..items.min(from + TAKEN)).map(|i| work(i, &mut scratch)).collect();
            done.push((from, block));
        }
    };
    let mut done = if threads < 2 || items <= TAKEN {
        take()
    } else {
        threads::on_each(threads, |_| take()).into_iter().flatten().collect()
    };
    done.sort_unstable_by_key(|(from, _)| *from);
    done.into_iter().flat_map(|(_, block)| block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_back_in_order() {
        for (threads, items) in [(1, 100), (3, 0), (3, 16), (3, 1000)] {
            let squares = parallel(threads, items, |i, ()| i * i);
            assert_eq!(squares, (0..items).map(|i| i * i).collect::<Vec<_>>());
        }
    }
}
