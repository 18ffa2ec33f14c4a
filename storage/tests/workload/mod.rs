//! A script of commits, seals and compactions in which each step depends on its number alone, and
//! the map that a store must equal after each: the generation of a store determines every byte that
//! must be in it.
#![allow(dead_code, reason = "not every test that shares it uses all of it")]

use postil_storage::{
    Batch, DocumentWrite, Filter, Metadata, Metric, PassageWrite, Profile, SearchOptions, Store,
    StoreOptions, Value,
};
use std::collections::BTreeMap;
use std::path::Path;

pub(crate) const DIMENSION: usize = 8;
/// Few keys, so that most writes replace and the model stays small.
const KEYS: u64 = 60;

/// Documents by key.
pub(crate) type Model = BTreeMap<String, DocumentWrite>;

pub(crate) fn options() -> StoreOptions {
    StoreOptions {
        seal_rows: 40,
        m: 6,
        ef_construction: 20,
        index_threads: 1,
        min_free_bytes: 0,
        ..StoreOptions::default()
    }
}

/// Makes a folder in memory if there is one: these tests sync much, and read back through the same
/// system.
pub(crate) fn quick_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub(crate) fn create(path: &Path) -> Store {
    Store::create(path, profile(), options()).unwrap()
}

pub(crate) fn profile() -> Profile {
    Profile::new(DIMENSION, Metric::L2)
}

/// splitmix64 (Steele et al. 2014): returns an unrelated number for any number.
pub(crate) fn hash(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Returns a vector that no other row of the script has.
pub(crate) fn vector(seed: u64) -> Vec<f32> {
    (0..DIMENSION as u64)
        .map(|i| (hash(seed.rotate_left(6) ^ i) >> 40) as f32 / (1 << 23) as f32 - 1.0)
        .collect()
}

/// Returns the document that batch `generation` writes under a key. One in 16 is long, with several
/// text blocks.
pub(crate) fn document(key: u64, generation: u64) -> DocumentWrite {
    let seed = hash(generation << 16 | key);
    let repeat = if seed.is_multiple_of(16) { 2_000 + seed % 997 } else { 1 + seed % 40 };
    let text = format!("key {key} of batch {generation}: ä😀 {seed:016x}\n").repeat(repeat as usize);
    let count = 1 + seed % 3;
    let piece = text.len() as u64 / repeat;
    let passages = (0..count.min(repeat)).map(|i| PassageWrite {
        range: i * piece..(i + 1) * piece,
        source_range: i..i + 7,
        lead: 0..0,
        places: Vec::new(),
        heading: format!("passage {i}"),
        vector: vector(seed ^ i),
    });
    DocumentWrite {
        key: format!("key {key:03}"),
        title: format!("title {seed}"),
        passages: passages.collect(),
        text,
        content_hash: [seed as u8; 32],
        metadata: Metadata::from([("batch".to_owned(), Value::Integer(generation as i64))]),
        source_map: vec![seed as u8; (seed % 300) as usize],
    }
}

/// Returns the keys that batch `generation` touches; `true` if it removes them, present or not.
fn touched(generation: u64) -> BTreeMap<u64, bool> {
    let seed = hash(generation);
    let keys = (0..2 + seed % 5).map(|i| hash(seed ^ i) % KEYS);
    keys.enumerate().map(|(i, key)| (key, i > 0 && hash(seed ^ !key).is_multiple_of(3))).collect()
}

/// Returns the batch that makes generation `generation`.
pub(crate) fn batch(generation: u64) -> Batch {
    let mut batch = Batch::new();
    for (key, removed) in touched(generation) {
        if removed {
            batch.remove(format!("key {key:03}"));
        } else {
            batch.upsert(document(key, generation));
        }
    }
    batch
}

/// Returns the content of a store of that generation: for each key, the result of the last write to
/// it.
pub(crate) fn model(generation: u64) -> Model {
    let mut last = BTreeMap::new();
    for generation in (1..=generation).rev() {
        for (key, removed) in touched(generation) {
            last.entry(key).or_insert((generation, removed));
        }
        if last.len() as u64 == KEYS {
            break;
        }
    }
    let present = last.into_iter().filter(|(_, (_, removed))| !removed);
    present.map(|(key, (generation, _))| document(key, generation)).map(|d| (d.key.clone(), d)).collect()
}

/// Asserts that the store has everything in the model, whole and found by its vectors, and nothing
/// else.
pub(crate) fn agree(store: &Store, model: &Model) {
    let stored: Vec<_> = store.documents().map(Result::unwrap).collect();
    assert_eq!(stored.iter().map(|d| &d.key).collect::<Vec<_>>(), model.keys().collect::<Vec<_>>());
    let rows: usize = model.values().map(|d| d.passages.len()).sum();
    for (document, expected) in stored.iter().zip(model.values()) {
        assert_eq!(document.title, expected.title);
        assert_eq!(document.metadata, expected.metadata);
        assert_eq!(document.source_map, expected.source_map);
        assert_eq!(document.content_hash, expected.content_hash);
        assert!(store.text(&document.key).unwrap().unwrap() == expected.text, "text of {}", document.key);
        let passages = store.passages(&document.key).unwrap().unwrap();
        assert_eq!(passages.len(), expected.passages.len());
        for (passage, written) in passages.iter().zip(&expected.passages) {
            assert_eq!((&passage.range, &passage.heading), (&written.range, &written.heading));
            assert_eq!(store.vector(passage.row).unwrap().as_ref(), Some(&written.vector));
            let hits = store.search(&written.vector, &SearchOptions::new(1)).unwrap();
            assert_eq!((&hits[0].key, &hits[0].range), (&expected.key, &written.range));
        }
    }
    let hits = store.search(&vector(7), &SearchOptions::new(usize::MAX)).unwrap();
    assert_eq!(hits.len(), rows, "a search for all rows finds all rows");
    let filter = Filter::lt("batch", 1i64 << 40);
    let hits = store.search(&vector(8), &SearchOptions::new(usize::MAX).filter(filter)).unwrap();
    assert_eq!(hits.len(), rows);
    let stat = store.stat().unwrap();
    assert_eq!((stat.documents as usize, stat.passages as usize), (model.len(), rows));
}

/// Asserts that the store is sound, whole, and of one of the generations; returns that generation.
pub(crate) fn sound(store: &Store, generations: std::ops::RangeInclusive<u64>) -> u64 {
    let generation = store.stat().unwrap().generation;
    assert!(generations.contains(&generation), "generation {generation} is not in {generations:?}");
    assert_eq!(store.check().unwrap(), vec![]);
    agree(store, &model(generation));
    generation
}
