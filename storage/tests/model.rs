//! The store against a map: committed data is there, through reopening and sealing.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use postil_storage::{
    Batch, DocumentWrite, Filter, Metadata, Metric, PassageWrite, Profile, SearchOptions, Store,
    StoreOptions, Value,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const DIMENSION: usize = 6;

#[derive(Clone, Debug)]
enum Step {
    Write { upserts: BTreeMap<u8, (u8, u8)>, removes: Vec<u8> },
    Seal,
    Compact,
    Reopen,
}

/// Makes a document from small numbers.
fn document(key: u8, seed: u8, passages: u8) -> DocumentWrite {
    let text = format!("document {key} made of {seed}: ä😀 ").repeat(1 + usize::from(passages));
    let piece = (text.len() / (1 + usize::from(passages))) as u64;
    let passages = (0..u64::from(passages)).map(|i| PassageWrite {
        range: i * piece..(i + 1) * piece,
        source_range: i..i + 7,
        lead: 0..0,
        places: Vec::new(),
        heading: format!("passage {i}"),
        vector: vector(u64::from(key) << 16 | u64::from(seed) << 8 | i),
    });
    DocumentWrite {
        key: format!("key {key}"),
        title: format!("title {seed}"),
        passages: passages.collect(),
        text,
        content_hash: [seed; 32],
        metadata: Metadata::from([("seed".to_owned(), Value::Integer(i64::from(seed)))]),
        source_map: vec![seed, key],
    }
}

fn vector(seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..DIMENSION).map(|_| next()).collect()
}

fn step() -> impl Strategy<Value = Step> {
    let upserts = proptest::collection::btree_map(0u8..12, (any::<u8>(), 0u8..4), 0..5);
    let write = (upserts, proptest::collection::vec(0u8..12, 0..3));
    prop_oneof![
        8 => write.prop_map(|(upserts, mut removes)| {
            removes.sort_unstable();
            removes.dedup();
            removes.retain(|key| !upserts.contains_key(key));
            Step::Write { upserts, removes }
        }),
        1 => Just(Step::Seal),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
    ]
}

fn agree(store: &Store, model: &BTreeMap<String, DocumentWrite>, metric: Metric) {
    let stored: Vec<_> = store.documents().map(Result::unwrap).collect();
    assert_eq!(stored.iter().map(|d| &d.key).collect::<Vec<_>>(), model.keys().collect::<Vec<_>>());
    for (document, expected) in stored.iter().zip(model.values()) {
        assert_eq!(document.title, expected.title);
        assert_eq!(document.metadata, expected.metadata);
        assert_eq!(document.source_map, expected.source_map);
        assert_eq!(store.text(&document.key).unwrap().unwrap(), expected.text);
        let passages = store.passages(&document.key).unwrap().unwrap();
        assert_eq!(passages.len(), expected.passages.len());
        for (passage, written) in passages.iter().zip(&expected.passages) {
            assert_eq!((&passage.range, &passage.heading), (&written.range, &written.heading));
            assert_eq!(passage.text, expected.text[written.range.start as usize..written.range.end as usize]);
            assert!(store.vector(passage.row).unwrap().is_some());
        }
    }
    let query = vector(99);
    let rows: usize = model.values().map(|d| d.passages.len()).sum();
    let hits = store.search(&query, &SearchOptions::new(1000)).unwrap();
    assert_eq!(hits.len(), rows, "{metric:?}: k above the number of rows gives all rows");
    assert!(hits.is_sorted_by(|a, b| a.score >= b.score));
    for hit in &hits {
        let written = &model[&hit.key];
        assert_eq!(hit.text, written.text[hit.range.start as usize..hit.range.end as usize]);
    }
    let filter = Filter::lt("seed", 100);
    let passing: usize =
        model.values().filter(|d| filter.matches(&d.metadata)).map(|d| d.passages.len()).sum();
    let hits = store.search(&query, &SearchOptions::new(5).filter(filter)).unwrap();
    assert_eq!(hits.len(), passing.min(5));
    assert_eq!(store.stat().unwrap().documents as usize, model.len());
    assert_eq!(store.stat().unwrap().passages as usize, rows);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_store_is_a_map_whatever_is_written_sealed_and_reopened(
        steps in proptest::collection::vec(step(), 1..20), metric in 0..Metric::ALL.len(), seal_rows in 1usize..12,
    ) {
        let metric = Metric::ALL[metric];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.postil");
        let options = StoreOptions { seal_rows, m: 4, ef_construction: 20, ..StoreOptions::default() };
        let mut store = Store::create(&path, Profile::new(DIMENSION, metric), options.clone()).unwrap();
        let mut model = BTreeMap::new();
        for step in steps {
            match step {
                Step::Write { upserts, removes } => {
                    let mut batch = Batch::new();
                    for key in removes {
                        let key = format!("key {key}");
                        model.remove(&key);
                        batch.remove(key);
                    }
                    for (key, (seed, passages)) in upserts {
                        let document = document(key, seed, passages);
                        model.insert(document.key.clone(), document.clone());
                        batch.upsert(document);
                    }
                    store.commit(batch).unwrap();
                }
                Step::Seal => {
                    store.seal().unwrap();
                    prop_assert_eq!(store.stat().unwrap().growing_rows, 0);
                }
                Step::Compact => {
                    store.compact().unwrap();
                    prop_assert_eq!(store.stat().unwrap().removed, 0);
                }
                Step::Reopen => {
                    drop(store);
                    store = Store::open(&path, options.clone()).unwrap();
                }
            }
            agree(&store, &model, metric);
        }
        store.close().unwrap();
        let store = Store::open(&path, options).unwrap();
        agree(&store, &model, metric);
        prop_assert_eq!(store.check().unwrap(), vec![]);
    }
}
