//! Queries a second against recall, through the public API of a database on disk.
//!
//!     cargo bench --bench search -- --vectors DIR [--threads N] [--ef 32,64,128] [--rows N]
//!
//! DIR holds meta.json, base.f16.npy, query.f16.npy and gt.i32.npy (exact nearest rows by dot product).
//! Prints one JSON line per setting: for the database as it is after the last commit, with sealing still
//! under way; reopened; and with every row in one segment.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark prints and stops at the first failure"
)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use npyz::NpyFile;
use postil::{Database, Metadata, Metric, Row, SearchOptions};
use serde_json::json;

/// Rows per commit while building.
const BATCH: usize = 2048;
/// Neighbors that recall is measured at.
const K: usize = 10;

#[derive(Parser)]
struct Args {
    /// Folder of the vectors; the shared ones if not given
    #[arg(long)]
    vectors: Option<PathBuf>,
    /// Threads that search at once
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Values of ef_search to try besides the default
    #[arg(long, value_delimiter = ',')]
    ef: Vec<usize>,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let args = Args::parse();
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/vectors");
    let folder = args.vectors.clone().unwrap_or(shared);
    let (base, dimension) = vectors(&folder.join("base.f16.npy"));
    let (queries, _) = vectors(&folder.join("query.f16.npy"));
    let truth = ground_truth(&folder.join("gt.i32.npy"));

    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("search.postil");
    let open = || Database::options().vectors(dimension, Metric::Cosine).open(&path).unwrap();
    let start = Instant::now();
    let db = open();
    for (batch, rows) in base.chunks(BATCH).enumerate() {
        let rows = rows.iter().enumerate().map(|(i, vector)| Row {
            key: (batch * BATCH + i).to_string(),
            vector: vector.clone(),
            metadata: Metadata::new(),
        });
        db.upsert(rows).unwrap();
    }
    let mut build = json!({ "committed_s": start.elapsed().as_secs_f64(), "build_s": null, "open_ms": null });
    measure(&db, &args, &queries, &truth, "committed", &build);
    let start = Instant::now();
    db.close().unwrap();
    let sealing_s = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let db = open();
    build["open_ms"] = json!(start.elapsed().as_secs_f64() * 1e3);
    measure(&db, &args, &queries, &truth, "reopened", &build);
    let start = Instant::now();
    db.store().compact().unwrap();
    let build_s = build["committed_s"].as_f64().unwrap() + sealing_s + start.elapsed().as_secs_f64();
    build["build_s"] = json!(build_s);
    measure(&db, &args, &queries, &truth, "compacted", &build);
}

fn measure(
    db: &Database,
    args: &Args,
    queries: &[Vec<f32>],
    truth: &[HashSet<String>],
    state: &str,
    build: &serde_json::Value,
) {
    let settings = [SearchOptions::new(K).ef].into_iter().chain(args.ef.iter().copied());
    let exact = SearchOptions::new(K).exact();
    let settings = settings.map(|ef| SearchOptions::new(K).ef(ef)).chain(std::iter::once(exact));
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
        let percentile = |p: usize| latencies_ms[(latencies_ms.len() - 1) * p / 100];
        let mut line = json!({
            "state": state, "rows": db.stat().unwrap().passages, "dimension": db.profile().dimension,
            "segments": db.stat().unwrap().segments, "threads": args.threads, "exact": options.exact, "ef": options.ef,
            "recall": found as f64 / (queries.len() * K) as f64,
            "qps": queries.len() as f64 / elapsed, "p50_ms": percentile(50), "p99_ms": percentile(99),
            "resident_bytes": resident_bytes(), "disk_bytes": db.stat().unwrap().disk_bytes,
        });
        line.as_object_mut().unwrap().extend(build.as_object().unwrap().clone());
        println!("{line}");
    }
}

fn search(
    db: &Database,
    queries: &[Vec<f32>],
    truth: &[HashSet<String>],
    options: &SearchOptions,
) -> (usize, Vec<f64>) {
    let mut found = 0;
    let mut latencies_ms = Vec::with_capacity(queries.len());
    for (query, truth) in queries.iter().zip(truth) {
        let start = Instant::now();
        let hits = db.search_vector(query, options).unwrap();
        latencies_ms.push(start.elapsed().as_secs_f64() * 1e3);
        found += hits.iter().filter(|hit| truth.contains(&hit.key)).count();
    }
    (found, latencies_ms)
}

fn vectors(path: &Path) -> (Vec<Vec<f32>>, usize) {
    let file = NpyFile::new(std::io::BufReader::new(std::fs::File::open(path).unwrap())).unwrap();
    let dimension = file.shape()[1] as usize;
    let values: Vec<f32> = file.into_vec::<half::f16>().unwrap().into_iter().map(f32::from).collect();
    (values.chunks_exact(dimension).map(<[f32]>::to_vec).collect(), dimension)
}

/// The keys of the K nearest rows of each query.
fn ground_truth(path: &Path) -> Vec<HashSet<String>> {
    let file = NpyFile::new(std::io::BufReader::new(std::fs::File::open(path).unwrap())).unwrap();
    let width = file.shape()[1] as usize;
    let rows = file.into_vec::<i32>().unwrap();
    rows.chunks_exact(width).map(|row| row[..K].iter().map(ToString::to_string).collect()).collect()
}

/// Resident set of this process, where the system tells.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}
