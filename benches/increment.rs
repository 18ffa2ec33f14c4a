//! What it takes to add 1,000 rows to databases of several sizes.
//!
//!     cargo bench --bench increment -- --database DIR,DIR,... [--rounds N]
//!
//! The databases are there already, as `search --database` leaves them, and get back what they had. Rounds go through
//! all of them in turn, so that what else the machine does meets each alike. Prints one JSON line per database, with
//! medians and their ratios to the first: seconds for one batch, for a commit per row, and to open and commit once.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark prints and stops at the first failure"
)]

mod rows;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use postil_storage::{Batch, DocumentWrite, Store, StoreOptions};
use rows::document;
use serde_json::json;

/// Rows that are added at a time.
const ADDED: usize = 1_000;

#[derive(Parser)]
struct Args {
    /// Databases to compare with the first of them
    #[arg(long, value_delimiter = ',', required = true)]
    database: Vec<PathBuf>,
    /// How often each is measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// Seconds, an entry per round.
#[derive(Default)]
struct Measured {
    one_batch: Vec<f64>,
    single_commits: Vec<f64>,
    removal: Vec<f64>,
}

fn main() {
    let args = Args::parse();
    let open = |path: &PathBuf| {
        let start = Instant::now();
        let store = Store::open(path, StoreOptions::default()).unwrap();
        let mut batch = Batch::new();
        batch.upsert(row(&store, "first".to_owned(), 0));
        store.commit(batch).unwrap();
        (store, start.elapsed().as_secs_f64())
    };
    let opened: Vec<(Store, f64)> = args.database.iter().map(open).collect();
    let mut measured: Vec<Measured> = opened.iter().map(|_| Measured::default()).collect();
    for round in 0..args.rounds {
        for ((store, _), measured) in opened.iter().zip(&mut measured) {
            measured.one_batch.push(seconds(|| {
                let mut batch = Batch::new();
                (0..ADDED).for_each(|at| batch.upsert(row(store, format!("{round} together {at}"), at)));
                store.commit(batch).unwrap();
            }));
            settle(store);
            measured.single_commits.push(seconds(|| {
                for at in 0..ADDED {
                    let mut batch = Batch::new();
                    batch.upsert(row(store, format!("{round} alone {at}"), ADDED + at));
                    store.commit(batch).unwrap();
                }
            }));
            settle(store);
            measured.removal.push(seconds(|| {
                let mut batch = Batch::new();
                for way in ["together", "alone"] {
                    (0..ADDED).for_each(|at| batch.remove(format!("{round} {way} {at}")));
                }
                store.commit(batch).unwrap();
            }));
        }
    }
    let mut first: Option<[f64; 4]> = None;
    for ((store, open), mut measured) in opened.into_iter().zip(measured) {
        let mut batch = Batch::new();
        batch.remove("first");
        store.commit(batch).unwrap();
        let values = [
            median(&mut measured.one_batch),
            median(&mut measured.single_commits),
            median(&mut measured.removal),
            open,
        ];
        let ratios: Vec<f64> = values
            .iter()
            .zip(first.get_or_insert(values))
            .map(|(value, of_first)| value / *of_first)
            .collect();
        println!(
            "{}",
            json!({
                "bench": "increment", "rows": store.stat().unwrap().passages, "added": ADDED, "rounds": args.rounds,
                "one_batch_s": values[0], "single_commits_s": values[1], "removal_of_both_s": values[2],
                "open_and_first_commit_s": values[3], "ratios": ratios,
            })
        );
    }
}

/// Waits until the rows in memory are indexed, which goes on beside what is measured next otherwise.
fn settle(store: &Store) {
    const SCANNED: usize = 1_024;
    while let stat = store.stat().unwrap()
        && stat.growing_rows >= SCANNED
        && stat.indexed_rows < stat.growing_rows
    {
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A row of noise: what it costs to commit does not depend on where its vector points.
fn row(store: &Store, key: String, seed: usize) -> DocumentWrite {
    let component = |i: usize| ((seed << 16 | i) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let dimension = store.profile().dimension;
    let vector: Vec<f32> =
        (0..dimension).map(|i| (component(i) >> 40) as f32 / (1 << 23) as f32 - 1.0).collect();
    document(key, &vector)
}
