//! The indexer thread: puts growing rows into a graph and, when there are enough, into a segment; merges segments.
//!
//! A job runs to the end of what is due.

use super::shared::{Shared, Unpublished};
use super::snapshot::Snapshot;
use super::{Profile, StoreOptions};
use crate::documents::{Documents, SegmentEntry, Writes, rewrite};
use crate::error::{AtPath, Result, StorageError};
use crate::fault::{self, Point};
use crate::index::graph::{self, build::BuildOptions};
use crate::index::growing::Growing;
use crate::index::growing_graph::GrowingGraph;
use crate::index::segment::{self, Segment, SegmentRows};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::channel::{Receiver, Sender, bounded, unbounded};
use crate::sync::thread::{self, JoinHandle};
use crate::vector::codes::{self, Codes, Scale};
use crate::vector::distance;
use roaring::RoaringTreemap;
use std::borrow::Cow;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Fewer rows than this are scanned: a graph would cost more than it saves.
const INDEX_FROM: usize = 1_024;
/// Rows between two looks at whether to stop.
const INSERT_ROWS: usize = 128;
/// Segments up to this many times the rows that come after them are merged with those: the more, the fewer segments to
/// search, and the more often a row is copied. It is linked again only where it is not of the first of them.
const MERGE: usize = 8;
/// A segment with fewer than one removed row in this many is kept whole when others are merged to it.
const EXTEND: usize = 10;
/// A segment with more than one removed row in this many is made anew.
const WASTEFUL: usize = 4;

enum Job {
    /// Index what is worth it, seal what is due.
    Due(Option<Sender<Result<()>>>),
    /// Seal every row below this one.
    Below(u64, Sender<Result<()>>),
    /// Make one segment of everything.
    Compact(Sender<Result<()>>),
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
        let thread = thread::Builder::new().name("postil-indexer".to_owned());
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

