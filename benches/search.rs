//! Queries per second and recall, through the public API of a database on disk, keys and texts
//! included.
//!
//!     cargo bench --bench search -- --vectors DIR [--threads N] [--recall .9,.95] [--ef 32,64] [--asked N] \
//!         [--database DIR] [--half]
//!
//! DIR holds base and query vectors, `.f16.npy` or `.f32.npy`; gt.i32.npy, the exact nearest rows,
//! optional; and meta.json with the `metric`: cosine, dot or l2. A hit is right when it is as near
//! as the last of the exact nearest rows. Prints one JSON line per setting: after the last commit,
//! with sealing still under way, and after compaction, reopened; `build_bytes` is the peak of
//! anonymous memory while building. `--database` keeps the database; one that exists already is
//! only opened and measured.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod harness;
mod rows;
mod vectors;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use clap::Parser;
use harness::process::{anonymous_bytes, resident_bytes};
use harness::{percentile, timed};
use postil::{Database, Effort, Precision, SearchOptions, StoreOptions};
use postil_storage::Batch;
use rows::document;
use serde_json::json;
use vectors::Vectors;

/// Rows per commit while building.
const BATCH: usize = 2048;
/// Neighbors that recall is measured at.
const K: usize = 10;

#[derive(Parser)]
struct Args {
    /// Folder of the vectors; by default, the shared ones
    #[arg(long)]
    vectors: Option<PathBuf>,
    /// Number of threads that search at once
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Recall targets to try besides the default
    #[arg(long, value_delimiter = ',')]
    recall: Vec<f32>,
    /// Numbers of candidates to try besides the default
    #[arg(long, value_delimiter = ',')]
    ef: Vec<usize>,
    /// Folder that keeps the database; by default, a temporary one
    #[arg(long)]
    database: Option<PathBuf>,
    /// Store vectors with 16 bits per component
    #[arg(long)]
    half: bool,
    /// Number of queries, from the first, asked before compaction, so that its segment is measured
    /// with them; this benchmark measures with the others
    #[arg(long, default_value_t = 0)]
    asked: usize,
    /// Number of times each setting is measured
    #[arg(long, default_value_t = 1)]
    repeats: usize,
}

fn main() {
    let args: Args = harness::args();
    let vectors = Vectors::read(args.vectors.as_deref(), K);
    let truth = vectors.least_scores(K);
    let Vectors { base, dimension, queries, metric, .. } = vectors;

    let home = tempfile::tempdir().unwrap();
    let path = args.database.clone().unwrap_or_else(|| home.path().join("search.postil"));
    let precision = if args.half { Precision::Half } else { Precision::Full };
    let store = StoreOptions { remembered_queries: args.asked, ..StoreOptions::default() };
    let options = || Database::options().vectors(dimension, metric).precision(precision).store(store.clone());
    let (asked, queries) = queries.split_at(args.asked.min(queries.len()));
    let truth = &truth[asked.len()..];
    let open = || options().open(&path).unwrap();
    let mut build = json!({ "committed_s": null, "build_s": null, "build_bytes": null, "open_ms": null });
    if !path.exists() {
        let memory = Memory::watch();
        let start = Instant::now();
        let db = open();
        for (number, rows) in base.chunks(BATCH).enumerate() {
            let mut batch = Batch::new();
            rows.iter()
                .enumerate()
                .for_each(|(i, row)| batch.upsert(document((number * BATCH + i).to_string(), row)));
            db.store().commit(batch).unwrap();
        }
        build["committed_s"] = json!(start.elapsed().as_secs_f64());
        if args.database.is_none() {
            measure(&db, &args, queries, truth, "committed", &build);
        }
        for query in asked {
            db.search_vector(query, &SearchOptions::new(K)).unwrap();
        }
        let committed_s = build["committed_s"].as_f64().unwrap();
        let ((), compact_s) = timed(|| db.store().compact().unwrap());
        build["build_s"] = json!(committed_s + compact_s);
        db.close().unwrap();
        build["build_bytes"] = json!(memory.most());
    }
    drop(base);
    let start = Instant::now();
    let db = open();
    db.search_vector(&queries[0], &SearchOptions::new(K)).unwrap();
    build["open_ms"] = json!(start.elapsed().as_secs_f64() * 1e3);
    measure(&db, &args, queries, truth, "compacted", &build);
}

