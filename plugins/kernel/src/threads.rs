//! The policy of threads, and the place where threads to compute with are started.
//!
//! - Work on many items, which takes milliseconds or more, is divided among threads that are
//!   started for it, by [`on_each`], and end with it: building and measuring a segment, encoding,
//!   reading. There are [`available`] of them, unless an option says otherwise.
//! - Steps of a generator, which take microseconds, run on rayon's global pool, whose threads wait
//!   for them. By rayon's default there are as many, unless `RAYON_NUM_THREADS` says otherwise.
//! - A kernel never starts a thread: it computes on the one that calls it.
//! - Threads that live on compute little and wait much: the indexer and the watch over flushes of a
//!   writable store, and the stages of an ingest, each of which divides its own work as above.
//!
//! Segments, vectors and answers do not depend on the number of threads.

/// Returns the number of threads that this process may use at the same time, at least 1: the CPUs
/// that its affinity and its control groups leave it.
pub fn available() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Runs `work(0)`, `work(1)` and so on, each on a thread of its own and the first on this one;
/// returns the results in that order. With `threads` 0 it runs `work(0)`.
///
/// # Panics
/// If one of them panics, with its panic, once all have ended.
pub fn on_each<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let work = &work;
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        let mut results = vec![work(0)];
        for other in others {
            results.push(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn each_part_has_a_thread_of_its_own_and_results_come_in_order() {
        for threads in 1..5 {
            let all_run = Barrier::new(threads);
            let results = on_each(threads, |thread| {
                all_run.wait();
                (thread, std::thread::current().id())
            });
            let order: Vec<usize> = results.iter().map(|(thread, _)| *thread).collect();
            assert_eq!(order, (0..threads).collect::<Vec<_>>());
            assert_eq!(results[0].1, std::thread::current().id());
        }
        assert_eq!(on_each(0, |thread| thread), [0]);
        assert!(available() >= 1);
    }

    #[test]
    fn a_panic_on_another_thread_comes_through_as_it_is() {
        let work = |thread: usize| assert!(thread != 2, "the third");
        let panic = std::panic::catch_unwind(|| on_each(3, work)).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the third"));
    }
}
