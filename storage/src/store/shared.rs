//! The state that callers and the indexer share, and the rules of publishing it.

use super::asked::Asked;
use super::lock::Lock;
use super::private::ReadOnly;
use super::queue::Queue;
use super::snapshot::Snapshot;
use super::step::Step;
use super::{Profile, StoreOptions};
use crate::documents::{Documents, Manifest, Writes};
use crate::error::{Result, StorageError};
use crate::filter::Filter;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Condvar, Mutex, RwLock};
use roaring::RoaringTreemap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

/// Most filters whose rows are cached.
const REMEMBERED_FILTERS: usize = 16;
/// Time after which waiting threads check again, woken or not.
const WAIT: Duration = Duration::from_millis(50);

/// Cached rows that pass a filter in one generation.
pub(super) struct Remembered {
    filter: Filter,
    generation: u64,
    rows: Arc<RoaringTreemap>,
}

/// Guard held while the trees are ahead of the snapshot: a panic then poisons the store, so that
/// nothing is written on the old state.
#[must_use]
pub(super) struct Unpublished<'a>(pub(super) &'a Shared);

impl Drop for Unpublished<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.poison("a thread panicked while it wrote");
        }
    }
}

/// Progress of the segment under construction.
#[derive(Default)]
pub(super) struct Building {
    pub(super) rows: AtomicUsize,
    pub(super) done: AtomicUsize,
    /// True if there were searches lately, which get a core.
    pub(super) searched: AtomicBool,
}

impl Building {
    pub(super) fn start(&self, rows: usize) {
        self.done.store(0, Ordering::Relaxed);
        self.rows.store(rows, Ordering::Relaxed);
    }

    /// Returns the progress of a caller's work after `before`, which may be over: the numbers are
    /// those of its last segment then.
    pub(super) fn after(&self, before: Step) -> Step {
        let done = self.done.load(Ordering::Relaxed) as u64;
        let total = self.rows.load(Ordering::Relaxed) as u64;
        match total {
            0 => before,
            _ => Step { done: done.clamp(before.done.min(total), total), total },
        }
    }

    pub(super) fn make_way(&self) {
        // Searches on many threads would contend for the cache line if each wrote it.
        if !self.searched.load(Ordering::Relaxed) {
            self.searched.store(true, Ordering::Relaxed);
        }
    }
}

/// An open database without its indexer.
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) segments_folder: PathBuf,
    pub(super) profile: Profile,
    pub(super) options: StoreOptions,
    /// The trees, replaced when they are rewritten.
    pub(super) documents: RwLock<Arc<Documents>>,
    /// Lock of the writer, held by commits and by adoptions of segments.
    pub(super) writer: Mutex<Manifest>,
    /// Batches that wait for the writer's lock.
    pub(super) waiting: Queue,
    /// Sequence number, odd while a batch is in the trees but not in the snapshot yet.
    pub(super) sequence: AtomicU64,
    /// Reason that writes are no longer allowed; `None` if they are.
    pub(super) poison: Mutex<Option<String>>,
    /// Failure of the last attempt to seal; `None` if it succeeded.
    pub(super) sealing_failure: Mutex<Option<String>>,
    /// Failure of the last attempt to rewrite the grown documents; `None` if it succeeded.
    pub(super) rewrite_failure: Mutex<Option<String>>,
    pub(super) building: Building,
    pub(super) filters: Mutex<Vec<Remembered>>,
    pub(super) asked: Mutex<Asked>,
    pub(super) snapshot: RwLock<Arc<Snapshot>>,
    pub(super) changed: (Mutex<()>, Condvar),
    /// After the open files, so that it is released when they are closed.
    pub(super) _lock: Lock,
    /// State of a read-only store; `None` for others. Last, because it owns the files of the other
    /// fields.
    pub(super) read_only: Option<ReadOnly>,
}

