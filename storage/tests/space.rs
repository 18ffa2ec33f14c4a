//! Repeated replacement does not make the files grow without bound.
//!
//! A tenth of 2,000 documents is replaced `POSTIL_SPACE_ROUNDS` times, 60 by default; 1,000 with
//! `POSTIL_SPACE_DOCUMENTS=10000` is the long form.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

mod workload;

use postil_hostile::figures;
use postil_storage::{
    Batch, DocumentWrite, Metadata, Metric, PassageWrite, Profile, SearchOptions, Store, StoreOptions, Value,
};
use std::path::Path;
use workload::hash;

const DIMENSION: usize = 32;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |number| number.parse().expect("a number"))
}

fn vector(document: u64, round: u64, passage: u64) -> Vec<f32> {
    let seed = document << 40 | round << 8 | passage;
    (0..DIMENSION as u64).map(|i| (hash(seed * 64 + i) >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// Makes a document of two passages, about a kilobyte of text.
fn document(number: u64, round: u64) -> DocumentWrite {
    let text = format!("Document {number} as of round {round} says what it says. ").repeat(20);
    let half = text.len() as u64 / 2;
    let passages =
        [0..half, half..text.len() as u64].into_iter().enumerate().map(|(i, range)| PassageWrite {
            source_range: range.clone(),
            range,
            lead: 0..0,
            places: Vec::new(),
            heading: String::new(),
            vector: vector(number, round, i as u64),
        });
    DocumentWrite {
        key: format!("key {number:06}"),
        title: format!("title {number}"),
        passages: passages.collect(),
        text,
        content_hash: [round as u8; 32],
        metadata: Metadata::from([("round".to_owned(), Value::Integer(round as i64))]),
        source_map: Vec::new(),
    }
}

fn write(store: &Store, documents: impl Iterator<Item = (u64, u64)>) {
    let documents: Vec<_> = documents.collect();
    for block in documents.chunks(500) {
        let mut batch = Batch::new();
        block.iter().for_each(|&(number, round)| batch.upsert(document(number, round)));
        store.commit(batch).unwrap();
    }
}

fn options() -> StoreOptions {
    StoreOptions { seal_rows: 2_048, m: 8, ef_construction: 40, ..StoreOptions::default() }
}

fn create(path: &Path) -> Store {
    Store::create(path, Profile::new(DIMENSION, Metric::Cosine), options()).unwrap()
}

#[test]
fn a_session_for_each_commit_keeps_the_files_in_bounds_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.postil");
    let store = create(&path);
    write(&store, (0..500).map(|number| (number, 0)));
    let fresh = store.stat().unwrap().disk_bytes;
    drop(store);
    let mut most = 0;
    for round in 1..=60 {
        let store = Store::open(&path, options()).unwrap();
        write(&store, (0..500).map(|number| (number, round)));
        most = most.max(store.stat().unwrap().disk_bytes);
    }
    // The log's own limit, and twice what a commit adds to it: sled writes pages, not entries.
    let bound = (8 << 20) + 4 * fresh;
    assert!(most <= bound, "{most} bytes at most, where {fresh} are written by a commit");
}

#[test]
fn replacing_a_tenth_again_and_again_keeps_the_files_in_bounds() {
    let (documents, rounds) = (number("POSTIL_SPACE_DOCUMENTS", 2_000), number("POSTIL_SPACE_ROUNDS", 60));
    let folder = tempfile::tempdir().unwrap();
    let last =
        |number: u64| (0..=rounds).rev().find(|&round| round == 0 || number % 10 == round % 10).unwrap();
    let fresh = create(&folder.path().join("fresh.postil"));
    write(&fresh, (0..documents).map(|number| (number, last(number))));
    let unsettled = fresh.stat().unwrap().disk_bytes as f64;
    fresh.compact().unwrap();
    let size = fresh.stat().unwrap().disk_bytes as f64;
    drop(fresh);

    let store = create(&folder.path().join("replaced.postil"));
    write(&store, (0..documents).map(|number| (number, 0)));
    let mut most = 0f64;
    for round in 1..=rounds {
        write(
            &store,
            (0..documents).filter(|number| number % 10 == round % 10).map(|number| (number, round)),
        );
        most = most.max(store.stat().unwrap().disk_bytes as f64);
    }
    let before = store.stat().unwrap().disk_bytes as f64;
    store.compact().unwrap();
    let after = store.stat().unwrap().disk_bytes as f64;
    let figures = [
        ("documents", documents as f64),
        ("rounds", rounds as f64),
        ("fresh_bytes", size),
        ("fresh_before_compaction", unsettled / size),
        ("most", most / size),
        ("before_compaction", before / size),
        ("after_compaction", after / size),
    ];
    figures::report("space", &figures.map(|(name, value)| (name, value.into())));
    assert_eq!(store.stat().unwrap().documents, documents);
    for number in (0..documents).step_by(97) {
        let hits = store.search(&vector(number, last(number), 1), &SearchOptions::new(1)).unwrap();
        assert_eq!(hits[0].key, format!("key {number:06}"));
    }
    assert_eq!(store.check().unwrap(), vec![]);
    assert!(most <= 3.0 * size, "{most} bytes at most after a commit, a fresh build has {size}");
    assert!(before <= 3.0 * size, "{before} bytes before compaction, a fresh build has {size}");
    assert!(after <= 2.0 * size, "{after} bytes after compaction, a fresh build has {size}");
}
