//! Recall that is asked for: searches find the share that was measured when a segment was made, for
//! rows and for questions.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

mod workload;

use postil_storage::{
    Batch, DocumentWrite, Effort, Metadata, Metric, Profile, SearchOptions, StorageError, Store, StoreOptions,
};
use std::path::Path;
use workload::hash;

/// So many components that searches walk over four bits each.
const DIMENSION: usize = 256;
const ROWS: usize = 6_000;

/// A vector near `seed`, with components that depend on each other as those of embeddings do.
fn vector(seed: u64, spread: f32) -> Vec<f32> {
    let unit = |at: u64| (hash(at) >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
    let topic = seed % 40;
    let component = |i: u64| {
        let shared = unit(topic * 1_000 + i / 4) + unit(7_000_000 + seed * 100 + i / 8);
        shared + spread * unit(9_000_000 + seed * 1_000 + i)
    };
    (0..DIMENSION as u64).map(component).collect()
}

fn row(number: u64) -> DocumentWrite {
    DocumentWrite::row(number.to_string(), vector(number, 0.5), Metadata::new())
}

fn create(path: &Path, metric: Metric, rows: u64, options: StoreOptions) -> Store {
    let store = Store::create(path, Profile::new(DIMENSION, metric), options).unwrap();
    let mut batch = Batch::new();
    (0..rows).for_each(|number| batch.upsert(row(number)));
    store.commit(batch).unwrap();
    store
}

fn options() -> StoreOptions {
    StoreOptions { seal_rows: 32_768, ef_construction: 60, ..StoreOptions::default() }
}

/// Returns the share found of the exact scan's hits.
fn found(store: &Store, queries: &[Vec<f32>], options: &SearchOptions) -> f64 {
    let rows = |query: &[f32], options: &SearchOptions| -> Vec<u64> {
        store.search_rows(query, options).unwrap().into_iter().map(|(row, _)| row).collect()
    };
    let mut found = 0;
    for query in queries {
        let exact = rows(query, &options.clone().exact());
        found += rows(query, options).iter().filter(|row| exact.contains(row)).count();
    }
    found as f64 / (queries.len() * options.k) as f64
}

#[test]
fn as_much_is_found_as_is_asked_for_of_rows_and_of_questions() {
    let folder = tempfile::tempdir().unwrap();
    for &metric in Metric::ALL {
        let path = folder.path().join(format!("{metric:?}.postil"));
        let store = create(&path, metric, ROWS as u64, options());
        assert_eq!(store.stat().unwrap().recall, None);
        store.seal().unwrap();
        let stat = store.stat().unwrap();
        assert!(stat.recall.unwrap() >= 0.975, "{stat:?}");
        // Searches read less memory than the vectors have.
        assert!(stat.searched_bytes < (ROWS * DIMENSION * 4 / 2) as u64, "{stat:?}");
        assert_eq!(store.check().unwrap(), vec![]);
        let rows: Vec<_> = (0..60).map(|at| vector(at * 97, 0.7)).collect();
        let questions: Vec<_> = (0..60).map(|at| vector(1_000_000 + at * 31, 2.0)).collect();
        for queries in [&rows, &questions] {
            for (asked, least) in [(0.8, 0.75), (0.95, 0.92), (0.99, 0.97), (1.0, 1.0)] {
                let recall = found(&store, queries, &SearchOptions::new(10).recall(asked));
                assert!(recall >= least, "{metric:?}: {recall} where {asked} was asked for");
            }
            for k in [1, 100] {
                let recall = found(&store, queries, &SearchOptions::new(k));
                assert!(recall >= 0.95, "{metric:?}: {recall} of {k}");
            }
        }
        let measured = store.measure_recall(&SearchOptions::new(10)).unwrap().unwrap();
        assert!(measured.rows >= 0.97 && measured.questions >= 0.97 && !measured.asked, "{measured:?}");
    }
}

#[test]
fn a_share_that_is_none_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = create(&folder.path().join("r.postil"), Metric::L2, 3, options());
    for share in [-0.1, 1.1, f32::NAN] {
        let error = store.search_rows(&vector(1, 0.5), &SearchOptions::new(1).recall(share)).unwrap_err();
        assert!(matches!(error, StorageError::Recall { .. }), "{error}");
    }
    let none = Store::create(folder.path().join("n.postil"), Profile::new(2, Metric::L2), options()).unwrap();
    assert_eq!(none.measure_recall(&SearchOptions::new(10)).unwrap(), None);
}

#[test]
fn queries_are_remembered_only_where_they_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.postil");
    let store = create(&path, Metric::Cosine, 3_000, options());
    let ask = |store: &Store| {
        for at in 0..40 {
            store.search_rows(&vector(2_000_000 + at, 3.0), &SearchOptions::new(10)).unwrap();
        }
        store.measure_recall(&SearchOptions::new(10)).unwrap().unwrap()
    };
    assert!(!ask(&store).asked);
    drop(store);
    let remembering = StoreOptions { remembered_queries: 64, ..options() };
    let store = Store::open(&path, remembering).unwrap();
    let measured = ask(&store);
    assert!(measured.asked && measured.questions >= 0.97, "{measured:?}");
    store.seal().unwrap();
    let queries: Vec<_> = (0..40).map(|at| vector(2_000_000 + at, 3.0)).collect();
    assert!(found(&store, &queries, &SearchOptions::new(10)) >= 0.97);
    let too_many = StoreOptions { remembered_queries: 2_000, ..options() };
    drop(store);
    assert!(matches!(Store::open(&path, too_many), Err(StorageError::Option { .. })));
}

#[test]
fn segments_without_codes_are_merged_extended_and_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.postil");
    let store = create(&path, Metric::Cosine, 3_000, options());
    store.seal().unwrap();
    let few: u64 = 500;
    let mut batch = Batch::new();
    (3_000..3_000 + few).for_each(|number| batch.upsert(row(number)));
    batch.remove("7");
    store.commit(batch).unwrap();
    store.seal().unwrap();
    assert_eq!(store.check().unwrap(), vec![]);
    let search = SearchOptions::new(10).effort(Effort::Candidates(200));
    let late = |store: &Store| -> usize {
        let is_first = |at: &u64| {
            store.search(&vector(3_000 + at, 0.5), &search).unwrap()[0].key == (3_000 + at).to_string()
        };
        (0..few).filter(is_first).count()
    };
    assert_eq!(late(&store), few as usize);
    store.close().unwrap();
    let segments = std::fs::read_dir(path.join("segments")).unwrap();
    let files: Vec<_> = segments.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let mut bytes = std::fs::read(&files[0]).unwrap();
    // Within the vectors, which come before the rows' checksums.
    let at = bytes.len() - 3_500 * 4 - 50_000;
    bytes[at] ^= 1;
    std::fs::write(&files[0], bytes).unwrap();
    let rebuilt = folder.path().join("rebuilt.postil");
    let mut none = |_: &Profile, _: &DocumentWrite, _: &[usize]| Err("there is no encoder".into());
    let report = Store::rebuild(&path, &rebuilt, options(), None, &mut none).unwrap();
    let documents: Vec<_> =
        report.lost.iter().filter(|lost| lost.what.contains("vectors cannot be read")).collect();
    assert_eq!(documents.len(), 1, "one row's vector was damaged: {:?}", report.lost);
    let store = Store::open(&rebuilt, options()).unwrap();
    assert_eq!(store.stat().unwrap().passages, 3_000 + few - 2);
    assert!(late(&store) >= few as usize - 1);
    assert_eq!(store.check().unwrap(), vec![]);
}