fn measure(
    db: &Database,
    args: &Args,
    queries: &[Vec<f32>],
    truth: &[f64],
    state: &str,
    build: &serde_json::Value,
) {
    let recalls = args.recall.iter().map(|&recall| SearchOptions::new(K).recall(recall));
    let widths = args.ef.iter().map(|&ef| SearchOptions::new(K).ef(ef));
    let exact = (args.database.is_none()).then(|| SearchOptions::new(K).exact());
    let settings = [SearchOptions::new(K)].into_iter().chain(recalls).chain(widths).chain(exact);
    let settings = settings.flat_map(|options| std::iter::repeat_n(options, args.repeats.max(1)));
    for options in settings {
        let share = queries.len().div_ceil(args.threads.max(1));
        let start = Instant::now();
        let (found, mut latencies_ms) = std::thread::scope(|scope| {
            let workers: Vec<_> = queries
                .chunks(share)
                .zip(truth.chunks(share))
                .map(|(queries, truth)| scope.spawn(|| search(db, queries, truth, &options)))
                .collect();
            let done = workers.into_iter().map(|worker| worker.join().unwrap());
            done.fold((0, Vec::new()), |(found, mut all), (more, latencies)| {
                all.extend(latencies);
                (found + more, all)
            })
        });
        let elapsed = start.elapsed().as_secs_f64();
        latencies_ms.sort_by(f64::total_cmp);
        let mut line = json!({
            "state": state, "rows": db.stat().unwrap().passages, "dimension": db.profile().dimension,
            "segments": db.stat().unwrap().segments, "threads": args.threads, "exact": options.exact,
            "effort": effort(&options), "recall": found as f64 / (queries.len() * K) as f64,
            "qps": queries.len() as f64 / elapsed, "rows_qps": rows_qps(db, queries, &options),
            "p50_ms": percentile(&latencies_ms, 500), "p99_ms": percentile(&latencies_ms, 990),
            "resident_bytes": resident_bytes(), "disk_bytes": db.stat().unwrap().disk_bytes,
        });
        line.as_object_mut().unwrap().extend(build.as_object().unwrap().clone());
        harness::print(&line);
    }
}

fn effort(options: &SearchOptions) -> serde_json::Value {
    match options.effort {
        Effort::Recall(recall) => json!({ "recall": recall }),
        Effort::Candidates(candidates) => json!({ "ef": candidates }),
    }
}

/// Queries per second on one thread without reading documents, as for an index of rows alone.
fn rows_qps(db: &Database, queries: &[Vec<f32>], options: &SearchOptions) -> f64 {
    let search = |query: &Vec<f32>| {
        std::hint::black_box(db.store().search_rows(query, options).unwrap());
    };
    let ((), seconds) = timed(|| queries.iter().for_each(search));
    queries.len() as f64 / seconds
}

fn search(db: &Database, queries: &[Vec<f32>], truth: &[f64], options: &SearchOptions) -> (usize, Vec<f64>) {
    let mut found = 0;
    let mut latencies_ms = Vec::with_capacity(queries.len());
    for (query, truth) in queries.iter().zip(truth) {
        let (hits, seconds) = timed(|| db.search_vector(query, options).unwrap());
        latencies_ms.push(seconds * 1e3);
        // Scores have single precision.
        found += hits.iter().filter(|hit| f64::from(hit.score) >= truth - truth.abs() * 1e-5 - 1e-6).count();
    }
    (found, latencies_ms)
}

/// Samples the process's anonymous memory every few milliseconds.
struct Memory {
    before: Option<u64>,
    done: Arc<AtomicBool>,
    looking: JoinHandle<Option<u64>>,
}

impl Memory {
    fn watch() -> Self {
        let (before, done) = (anonymous_bytes(), Arc::new(AtomicBool::new(false)));
        let end = Arc::clone(&done);
        let looking = std::thread::spawn(move || {
            let mut most = None;
            while !end.load(Ordering::Relaxed) {
                most = most.max(anonymous_bytes());
                std::thread::sleep(Duration::from_millis(5));
            }
            most
        });
        Self { before, done, looking }
    }

    /// Peak anonymous memory above the amount at the start, in bytes; `None` where the system does
    /// not report it.
    fn most(self) -> Option<u64> {
        self.done.store(true, Ordering::Relaxed);
        Some(self.looking.join().unwrap()?.saturating_sub(self.before?))
    }
}