    pub(super) fn compact(&self) -> Result<()> {
        let (done, wait) = bounded(1);
        self.send(Job::Compact(done));
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
            let (work, done): (&dyn Fn() -> Result<()>, _) = match job {
                Job::Due(done) => (&|| self.work(0, jobs), done),
                Job::Below(below, done) => (&move || self.work(below, jobs), Some(done)),
                Job::Compact(done) => (&|| self.compact(), Some(done)),
            };
            let outcome = if broken {
                Err(failed(&self.shared, "indexing failed before"))
            } else {
                catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
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

    /// Indexes and seals, until all that is due is done: full segments, rows below `below`, segments that hold many
    /// removed rows.
    fn work(&self, below: u64, jobs: &Receiver<Job>) -> Result<()> {
        let shared = &*self.shared;
        while !self.stopping() {
            if shared.documents().have_grown()? {
                self.rewrite_documents()?;
            }
            let snapshot = shared.current();
            let growing = &snapshot.growing;
            let first_is_due = growing.at(0).is_some_and(|(first, _)| first < below);
            if growing.rows() >= shared.options.seal_rows || first_is_due {
                self.merge(
                    &snapshot,
                    worth_merging(&snapshot)..snapshot.segments.len(),
                    growing.rows(),
                    false,
                )?;
            } else if let Some(at) = wasteful(&snapshot) {
                self.merge(&snapshot, at..at + 1, 0, true)?;
            } else if !self.index(growing, jobs) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Makes one segment of everything, without the removed rows.
    fn compact(&self) -> Result<()> {
        let snapshot = self.shared.current();
        let growing = snapshot.growing.rows();
        if snapshot.segments.len() > 1 || growing > 0 || !snapshot.removed.is_empty() {
            let rebuild = !snapshot.removed.is_empty();
            self.merge(&snapshot, 0..snapshot.segments.len(), growing, rebuild)?;
        }
        if self.stopping() { Ok(()) } else { self.rewrite_documents() }
    }

    /// Commits wait meanwhile, reads go on.
    fn rewrite_documents(&self) -> Result<()> {
        let shared = &*self.shared;
        let writer = shared.writer.lock();
        shared.writable()?;
        let documents = shared.documents();
        if documents.are_fresh() {
            return Ok(());
        }
        // An adoption writes within a generation, so a generation may be written anew twice.
        let used = rewrite::current(&shared.path)?.map_or(0, |(number, _)| number + 1);
        let number = writer.generation.max(used);
        let Some(copied) = documents.copied(&shared.path, number, &self.stop)? else {
            return Ok(());
        };
        let unpublished = Unpublished(shared);
        let new = Documents::take_place(&copied, &shared.path)
            .inspect_err(|error| shared.poison(&error.to_string()))?;
        drop(documents);
        let place = new.path().to_owned();
        let old = std::mem::replace(&mut *shared.documents.write(), Arc::new(new));
        drop(unpublished);
        drop(writer);
        fault::reach(Point::RewriteUsed)?;
        // Where a reader still has the old trees, the next open removes them.
        if let Some(old) = Arc::into_inner(old) {
            drop(old);
            rewrite::remove_others(&shared.path, &place)?;
            fault::reach(Point::RewriteOldRemoved)?;
        }
        Ok(())
    }

    /// Puts growing rows into their graph, if they are worth one; whether there is more to look at. A waiting job goes
    /// first: it may be to seal them.
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

    /// Makes one segment of some that are next to each other and of the first growing rows, which come after them.
    ///
    /// Where the first segment is kept whole, its codes and graph are extended; otherwise both are new. Removed rows are left
    /// out, but for those of a segment that is kept whole.
    fn merge(
        &self,
        snapshot: &Snapshot,
        replaced: Range<usize>,
        growing: usize,
        rebuild: bool,
    ) -> Result<()> {
        let shared = &*self.shared;
        shared.writable()?;
        let (old, removed) = (&snapshot.segments[replaced.clone()], &*snapshot.removed);
        for segment in old {
            segment.is_sound()?;
        }
        let growing_rows = || {
            let rows = snapshot.growing.iter_from(0).take(growing);
            rows.map(|(row, vector)| (row, Cow::Borrowed(vector)))
        };
        let vectors_after = |at: usize| {
            let sealed = old.iter().skip(at).flat_map(|segment| segment.stream());
            sealed.chain(growing_rows()).map(|(_, vector)| vector)
        };
        let extended = old.first().filter(|first| {
            let few_removed = snapshot.removed_in(first) * EXTEND < first.ids().len();
            !rebuild && few_removed && first.codes().1.suits(vectors_after(1))
        });
        let whole = extended.map_or(0, |first| first.ids().len());
        let rows = || {
            let sealed = old.iter().flat_map(|segment| segment.stream());
            let all = sealed.chain(growing_rows());
            all.enumerate().filter(|&(at, (row, _))| at < whole || !removed.contains(row)).map(|(_, row)| row)
        };
        let ids: Vec<u64> = rows().map(|(row, _)| row).collect();
        if ids.is_empty() {
            return self.adopt(snapshot, replaced, growing, None, &ids);
        }
        let profile = &shared.profile;
        let Profile { metric, dimension, precision, .. } = *profile;
        let stride = codes::stride(dimension);
        let mut codes: Vec<i8> = Vec::with_capacity(ids.len() * stride);
        let scale = match extended {
            Some(first) => {
                let (present, scale) = first.codes();
                codes.extend_from_slice(present.codes);
                scale
            }
            None => Scale::fit(rows().map(|(_, vector)| vector), ids.len(), dimension),
        };
        rows().skip(whole).for_each(|(_, vector)| scale.encode(&vector, &mut codes));
        let codes = Codes { codes: &codes, stride };
        let StoreOptions { m, ef_construction, index_threads, .. } = shared.options;
        let options =
            BuildOptions { m, ef: ef_construction, threads: index_threads, busy: &shared.building.searched };
        shared.building.start(ids.len());
        let before = extended.map(|first| first.graph());
        let graph = graph::build::build(metric, codes, before, options, &shared.building.done, &self.stop);
        shared.building.start(0);
        let Some(graph) = graph else { return Ok(()) };

        let number = shared.writer.lock().next_segment;
        let vectors = rows().map(|(_, vector)| vector);
        let content =
            SegmentRows { metric, dimension, precision, ids: &ids, vectors, scale, codes, graph: &graph };
        let folder = &shared.segments_folder;
        segment::write(folder, number, content).inspect_err(|_| {
            // Makes room on a full disk; opening would remove it too.
            let _ = std::fs::remove_file(segment::file(folder, number).with_extension("tmp"));
        })?;
        let segment = Segment::open(folder, number, dimension, metric)?;
        fault::reach(Point::SegmentOpened)?;
        self.adopt(snapshot, replaced, growing, Some(segment), &ids)
    }

    /// From here on the segment is part of the database, in the place of those it was made of.
    fn adopt(
        &self,
        from: &Snapshot,
        replaced: Range<usize>,
        growing: usize,
        segment: Option<Segment>,
        ids: &[u64],
    ) -> Result<()> {
        let shared = &*self.shared;
        let mut writer = shared.writer.lock();
        shared.writable()?;
        let before = shared.current();
        let mut manifest = writer.clone();
        let entry =
            segment.as_ref().map(|segment| SegmentEntry { number: segment.number, rows: ids.len() as u32 });
        if let Some(entry) = &entry {
            manifest.next_segment = entry.number + 1;
        }
        manifest.segments.splice(replaced.clone(), entry);
        let mut writes = Writes::default();
        let mut left_out = RoaringTreemap::new();
        for &row in from.segments[replaced.clone()].iter().flat_map(|segment| segment.ids()) {
            if ids.binary_search(&row).is_err() {
                writes.forget_removed(row);
                left_out.insert(row);
            }
        }
        for (row, _) in from.growing.iter_from(0).take(growing) {
            match (ids.binary_search(&row).is_ok(), before.removed.contains(row)) {
                (true, false) => writes.sealed(row),
                // Removed since the segment was begun.
                (true, true) => writes.mark_removed(row),
                (false, _) => _ = left_out.insert(row),
            }
        }
        for segment in &before.segments[replaced.clone()] {
            writes.forget_segment(segment.number);
        }
        if let Some(segment) = &segment {
            writes.segment(segment.number, segment.checksum());
        }
        writes.manifest(&manifest);
        let unpublished = shared.write(&writes)?;
        let mut snapshot = (*before).clone();
        snapshot.growing = before.growing.without_first(growing);
        let old: Vec<_> = snapshot.segments.splice(replaced, segment.map(Arc::new)).collect();
        if !left_out.is_empty() {
            *Arc::make_mut(&mut snapshot.removed) -= left_out;
        }
        shared.publish(snapshot);
        *writer = manifest;
        drop(unpublished);
        shared.notify();
        fault::reach(Point::AdoptionPublished)?;
        // Before the next one has the lock: a check would take these files for damage.
        for segment in old {
            // Searches that began before still read it: the name goes now, the bytes when they are done. Where the
            // system does not allow that, the next open removes it.
            let _ = std::fs::remove_file(segment.path());
            fault::reach(Point::OldSegmentRemoved)?;
        }
        Ok(())
    }
}

/// From which segment on merging with the growing rows is worth it: each row is copied a few times in its life, and
/// there are few segments to search. (O'Neil et al. 1996, "The log-structured merge-tree".)
fn worth_merging(snapshot: &Snapshot) -> usize {
    let mut rows = snapshot.growing.rows();
    let mut at = snapshot.segments.len();
    while at > 0 && snapshot.segments[at - 1].ids().len() <= MERGE * rows {
        at -= 1;
        rows += snapshot.segments[at].ids().len();
    }
    at
}

/// A segment many of whose rows are removed.
fn wasteful(snapshot: &Snapshot) -> Option<usize> {
    snapshot.segments.iter().position(|segment| snapshot.removed_in(segment) * WASTEFUL > segment.ids().len())
}
