//! The indexer thread: puts growing rows into a graph and, when there are enough, into a segment;
//! merges segments.
//!
//! A job runs until everything due is done.

mod due;
mod making;
mod merge;

use super::StoreOptions;
use super::shared::Shared;
use super::step::{OnStep, Step};
use crate::documents::Writes;
use crate::error::{AtPath, Result, StorageError};
use crate::fault::{self, Point};
use crate::index::growing::Growing;
use crate::index::growing_graph::GrowingGraph;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::channel::{Receiver, Sender, TryRecvError, bounded, unbounded};
use crate::sync::thread::{self, JoinHandle};
use due::{wasteful, worth_merging};
use postil_kernel::distance;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Fewest rows that get a graph; fewer are scanned, since a graph would cost more than it saves.
const INDEX_FROM: usize = 1_024;
/// Rows inserted between two checks for cancellation.
const INSERT_ROWS: usize = 128;
/// Vectors deleted from the documents in one transaction; few in tests, so that there are several.
const TAKEN_OUT_ROWS: usize = if cfg!(feature = "faults") { 8 } else { 256 };

enum Job {
    /// Index the growing rows, seal what is due.
    Due(Option<Sender<Result<()>>>),
    /// Seal every row below this one.
    Below(u64, Sender<Result<()>>),
    /// Merge everything into one segment, unless it is cancelled before or meanwhile.
    Compact(Arc<Compaction>, Sender<Result<()>>),
}

/// A compaction that a caller waits for.
#[derive(Default)]
struct Compaction {
    begun: AtomicBool,
    cancelled: AtomicBool,
}

/// Cancels the compaction when its caller stops waiting, even by a panic.
struct Waiting<'a>(&'a Compaction);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.cancelled.store(true, Ordering::SeqCst);
    }
}

