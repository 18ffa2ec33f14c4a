//! Time to add 1,000 rows to databases of several sizes.
//!
//!     cargo bench --bench increment -- --database DIR,DIR,... [--rounds N]
//!
//! The databases must exist, as `search --database` leaves them, and are restored to their old
//! content. Each round goes through all of them in turn, so that other load on the machine affects
//! all alike. Prints one JSON line per database, with medians and their ratios to the first:
//! seconds for one batch, for a commit per row, and to open and commit once.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod harness;
mod rows;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use harness::{median, timed};
use postil_storage::{Batch, DocumentWrite, Store, StoreOptions};
use rows::{document, noise};
use serde_json::json;

/// Number of rows added at a time.
const ADDED: usize = 1_000;

#[derive(Parser)]
struct Args {
    /// Databases to compare with the first one
    #[arg(long, value_delimiter = ',', required = true)]
    database: Vec<PathBuf>,
    /// Number of times each database is measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Times in seconds, one entry per round.
#[derive(Default)]
struct Measured {
    one_batch: Vec<f64>,
    single_commits: Vec<f64>,
    removal: Vec<f64>,
}

fn main() {
    let args: Args = harness::args();
    let open = |path: &PathBuf| {
        timed(|| {
            let store = Store::open(path, StoreOptions::default()).unwrap();
            let mut batch = Batch::new();
            batch.upsert(row(&store, "first".to_owned(), 0));
            store.commit(batch).unwrap();
            store
        })
    };
    let opened: Vec<(Store, f64)> = args.database.iter().map(open).collect();
    let mut measured: Vec<Measured> = opened.iter().map(|_| Measured::default()).collect();
    for round in 0..args.rounds {
        for ((store, _), measured) in opened.iter().zip(&mut measured) {
            let seconds = timed(|| {
                let mut batch = Batch::new();
                (0..ADDED).for_each(|at| batch.upsert(row(store, format!("{round} together {at}"), at)));
                store.commit(batch).unwrap();
            });
            measured.one_batch.push(seconds.1);
            settle(store);
            let seconds = timed(|| {
                for at in 0..ADDED {
                    let mut batch = Batch::new();
                    batch.upsert(row(store, format!("{round} alone {at}"), ADDED + at));
                    store.commit(batch).unwrap();
                }
            });
            measured.single_commits.push(seconds.1);
            settle(store);
            let seconds = timed(|| {
                let mut batch = Batch::new();
                for way in ["together", "alone"] {
                    (0..ADDED).for_each(|at| batch.remove(format!("{round} {way} {at}")));
                }
                store.commit(batch).unwrap();
            });
            measured.removal.push(seconds.1);
        }
    }
    let mut first: Option<[f64; 4]> = None;
    for ((store, open), measured) in opened.into_iter().zip(measured) {
        let mut batch = Batch::new();
        batch.remove("first");
        store.commit(batch).unwrap();
        let values =
            [median(measured.one_batch), median(measured.single_commits), median(measured.removal), open];
        let ratios: Vec<f64> = values
            .iter()
            .zip(first.get_or_insert(values))
            .map(|(value, of_first)| value / *of_first)
            .collect();
        harness::print(&json!({
            "bench": "increment", "rows": store.stat().unwrap().passages, "added": ADDED,
            "rounds": args.rounds, "one_batch_s": values[0], "single_commits_s": values[1],
            "removal_of_both_s": values[2], "open_and_first_commit_s": values[3], "ratios": ratios,
        }));
    }
}

/// Waits until the rows in memory are indexed; otherwise indexing would overlap with the next
/// measurement.
fn settle(store: &Store) {
    const SCANNED: usize = 1_024;
    while let stat = store.stat().unwrap()
        && stat.growing_rows >= SCANNED
        && stat.indexed_rows < stat.growing_rows
    {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A row with a random vector: the cost of a commit does not depend on the vector's direction.
fn row(store: &Store, key: String, seed: usize) -> DocumentWrite {
    document(key, &noise((seed as u64) << 16, store.profile().dimension))
}