impl Shared {
    pub(super) fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read())
    }

    pub(super) fn documents(&self) -> Arc<Documents> {
        Arc::clone(&self.documents.read())
    }

    pub(super) fn publish(&self, snapshot: Snapshot) {
        *self.snapshot.write() = Arc::new(snapshot);
    }

    /// Wakes the threads that wait for a new snapshot or for sealing.
    pub(super) fn notify(&self) {
        let _guard = self.changed.0.lock();
        self.changed.1.notify_all();
    }

    /// Sleeps until something changed, or for [`WAIT`].
    pub(super) fn wait(&self) {
        let mut guard = self.changed.0.lock();
        self.changed.1.wait_for(&mut guard, WAIT);
    }

    /// Returns the database's folder, even if this is a copy of it.
    pub(super) fn original(&self) -> &Path {
        self.read_only.as_ref().map_or(&self.path, |read_only| &read_only.path)
    }

    pub(super) fn writable(&self) -> Result<()> {
        if self.read_only.is_some() {
            return Err(StorageError::ReadOnly { path: self.original().to_owned() });
        }
        self.unpoisoned()
    }

    /// Returns an error if the trees may differ from the snapshot.
    pub(super) fn unpoisoned(&self) -> Result<()> {
        match &*self.poison.lock() {
            Some(what) => Err(StorageError::Poisoned { path: self.path.clone(), what: what.clone() }),
            None => Ok(()),
        }
    }

    /// Writes to the trees. A failure may leave a part of the writes, so it poisons the store. The
    /// caller holds the result until the snapshot shows the writes.
    pub(super) fn write(&self, writes: &Writes) -> Result<Unpublished<'_>> {
        let unpublished = Unpublished(self);
        self.documents().commit(writes).inspect_err(|error| self.poison(&error.to_string()))?;
        Ok(unpublished)
    }

    /// Ends all writes.
    pub(super) fn poison(&self, why: &str) {
        *self.poison.lock() = Some(why.to_owned());
        self.notify();
    }

    /// Waits for a snapshot newer than `generation`, after a reader of that one found a row
    /// missing.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if no write is under way, so that the row should be there.
    pub(super) fn wait_for_newer(&self, generation: u64, row: u64) -> Result<()> {
        loop {
            let writing = self.sequence.load(Ordering::Acquire) % 2 == 1;
            if self.current().generation > generation {
                return Ok(());
            }
            self.unpoisoned()?;
            if !writing {
                return Err(StorageError::corrupt(
                    self.documents().path(),
                    format!("row {row} is in the index and has no passage, document or text"),
                ));
            }
            self.wait();
        }
    }

    /// Returns a snapshot and its rows that pass a filter.
    pub(super) fn filtered(&self, filter: &Filter) -> Result<(Arc<Snapshot>, Arc<RoaringTreemap>)> {
        filter.check()?;
        // The trees have no snapshots: a scan is valid only if nothing was written meanwhile.
        for _ in 0..2 {
            let before = self.sequence.load(Ordering::Acquire);
            let snapshot = self.current();
            if let Some(rows) = self.remembered(filter, snapshot.generation) {
                return Ok((snapshot, rows));
            }
            if before % 2 == 1 {
                continue;
            }
            let rows = self.scan(filter, &snapshot)?;
            if self.sequence.load(Ordering::Acquire) == before {
                self.remember(filter, snapshot.generation, &rows);
                return Ok((snapshot, rows));
            }
        }
        // Writes never pause: hold the next one up for one scan.
        let _writer = self.writer.lock();
        self.unpoisoned()?;
        let snapshot = self.current();
        let rows = self.scan(filter, &snapshot)?;
        self.remember(filter, snapshot.generation, &rows);
        Ok((snapshot, rows))
    }

    fn remembered(&self, filter: &Filter, generation: u64) -> Option<Arc<RoaringTreemap>> {
        let filters = self.filters.lock();
        let found = filters.iter().find(|r| r.generation == generation && r.filter == *filter)?;
        Some(Arc::clone(&found.rows))
    }

    fn scan(&self, filter: &Filter, snapshot: &Snapshot) -> Result<Arc<RoaringTreemap>> {
        let rows = self.documents().rows_where(|fields| filter.passes(fields))?;
        Ok(Arc::new(rows - &*snapshot.removed))
    }

    fn remember(&self, filter: &Filter, generation: u64, rows: &Arc<RoaringTreemap>) {
        let mut filters = self.filters.lock();
        filters.retain(|r| r.generation >= generation);
        if filters.len() == REMEMBERED_FILTERS {
            filters.remove(0);
        }
        filters.push(Remembered { filter: filter.clone(), generation, rows: Arc::clone(rows) });
    }
}
