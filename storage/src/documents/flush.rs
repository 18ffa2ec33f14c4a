//! Flushes that end: sled's own may wait for ever where a write of its log fails.
//!
//! In sled 0.34.7 a full buffer of the log is written by a thread of its pool. Where that fails, the thread records the
//! error, but it wakes those that wait for the write only if the buffer was sealed by a flush (`maybe_seal_and_write_iobuf`),
//! not if it was by the last writer to leave it (`Log::exit_reservation`). Whoever comes to the log later finds the error
//! and wakes all: so somebody does.

use parking_lot::{Condvar, Mutex, MutexGuard};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a flush may be over before its failure is found.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Flushes sled, with a thread that looks after those that take long.
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
    /// Nobody flushes and the thread waits to be told of one that does: telling it each time would cost each flush.
    asleep: bool,
    stop: bool,
}

impl Flusher {
    /// `config` is what `db` was opened with: the two share the error.
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
        // sled flushes when it is dropped, unwatched: after this one it has nothing left to wait for.
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

/// Wakes whoever waits in a flush after a write has failed, until told to stop.
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
