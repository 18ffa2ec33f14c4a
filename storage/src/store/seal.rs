//! The indexer thread: puts growing rows into a graph and, when there are enough, into a segment.
//!
//! A job runs to the end of what is due. Another kind of background work (compaction) would be another [`Job`].

use super::shared::Shared;
use crate::documents::{SegmentEntry, Writes};
use crate::error::{AtPath, Result, StorageError};
use crate::index::graph::freeze::FrozenGraph;
use crate::index::growing_graph::GrowingGraph;
use crate::index::segment::{self, Segment, SegmentRows};
use crate::vector::distance;
use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Fewer rows than this are scanned: a graph would cost more than it saves.
const INDEX_FROM: usize = 1_024;
/// Rows between two looks at whether to stop.
const INSERT_ROWS: usize = 128;

enum Job {
    /// Index what is worth it, seal what is due.
    Due(Option<Sender<Result<()>>>),
    /// Seal every row below this one.
    Below(u64, Sender<Result<()>>),
}

/// The thread and the way to it. Dropping stops it soon and waits for it.
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
        let thread = std::thread::Builder::new().name("postil-indexer".to_owned());
        let thread = thread.spawn(move || worker.run(&receiver)).at(&shared.path)?;
        Ok(Self { shared, jobs: Some(sender), stop, thread: Some(thread) })
    }

    /// Says that there is something to look at.
    pub(super) fn wake(&self) {
        self.send(Job::Due(None));
    }

    pub(super) fn seal_all(&self) -> Result<()> {
        let (done, wait) = bounded(1);
        let below = self.shared.writer.lock().next_row;
        self.send(Job::Below(below, done));
        self.outcome(&wait)
    }

    pub(super) fn seal_due(&self) -> Result<()> {
        let (done, wait) = bounded(1);
        self.send(Job::Due(Some(done)));
        self.outcome(&wait)
    }

    fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // The thread only ends early when it panicked; whoever waits for an outcome is told.
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
            let (below, done) = match job {
                Job::Due(done) => (0, done),
                Job::Below(below, done) => (below, Some(done)),
            };
            let outcome = if broken {
                Err(failed(&self.shared, "indexing failed before"))
            } else {
                catch_unwind(AssertUnwindSafe(|| self.work(below))).unwrap_or_else(|_| {
                    // The graph may hold half a row: rows stay scanned until the database is reopened.
                    broken = true;
                    Err(failed(&self.shared, "indexing panicked"))
                })
            };
            if let Err(error) = &outcome {
                *self.shared.sealing_failure.lock() = Some(error.to_string());
            }
            self.shared.notify();
            if let Some(done) = done {
                let _ = done.send(outcome);
            }
        }
    }

    /// Indexes and seals, until all that is due is done: full segments, and rows below `below`.
    fn work(&self, below: u64) -> Result<()> {
        let (shared, seal_rows) = (&*self.shared, self.shared.options.seal_rows);
        while !self.stopping() {
            let growing = shared.current().growing.clone();
            let rows = growing.rows().min(seal_rows);
            let seal = rows == seal_rows || growing.at(0).is_some_and(|(first, _)| first < below);
            if rows == 0 || (!seal && rows < INDEX_FROM) {
                return Ok(());
            }
            let graph = growing.graph.get_or_init(|| {
                let norms = growing.iter_from(0).map(|(_, vector)| distance::dot(vector, vector));
                let longest = norms.fold(0.0, f32::max).sqrt();
                let options = &shared.options;
                GrowingGraph::new(
                    shared.profile.metric,
                    options.m,
                    options.ef_construction,
                    seal_rows,
                    longest,
                )
            });
            while graph.indexed() < rows {
                if self.stopping() {
                    return Ok(());
                }
                let next = (rows - graph.indexed()).min(INSERT_ROWS);
                let vectors: Vec<&[f32]> =
                    growing.iter_from(graph.indexed()).take(next).map(|(_, vector)| vector).collect();
                graph.insert(&vectors);
            }
            if seal {
                self.seal(rows, graph)?;
            } else if shared.current().growing.rows() == growing.rows() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Moves the first `rows` growing rows, all of them in the graph, into a segment.
    fn seal(&self, rows: usize, graph: &GrowingGraph) -> Result<()> {
        let shared = &*self.shared;
        shared.writable()?;
        let number = shared.writer.lock().next_segment;
        let growing = shared.current().growing.clone();
        let (mut ids, mut vectors) = (Vec::with_capacity(rows), Vec::new());
        for (id, vector) in growing.iter_from(0).take(rows) {
            ids.push(id);
            vectors.extend_from_slice(vector);
        }
        let profile = &shared.profile;
        let frozen = FrozenGraph::of(graph, rows, shared.options.m);
        let (metric, dimension) = (profile.metric, profile.dimension);
        let content = SegmentRows { metric, dimension, ids: &ids, vectors: &vectors, graph: &frozen };
        let folder = &shared.segments_folder;
        segment::write(folder, number, &content).inspect_err(|_| {
            // Makes room on a full disk; opening would remove it too.
            let _ = std::fs::remove_file(segment::file(folder, number).with_extension("tmp"));
        })?;
        let segment = Segment::open(folder, number, dimension, metric)?;
        self.adopt(segment, &ids)
    }

    /// From here on the segment is part of the database.
    fn adopt(&self, segment: Segment, ids: &[u64]) -> Result<()> {
        let shared = &*self.shared;
        let mut writer = shared.writer.lock();
        shared.writable()?;
        let before = shared.current();
        let mut manifest = writer.clone();
        manifest.next_segment = segment.number + 1;
        manifest.segments.push(SegmentEntry { number: segment.number, rows: ids.len() as u32 });
        let mut writes = Writes::default();
        for &row in ids {
            if before.removed.contains(row) {
                writes.mark_removed(row);
            } else {
                writes.sealed(row);
            }
        }
        writes.manifest(&manifest);
        shared.write(&writes)?;
        let mut snapshot = (*before).clone();
        snapshot.growing = before.growing.without_first(ids.len());
        snapshot.segments.push(Arc::new(segment));
        shared.publish(snapshot);
        *writer = manifest;
        drop(writer);
        shared.notify();
        Ok(())
    }
}
