//! Search against a full scan, with filters, removals, sealing and reopening; and nothing on
//! standard output.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use postil_storage::{
    Batch, DocumentWrite, Filter, Metadata, Metric, Profile, SearchOptions, Store, StoreOptions, Value,
};
use std::collections::HashSet;
use std::path::Path;

const DIMENSION: usize = 16;

/// Returns points around 64 centres, from a fixed seed.
fn points(n: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let centres: Vec<Vec<f32>> = (0..64).map(|_| (0..DIMENSION).map(|_| next()).collect()).collect();
    (0..n).map(|i| centres[i % 64].iter().map(|c| c + 0.5 * next()).collect()).collect()
}

fn fill(path: &Path, metric: Metric, rows: usize, seal_rows: usize) -> Store {
    let options = StoreOptions { seal_rows, ef_construction: 100, ..StoreOptions::default() };
    let store = Store::create(path, Profile::new(DIMENSION, metric), options).unwrap();
    for (number, block) in points(rows, 7).chunks(500).enumerate() {
        let mut batch = Batch::new();
        for (i, vector) in block.iter().enumerate() {
            let row = number * 500 + i;
            let metadata = Metadata::from([("n".to_owned(), Value::Integer(row as i64))]);
            batch.upsert(DocumentWrite::row(row.to_string(), vector.clone(), metadata));
        }
        store.commit(batch).unwrap();
    }
    store
}

fn rows(store: &Store, query: &[f32], options: &SearchOptions) -> Vec<u64> {
    store.search(query, options).unwrap().iter().map(|hit| hit.row).collect()
}

fn recall(store: &Store) -> f64 {
    let queries = points(100, 99);
    let mut found = 0;
    for query in &queries {
        let exact: HashSet<u64> = rows(store, query, &SearchOptions::new(10).exact()).into_iter().collect();
        found += rows(store, query, &SearchOptions::new(10)).iter().filter(|row| exact.contains(row)).count();
    }
    found as f64 / 1000.0
}

#[test]
fn the_graph_finds_what_a_scan_finds_before_and_after_reopening() {
    for &metric in Metric::ALL {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.postil");
        let store = fill(&path, metric, 6_000, 2_500);
        assert!(recall(&store) >= 0.95, "{metric:?}, growing");
        store.seal().unwrap();
        let sealed = recall(&store);
        assert!(sealed >= 0.97, "{metric:?}, sealed: {sealed}");
        let query = &points(1, 5)[0];
        let before = store.search(query, &SearchOptions::new(20)).unwrap();
        drop(store);
        let store = Store::open(&path, StoreOptions::default()).unwrap();
        assert_eq!(store.search(query, &SearchOptions::new(20)).unwrap(), before);
        assert!((recall(&store) - sealed).abs() < 1e-9);
        assert_eq!(store.check().unwrap(), vec![]);
    }
}

#[test]
fn one_hit_is_the_nearest_of_near_duplicates() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { seal_rows: 3_000, ..StoreOptions::default() };
    let profile = Profile::new(DIMENSION, Metric::Cosine);
    let store = Store::create(folder.path().join("n.postil"), profile, options).unwrap();
    // Eight points of each, nearer to each other than codes can distinguish.
    let near: Vec<Vec<f32>> = points(400, 7)
        .iter()
        .flat_map(|point| {
            (0..8).map(|i| point.iter().zip(0..).map(|(x, j)| x + 1e-3 * ((i * j) % 8) as f32).collect())
        })
        .collect();
    let mut batch = Batch::new();
    for (row, vector) in near.iter().enumerate() {
        batch.upsert(DocumentWrite::row(row.to_string(), vector.clone(), Metadata::new()));
    }
    store.commit(batch).unwrap();
    store.seal().unwrap();
    let found =
        near.iter().zip(0..).filter(|&(vector, row)| rows(&store, vector, &SearchOptions::new(1)) == [row]);
    let found = found.count();
    assert!(found >= 3_190, "{found}");
}

