//! Flushes that end: sled's own may wait forever after a failed write of its log.
//!
//! In sled 0.34.7 a thread of its pool writes a full log buffer. If the write fails, the thread
//! records the error, but it wakes the waiting threads only if a flush sealed the buffer
//! (`maybe_seal_and_write_iobuf`), not if the last writer to leave it did
//! (`Log::exit_reservation`). The next thread to use the log finds the error and wakes them all: a
//! watching thread here does so.

use parking_lot::{Condvar, Mutex, MutexGuard};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two checks for a failed flush, and so the longest that a failure goes unnoticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Flushes sled, with a thread that watches for flushes that hang.
pub(super) struct Flusher {
    db: sled::Db,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    flushing: usize,
    /// True while no flush runs and the watching thread sleeps until one begins: waking it at each
    /// flush would slow every flush.
    asleep: bool,
    stop: bool,
}

impl Flusher {
    /// Starts the watching thread. `config` is the one that `db` was opened with: the two share the
    /// error.
    pub(super) fn start(db: sled::Db, config: sled::Config) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let thread = std::thread::Builder::new().name("postil-flushes".to_owned()).spawn({
            let (shared, db) = (Arc::clone(&shared), db.clone());
            move || look_after(&shared, || config.global_error().is_err(), || _ = db.flush())
        })?;
        Ok(Self { db, shared, thread: Some(thread) })
    }

    pub(super) fn flush(&self) -> sled::Result<usize> {
        let _flushing = Flushing::begin(&self.shared);
        self.db.flush()
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        // sled also flushes when it is dropped, unwatched: after this flush it has nothing left to
        // wait for.
        let _ = catch_unwind(AssertUnwindSafe(|| self.flush()));
        self.shared.state.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Flushing<'a>(&'a Shared);

impl<'a> Flushing<'a> {
    fn begin(shared: &'a Shared) -> Self {
        let mut state = shared.state.lock();
        state.flushing += 1;
        if std::mem::take(&mut state.asleep) {
            shared.changed.notify_all();
        }
        Self(shared)
    }
}

impl Drop for Flushing<'_> {
    fn drop(&mut self) {
        self.0.state.lock().flushing -= 1;
    }
}

/// Wakes the threads that wait in a flush after a failed write, until told to stop.
fn look_after(shared: &Shared, failed: impl Fn() -> bool, wake: impl Fn()) {
    let mut state = shared.state.lock();
    while !state.stop {
        if state.flushing == 0 {
            state.asleep = true;
            shared.changed.wait(&mut state);
            continue;
        }
        shared.changed.wait_for(&mut state, LOOK_EVERY);
        if state.flushing > 0 && failed() {
            MutexGuard::unlocked(&mut state, || _ = catch_unwind(AssertUnwindSafe(&wake)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    #[test]
    fn a_flush_that_waits_after_a_failure_is_woken_and_one_that_only_takes_long_is_not() {
        let shared = Arc::<Shared>::default();
        let (failed, woken) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let thread = std::thread::spawn({
            let (shared, failed, woken) = (Arc::clone(&shared), Arc::clone(&failed), Arc::clone(&woken));
            move || {
                let wake = || _ = woken.fetch_add(1, Ordering::Relaxed);
                look_after(&shared, || failed.load(Ordering::Relaxed), wake);
            }
        });
        let slow = Flushing::begin(&shared);
        std::thread::sleep(LOOK_EVERY + LOOK_EVERY / 2);
        assert_eq!(woken.load(Ordering::Relaxed), 0);
        failed.store(true, Ordering::Relaxed);
        while woken.load(Ordering::Relaxed) == 0 {
            std::thread::sleep(LOOK_EVERY / 20);
        }
        drop(slow);
        shared.state.lock().stop = true;
        shared.changed.notify_all();
        thread.join().unwrap();
    }
}
