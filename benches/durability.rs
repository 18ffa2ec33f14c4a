//! Cost of making documents durable before a commit returns.
//!
//!     cargo bench --bench durability [-- --seconds S] [--folder DIR]
//!
//! Prints one JSON line: documents a second with a commit for each, with a commit for 100, and with
//! 8 threads that each commit one at a time. A document is a vector of 384 components and a
//! sentence. The disk decides the result: `--folder` selects the one to measure.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod harness;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use postil_storage::{Batch, DocumentWrite, Metric, Profile, Store, StoreOptions};
use rows::{noise, with_text};
use serde_json::json;

const DIMENSION: usize = 384;
const WRITERS: u64 = 8;

#[derive(Parser)]
struct Args {
    /// Time for which each way is measured, in seconds
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Folder for the databases; by default, the system's folder of temporary files
    #[arg(long)]
    folder: Option<PathBuf>,
}

fn main() {
    let args: Args = harness::args();
    let home = args.folder.as_ref().map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
    let home = home.path();
    harness::print(&json!({
        "bench": "durability", "dimension": DIMENSION, "seconds": args.seconds,
        "fsyncs_s": fsyncs(home, args.seconds),
        "commit_per_document_s": measure(home, args.seconds, 1, 1),
        "commit_per_100_s": measure(home, args.seconds, 1, 100),
        "writers": WRITERS, "commit_per_document_by_writers_s": measure(home, args.seconds, WRITERS, 1),
    }));
}

/// Number of documents committed per second.
fn measure(home: &Path, seconds: f64, writers: u64, per_commit: u64) -> f64 {
    let path = home.join(format!("{writers} {per_commit}.postil"));
    let store =
        Store::create(path, Profile::new(DIMENSION, Metric::Cosine), StoreOptions::default()).unwrap();
    let (next, start) = (AtomicU64::new(0), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                while start.elapsed() < Duration::from_secs_f64(seconds) {
                    let first = next.fetch_add(per_commit, Ordering::Relaxed);
                    let mut batch = Batch::new();
                    (first..first + per_commit).for_each(|number| batch.upsert(document(number)));
                    store.commit(batch).unwrap();
                }
            });
        }
    });
    let elapsed = start.elapsed().as_secs_f64();
    store.stat().unwrap().documents as f64 / elapsed
}

/// The disk's limit: appends of a document's size per second, each synced.
fn fsyncs(home: &Path, seconds: f64) -> f64 {
    use std::io::Write;
    let mut file = std::fs::File::create(home.join("appended")).unwrap();
    let (mut done, start) = (0u32, Instant::now());
    while start.elapsed() < Duration::from_secs_f64(seconds) {
        file.write_all(&[7; 4 * DIMENSION + 200]).unwrap();
        file.sync_data().unwrap();
        done += 1;
    }
    f64::from(done) / start.elapsed().as_secs_f64()
}

fn document(number: u64) -> DocumentWrite {
    let text =
        format!("Document {number} says in one sentence of usual length what there is to say about it.");
    with_text(number.to_string(), noise(number << 10, DIMENSION), text)
}