#[test]
fn filters_and_removals_are_exact_about_who_may_be_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = fill(&folder.path().join("f.postil"), Metric::L2, 5_000, 2_000);
    store.seal().unwrap();
    let mut batch = Batch::new();
    (0..5_000).step_by(3).for_each(|i| batch.remove(i.to_string()));
    assert_eq!(store.commit(batch).unwrap().removed, 1667);
    for query in points(5, 3) {
        for (below, k) in [(0i64, 5usize), (1, 5), (7, 10), (900, 10), (4_000, 20), (5_000, 20)] {
            let options = SearchOptions::new(k).filter(Filter::lt("n", below));
            let hits = store.search(&query, &options).unwrap();
            let matches = (0..below).filter(|n| n % 3 != 0).count();
            assert_eq!(hits.len(), matches.min(k), "n < {below}");
            for hit in hits {
                let n: i64 = hit.key.parse().unwrap();
                assert!(n < below && n % 3 != 0);
            }
        }
        let all = rows(&store, &query, &SearchOptions::new(5_000));
        assert_eq!(all.len(), 5_000 - 1667);
        assert!(all.iter().all(|row| row % 3 != 0));
    }
}

#[test]
fn a_reader_sees_a_replaced_document_old_or_new_and_always_one() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { seal_rows: 40, m: 4, ..StoreOptions::default() };
    let store = Store::create(folder.path().join("a.postil"), Profile::new(2, Metric::L2), options).unwrap();
    let write = |n: i64| {
        let mut batch = Batch::new();
        let metadata = Metadata::from([("even".to_owned(), Value::Bool(n % 2 == 0))]);
        batch.upsert(DocumentWrite {
            text: n.to_string(),
            ..DocumentWrite::row("k", vec![1.0, 1.0], metadata)
        });
        store.commit(batch).unwrap();
    };
    write(0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (1..150).for_each(write));
        while !writer.is_finished() {
            assert_eq!(store.search(&[1.0, 1.0], &SearchOptions::new(5)).unwrap().len(), 1);
            let any = Filter::exists("even");
            assert_eq!(store.search(&[1.0, 1.0], &SearchOptions::new(5).filter(any)).unwrap().len(), 1);
            assert!(store.text("k").unwrap().is_some());
        }
    });
    store.seal().unwrap();
    assert_eq!(store.text("k").unwrap().as_deref(), Some("149"));
    assert_eq!(store.check().unwrap(), vec![]);
}

/// The child's part of the test below.
#[test]
#[ignore = "run by nothing_is_printed_above_fifty_thousand_rows"]
fn child_that_inserts_fifty_thousand_rows() {
    let Some(path) = std::env::var_os("POSTIL_QUIET_TEST") else { return };
    let options = StoreOptions { m: 4, ef_construction: 10, ..StoreOptions::default() };
    let store = Store::create(path, Profile::new(2, Metric::L2), options).unwrap();
    for number in 0..6 {
        let mut batch = Batch::new();
        let passages = (0..9_000u32).map(|i| postil_storage::PassageWrite {
            range: 0..0,
            source_range: 0..0,
            lead: 0..0,
            places: Vec::new(),
            heading: String::new(),
            vector: vec![(i % 97) as f32, (i / 97) as f32 + number as f32],
        });
        let document = DocumentWrite::row(number.to_string(), Vec::new(), Metadata::new());
        batch.upsert(DocumentWrite { passages: passages.collect(), ..document });
        store.commit(batch).unwrap();
    }
    store.seal().unwrap();
    assert_eq!(store.stat().unwrap().passages, 54_000);
}

#[test]
fn nothing_is_printed_above_fifty_thousand_rows() {
    let folder = tempfile::tempdir().unwrap();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_inserts_fifty_thousand_rows", "--ignored", "--nocapture", "--quiet"])
        .env("POSTIL_QUIET_TEST", folder.path().join("q.postil"))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{printed}{}", String::from_utf8_lossy(&child.stderr));
    // The rest is the test harness's own output.
    let own = ["running 1 test", ".", "test result: ok."];
    let foreign: Vec<&str> =
        printed.lines().filter(|line| !line.is_empty() && !own.iter().any(|o| line.starts_with(o))).collect();
    assert_eq!(foreign, Vec::<&str>::new());
    let store = Store::open(folder.path().join("q.postil"), StoreOptions::default()).unwrap();
    assert_eq!(store.stat().unwrap().passages, 54_000, "the child did its part");
}
