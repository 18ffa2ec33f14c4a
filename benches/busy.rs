//! Search latency while the database works, measured through the public API of a database on disk,
//! keys and texts included.
//!
//!     cargo bench --bench busy -- [--vectors DIR] [--readers N] [--threads N] [--seconds S]
//!
//! Prints one JSON line per state: at rest with growing rows, with one segment, and at the end;
//! while rows are ingested, sealed, merged and, some of them removed, compacted. `p99_ratio` is
//! relative to the latency at rest before. Recall counts only the rows that were committed when the
//! search began.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod harness;
mod rows;
mod vectors;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use harness::process::processor_seconds;
use harness::{percentile, timed};
use postil::{Database, Metric, SearchOptions};
use postil_storage::{Batch, StoreOptions};
use rows::document;
use serde_json::json;
use vectors::Vectors;

/// Rows per commit.
const BATCH: usize = 256;
/// Neighbors that recall is measured at.
const K: usize = 10;
/// One row in this many is removed before the compaction.
const REMOVED: usize = 50;

#[derive(Parser)]
struct Args {
    /// Folder of the vectors; by default, the shared ones
    #[arg(long)]
    vectors: Option<PathBuf>,
    /// Number of threads that search at once
    #[arg(long, default_value_t = 1)]
    readers: usize,
    /// Number of threads that build segments; by default, the machine's cores
    #[arg(long)]
    threads: Option<usize>,
    /// Time for which the database is searched at rest, in seconds
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

fn main() {
    let args: Args = harness::args();
    let vectors = Vectors::read(args.vectors.as_deref(), K);
    let home = tempfile::tempdir().unwrap();
    let defaults = StoreOptions::default();
    let store = StoreOptions { index_threads: args.threads.unwrap_or(defaults.index_threads), ..defaults };
    let options = Database::options().vectors(vectors.dimension, Metric::Cosine).store(store.clone());
    let busy = Busy {
        db: options.open(home.path().join("busy.postil")).unwrap(),
        store,
        vectors,
        args,
        committed: AtomicUsize::new(0),
    };
    busy.run();
}

struct Busy {
    db: Database,
    store: StoreOptions,
    vectors: Vectors,
    args: Args,
    /// Number of committed rows, counted from the first; none of them is removed.
    committed: AtomicUsize,
}

impl Busy {
    fn run(&self) {
        let (all, seal_rows) = (self.vectors.base.len(), self.store.seal_rows);
        let store = self.db.store();
        // One row more would make the next commit seal them.
        self.ingest(0..all.min(seal_rows - 1));
        while store.stat().unwrap().indexed_rows < store.stat().unwrap().growing_rows {
            std::thread::sleep(Duration::from_millis(50));
        }
        let rest = || std::thread::sleep(Duration::from_secs_f64(self.args.seconds));
        let growing = self.measure("at rest, growing", None, rest);
        self.measure("sealing", Some(growing), || store.seal().unwrap());
        let sealed = self.measure("at rest, sealed", None, rest);
        let most = all.min(self.committed() + seal_rows - 1);
        self.measure("ingesting", Some(sealed), || self.ingest(self.committed()..most));
        self.measure("merging", Some(sealed), || store.seal().unwrap());
        self.measure("ingesting, sealing and merging", Some(sealed), || {
            self.ingest(self.committed()..all);
            store.seal().unwrap();
        });
        let whole = self.measure("at rest, one segment", None, rest);
        let kept = all - all / REMOVED;
        self.committed.store(kept, Ordering::Release);
        let mut removals = Batch::new();
        (kept..all).for_each(|row| removals.remove(row.to_string()));
        store.commit(removals).unwrap();
        self.measure("compacting", Some(whole), || store.compact().unwrap());
        self.measure("at rest, compacted", None, rest);
    }

    fn committed(&self) -> usize {
        self.committed.load(Ordering::Acquire)
    }

    fn ingest(&self, rows: Range<usize>) {
        for from in rows.clone().step_by(BATCH) {
            let to = rows.end.min(from + BATCH);
            let mut batch = Batch::new();
            let vectors = self.vectors.base[from..to].iter().zip(from..);
            vectors.for_each(|(vector, row)| batch.upsert(document(row.to_string(), vector)));
            self.db.store().commit(batch).unwrap();
            self.committed.store(to, Ordering::Release);
        }
    }

    /// Searches until the work is done; returns the 99th percentile of the latencies, in
    /// milliseconds.
    fn measure(&self, state: &str, rest_p99_ms: Option<f64>, work: impl FnOnce()) -> f64 {
        let (done, start, processor) = (AtomicBool::new(false), Instant::now(), processor_seconds());
        let (measured, seconds) = std::thread::scope(|scope| {
            let readers: Vec<_> = (0..self.args.readers.max(1))
                .map(|reader| {
                    scope.spawn({
                        let done = &done;
                        move || self.search(reader * 101, done)
                    })
                })
                .collect();
            work();
            done.store(true, Ordering::Release);
            let seconds = start.elapsed().as_secs_f64();
            (readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>(), seconds)
        });
        let mut latencies_ms: Vec<f64> =
            measured.iter().flat_map(|searched| &searched.latencies_ms).copied().collect();
        latencies_ms.sort_by(f64::total_cmp);
        let percentile = |per_mille| percentile(&latencies_ms, per_mille);
        let sum = |of: fn(&Searched) -> usize| measured.iter().map(of).sum::<usize>() as f64;
        let stat = self.db.stat().unwrap();
        harness::print(&json!({
            "bench": "busy", "state": state, "dimension": self.vectors.dimension, "rows": stat.passages,
            "segments": stat.segments, "growing_rows": stat.growing_rows, "readers": self.args.readers,
            "index_threads": self.store.index_threads, "seconds": seconds,
            "processor_s": processor_seconds() - processor, "searches": latencies_ms.len(),
            "recall": sum(|searched| searched.found) / sum(|searched| searched.sought),
            "p50_ms": percentile(500), "p99_ms": percentile(990), "p999_ms": percentile(999),
            "max_ms": percentile(1000), "p99_ratio": rest_p99_ms.map(|rest| percentile(990) / rest),
        }));
        percentile(990)
    }

    fn search(&self, first: usize, done: &AtomicBool) -> Searched {
        let (options, queries) = (SearchOptions::new(K), &self.vectors.queries);
        let mut searched = Searched::default();
        for at in (first..).map(|at| at % queries.len()) {
            if done.load(Ordering::Acquire) {
                break;
            }
            let nearest =
                |rows: usize| self.vectors.nearest[at].iter().filter(move |&&row| row < rows).take(K);
            let before = self.committed();
            let (hits, seconds) = timed(|| self.db.search_vector(&queries[at], &options).unwrap());
            searched.latencies_ms.push(seconds * 1e3);
            // Rows committed during the search may have displaced older ones.
            let mut missed: Vec<usize> = nearest(before).copied().collect();
            searched.sought += missed.len();
            missed.retain(|row| !hits.iter().any(|hit| hit.key == row.to_string()));
            let newer = nearest(self.committed() + BATCH).filter(|&&row| row >= before);
            searched.found += nearest(before).count() - missed.len().saturating_sub(newer.count());
        }
        searched
    }
}

#[derive(Default)]
struct Searched {
    latencies_ms: Vec<f64>,
    /// Number of the nearest rows that were found.
    found: usize,
    sought: usize,
}
