//! Recall on real embeddings, if the shared data is there: the first 4,000 of them.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use postil_storage::{Batch, DocumentWrite, Metadata, Metric, Profile, SearchOptions, Store, StoreOptions};
use std::collections::HashSet;
use std::path::Path;

const DIMENSION: usize = 384;
const ROWS: usize = 4_000;
const QUERIES: usize = 200;

#[test]
fn the_defaults_find_98_of_100_nearest_sentences() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/vectors");
    let Ok(base) = std::fs::read(data.join("base.f16.npy")) else { return };
    let base = vectors(&base, ROWS);
    let queries = vectors(&std::fs::read(data.join("query.f16.npy")).unwrap(), QUERIES);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.postil");
    let store =
        Store::create(&path, Profile::new(DIMENSION, Metric::Cosine), StoreOptions::default()).unwrap();
    let mut batch = Batch::new();
    for (i, vector) in base.into_iter().enumerate() {
        batch.upsert(DocumentWrite::row(i.to_string(), vector, Metadata::new()));
    }
    store.commit(batch).unwrap();
    store.seal().unwrap();
    drop(store);
    let store = Store::open(&path, StoreOptions::default()).unwrap();
    assert_eq!(store.stat().unwrap().segments, 1);
    let rows = |query: &[f32], options: SearchOptions| -> HashSet<u64> {
        store.search(query, &options).unwrap().iter().map(|hit| hit.row).collect()
    };
    let found: usize = queries
        .iter()
        .map(|query| {
            let exact = rows(query, SearchOptions::new(10).exact());
            rows(query, SearchOptions::new(10)).intersection(&exact).count()
        })
        .sum();
    let recall = found as f64 / (10 * QUERIES) as f64;
    assert!(recall >= 0.98, "recall@10 is {recall}");
}

/// Reads the first rows of an f16 npy file.
fn vectors(bytes: &[u8], rows: usize) -> Vec<Vec<f32>> {
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let halves = bytes[header..].as_chunks::<2>().0.iter().map(|&b| half::f16::from_le_bytes(b).to_f32());
    let numbers: Vec<f32> = halves.take(rows * DIMENSION).collect();
    numbers.chunks_exact(DIMENSION).map(<[f32]>::to_vec).collect()
}
