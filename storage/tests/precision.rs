//! Databases of 16-bit vectors: the same rows before and after sealing, bit by bit, close to those
//! of 32 bits, and smaller.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

mod workload;

use postil_storage::{
    Batch, DocumentWrite, Metadata, Metric, Precision, Profile, SearchOptions, StorageError, Store,
    StoreOptions,
};
use std::ops::ControlFlow;
use std::path::Path;
use workload::hash;

const DIMENSION: usize = 48;
const ROWS: u64 = 3_000;

fn vector(seed: u64) -> Vec<f32> {
    (0..DIMENSION as u64).map(|i| (hash(seed << 8 | i) >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
}

fn key(row: u64) -> String {
    format!("row {row}")
}

fn options() -> StoreOptions {
    StoreOptions { seal_rows: 1_000, ..StoreOptions::default() }
}

fn create(path: &Path, metric: Metric, precision: Precision) -> Store {
    create_with(path, metric, precision, options())
}

fn create_with(path: &Path, metric: Metric, precision: Precision, options: StoreOptions) -> Store {
    let profile = Profile { precision, ..Profile::new(DIMENSION, metric) };
    let store = Store::create(path, profile, options).unwrap();
    for from in (0..ROWS).step_by(500) {
        let mut batch = Batch::new();
        for row in from..from + 500 {
            batch.upsert(DocumentWrite::row(key(row), vector(row), Metadata::new()));
        }
        store.commit(batch).unwrap();
    }
    store
}

/// Returns the results of searches and reads, bit by bit.
fn shown(store: &Store) -> Vec<(String, u32)> {
    let mut shown = Vec::new();
    for query in 0..20 {
        let hits = store.search(&vector(1 << 40 | query), &SearchOptions::new(10).exact()).unwrap();
        shown.extend(hits.into_iter().map(|hit| (hit.key, hit.score.to_bits())));
    }
    for row in (0..ROWS).step_by(131) {
        let written = store.written(&key(row)).unwrap().unwrap();
        shown.extend(written.passages[0].vector.iter().map(|x| (key(row), x.to_bits())));
    }
    shown
}

#[test]
fn a_row_is_the_same_while_it_grows_sealed_merged_and_reopened() {
    for &metric in Metric::ALL {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("half.postil");
        let store = create(&path, metric, Precision::Half);
        let growing = shown(&store);
        store.seal().unwrap();
        assert_eq!(shown(&store), growing);
        store.compact().unwrap();
        assert_eq!(shown(&store), growing);
        assert_eq!(store.check().unwrap(), vec![]);
        drop(store);
        let store = Store::open(&path, options()).unwrap();
        assert_eq!(store.profile().precision, Precision::Half);
        assert_eq!(shown(&store), growing);
        // Documents that were read can be written again.
        let mut batch = Batch::new();
        (0..ROWS).step_by(7).for_each(|row| batch.upsert(store.written(&key(row)).unwrap().unwrap()));
        store.commit(batch).unwrap();
        let ranked: Vec<u32> = shown(&store).into_iter().map(|(_, bits)| bits).collect();
        assert_eq!(ranked, growing.iter().map(|&(_, bits)| bits).collect::<Vec<_>>());
        store.compact().unwrap();
        assert_eq!(store.check().unwrap(), vec![]);
    }
}

#[test]
fn scores_are_near_to_those_of_full_precision_in_less_room() {
    for &metric in Metric::ALL {
        let folder = tempfile::tempdir().unwrap();
        // Nothing is sealed in the background: which rows a graph misses depends on the graph it
        // was extended from, and so on the load of the machine.
        let options = StoreOptions { seal_rows: 32_768, ..options() };
        let [full, half] = [Precision::Full, Precision::Half].map(|precision| {
            let path = folder.path().join(format!("{precision:?}.postil"));
            let store = create_with(&path, metric, precision, options.clone());
            store.compact().unwrap();
            store
        });
        for query in 0..20 {
            let query = vector(1 << 41 | query);
            for (a, b) in [SearchOptions::new(10), SearchOptions::new(10).exact()].map(|options| {
                (full.search(&query, &options).unwrap(), half.search(&query, &options).unwrap())
            }) {
                // Components are below 1 and there are 48 of them.
                assert!(a.iter().zip(&b).all(|(a, b)| (a.score - b.score).abs() < 5e-3), "{a:?} {b:?}");
                let common = a.iter().filter(|a| b.iter().any(|b| a.key == b.key)).count();
                assert!(common >= 9, "{common}");
            }
        }
        let index = |store: &Store| store.stat().unwrap().index_bytes;
        let saved = ROWS * DIMENSION as u64 * 2;
        assert!((saved - 128..=saved + 128).contains(&(index(&full) - index(&half))));
    }
}

#[test]
fn a_database_of_halves_is_rebuilt_and_restored_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.postil");
    let store = create(&path, Metric::Cosine, Precision::Half);
    store.seal().unwrap();
    let before = shown(&store);
    let backup = folder.path().join("backup.postil");
    let flow = store.backup(&backup, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(flow.is_continue());
    drop(store);
    let rebuilt = folder.path().join("rebuilt.postil");
    let outcome =
        Store::rebuild(&path, &rebuilt, options(), None, &mut |_, _, _| Err("not asked".into())).unwrap();
    assert!(outcome.lost.is_empty() && outcome.doubtful.is_empty());
    for copy in [backup, rebuilt] {
        let store = Store::open(&copy, options()).unwrap();
        assert_eq!(store.profile().precision, Precision::Half);
        assert_eq!(shown(&store), before);
        assert_eq!(store.check().unwrap(), vec![]);
    }
}

#[test]
fn a_vector_that_16_bits_cannot_hold_is_refused_and_nothing_written() {
    let folder = tempfile::tempdir().unwrap();
    let profile = Profile { precision: Precision::Half, ..Profile::new(2, Metric::Dot) };
    let store = Store::create(folder.path().join("half.postil"), profile, options()).unwrap();
    let mut batch = Batch::new();
    batch.upsert(DocumentWrite::row("fits", vec![1.0, 2.0], Metadata::new()));
    batch.upsert(DocumentWrite::row("does not", vec![1.0, -1e5], Metadata::new()));
    let error = store.commit(batch).unwrap_err();
    assert!(matches!(error, StorageError::BeyondHalf { index: 1, .. }), "{error}");
    assert_eq!(store.stat().unwrap().documents, 0);
}