/// The indexer thread and the channel to it. Dropping it stops the thread soon and waits for it.
pub(super) struct Indexer {
    shared: Arc<Shared>,
    jobs: Option<Sender<Job>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Indexer {
    pub(super) fn start(shared: Arc<Shared>) -> Result<Self> {
        let (sender, receiver) = unbounded();
        let stop = Arc::new(AtomicBool::new(false));
        let worker = Worker { shared: Arc::clone(&shared), stop: Arc::clone(&stop) };
        let thread = thread::Builder::new().name("postil-indexer".to_owned());
        let thread = thread.spawn(move || worker.run(&receiver)).at(&shared.path)?;
        Ok(Self { shared, jobs: Some(sender), stop, thread: Some(thread) })
    }

    /// Signals that there may be work.
    pub(super) fn wake(&self) {
        self.send(Job::Due(None));
    }

    pub(super) fn seal_all(&self) -> Result<()> {
        let (done, wait) = bounded(1);
        let below = self.shared.writer.lock().next_row;
        self.send(Job::Below(below, done));
        self.outcome(&wait)
    }

    pub(super) fn compact(&self, progress: OnStep<'_>) -> Result<()> {
        let compaction = Arc::new(Compaction::default());
        let waiting = Waiting(&compaction);
        if progress(Step::default()).is_break() {
            return Err(StorageError::Cancelled);
        }
        let (done, wait) = bounded(1);
        self.send(Job::Compact(Arc::clone(&compaction), done));
        let mut step = Step::default();
        loop {
            match wait.try_recv() {
                Ok(outcome) => return outcome,
                Err(TryRecvError::Empty) => self.shared.wait(),
                Err(TryRecvError::Disconnected) => return self.outcome(&wait),
            }
            if compaction.begun.load(Ordering::SeqCst) {
                step = self.shared.building.after(step);
            }
            if progress(step).is_break() {
                drop(waiting);
                // A compaction that has not begun waits for other work, which may take long.
                return match compaction.begun.load(Ordering::SeqCst) {
                    true => self.outcome(&wait),
                    false => Err(StorageError::Cancelled),
                };
            }
        }
    }

    pub(super) fn seal_due(&self) -> Result<()> {
        let (done, wait) = bounded(1);
        self.send(Job::Due(Some(done)));
        self.outcome(&wait)
    }

    fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // The thread ends early only if it panicked; a job's waiting thread then gets an error.
            let _ = jobs.send(job);
        }
    }

    fn outcome(&self, wait: &Receiver<Result<()>>) -> Result<()> {
        wait.recv().unwrap_or_else(|_| Err(failed(&self.shared, "the indexer is gone")))
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn failed(shared: &Shared, what: &str) -> StorageError {
    StorageError::Sealing { path: shared.path.clone(), what: what.to_owned() }
}

struct Worker {
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
}

impl Worker {
    fn run(&self, jobs: &Receiver<Job>) {
        let mut broken = false;
        for job in jobs {
            let compact;
            let (work, done): (&dyn Fn() -> Result<()>, _) = match job {
                Job::Due(done) => (&|| self.work(0, jobs), done),
                Job::Below(below, done) => (&move || self.work(below, jobs), Some(done)),
                Job::Compact(compaction, done) => {
                    compact = move || self.compact(&compaction);
                    (&compact, Some(done))
                }
            };
            let outcome = if broken {
                Err(failed(&self.shared, "indexing failed before"))
            } else {
                catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
                    // The graph may have half a row: rows are scanned until the database is
                    // reopened.
                    broken = true;
                    Err(failed(&self.shared, "indexing panicked"))
                })
            };
            if let Err(error) = &outcome
                && !matches!(error, StorageError::Cancelled)
            {
                *self.shared.sealing_failure.lock() = Some(error.to_string());
            }
            if let Some(done) = done {
                let _ = done.send(outcome);
            }
            self.shared.notify();
        }
    }

    /// Indexes and seals until everything due is done: full segments, rows below `below`, segments
    /// with many removed rows.
    fn work(&self, below: u64, jobs: &Receiver<Job>) -> Result<()> {
        let shared = &*self.shared;
        let stop = &*self.stop;
        while !stop.load(Ordering::Acquire) {
            self.take_out_sealed(stop)?;
            let snapshot = shared.current();
            let growing = &snapshot.growing;
            let first_is_due = growing.at(0).is_some_and(|(first, _)| first < below);
            if growing.rows() >= shared.options.seal_rows || first_is_due {
                self.merge(
                    &snapshot,
                    worth_merging(&snapshot)..snapshot.segments.len(),
                    growing.rows(),
                    false,
                    stop,
                )?;
            } else if let Some(at) = wasteful(&snapshot) {
                self.merge(&snapshot, at..at + 1, 0, true, stop)?;
            } else if !self.index(growing, jobs) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Deletes the vectors that segments have from the documents, a few in each transaction,
    /// because sled keeps all pages that one changes in memory until its end. Commits need not wait
    /// for all of them.
    fn take_out_sealed(&self, stop: &AtomicBool) -> Result<()> {
        let shared = &*self.shared;
        while !stop.load(Ordering::Acquire) {
            let (snapshot, documents) = (shared.current(), shared.documents());
            let is_sealed = |row| snapshot.is_sealed(row);
            let rows = documents.sealed_vectors(snapshot.growing_from(), is_sealed, TAKEN_OUT_ROWS)?;
            if rows.is_empty() {
                break;
            }
            // Damaged ids may claim rows that only the documents have.
            snapshot.ids_are_sound()?;
            let mut writes = Writes::default();
            rows.into_iter().for_each(|row| writes.take_out_vector(row));
            let _writer = shared.writer.lock();
            shared.writable()?;
            let _unpublished = shared.write(&writes)?;
            fault::reach(Point::VectorsPart)?;
        }
        Ok(())
    }

    /// Merges everything into one segment, without the removed rows.
    fn compact(&self, compaction: &Compaction) -> Result<()> {
        compaction.begun.store(true, Ordering::SeqCst);
        let stop = &compaction.cancelled;
        if stop.load(Ordering::SeqCst) {
            return Err(StorageError::Cancelled);
        }
        let snapshot = self.shared.current();
        let growing = snapshot.growing.rows();
        if snapshot.segments.len() > 1 || growing > 0 || !snapshot.removed.is_empty() {
            let rebuild = !snapshot.removed.is_empty();
            self.merge(&snapshot, 0..snapshot.segments.len(), growing, rebuild, stop)?;
        }
        if !stop.load(Ordering::Acquire) {
            self.shared.rewrite_documents(stop)?;
        }
        if stop.load(Ordering::Acquire) { Err(StorageError::Cancelled) } else { Ok(()) }
    }

    /// Puts growing rows into their graph, if they are worth one; `true` if there is more to do. A
    /// waiting job goes first: it may seal those rows.
    fn index(&self, growing: &Growing, jobs: &Receiver<Job>) -> bool {
        let (shared, rows) = (&*self.shared, growing.rows());
        if rows < INDEX_FROM {
            return false;
        }
        let graph = growing.graph.get_or_init(|| {
            let norms = growing.iter_from(0).map(|(_, vector)| distance::dot(vector, vector));
            let longest = norms.fold(0.0, f32::max).sqrt();
            let StoreOptions { m, ef_construction, seal_rows, .. } = shared.options;
            GrowingGraph::new(shared.profile.metric, m, ef_construction, seal_rows, longest)
        });
        while graph.indexed() < rows {
            let due = shared.current().growing.rows() >= shared.options.seal_rows;
            if due || self.stopping() {
                return due;
            }
            if !jobs.is_empty() {
                return false;
            }
            let next = (rows - graph.indexed()).min(INSERT_ROWS);
            let vectors: Vec<&[f32]> =
                growing.iter_from(graph.indexed()).take(next).map(|(_, vector)| vector).collect();
            graph.insert(&vectors);
        }
        shared.current().growing.rows() > rows
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}
