//! Compaction: no byte of removed documents is left in the files, and the others are all there.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use postil_storage::{
    Batch, DocumentWrite, Filter, Metadata, Metric, Profile, SearchOptions, Store, StoreOptions, Value,
};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

const DIMENSION: usize = 16;

/// A vector whose bytes occur nowhere else.
fn vector(i: usize) -> Vec<f32> {
    (0..DIMENSION).map(|j| 1.0 + ((i * 31 + j * 7) % 997) as f32 / 997.0 + i as f32 * 1e-4).collect()
}

fn text(i: usize) -> String {
    format!("the secret of document {i:06} is {:08x}", i.wrapping_mul(2_654_435_761) as u32)
}

fn document(i: usize) -> DocumentWrite {
    let metadata = Metadata::from([("n".to_owned(), Value::Integer(i as i64))]);
    DocumentWrite { text: text(i), ..DocumentWrite::row(format!("key {i:06}"), vector(i), metadata) }
}

fn fill(path: &Path, rows: impl Iterator<Item = usize>) -> Store {
    let options = StoreOptions { seal_rows: 700, ..StoreOptions::default() };
    let store = Store::create(path, Profile::new(DIMENSION, Metric::L2), options).unwrap();
    let rows: Vec<usize> = rows.collect();
    for block in rows.chunks(250) {
        let mut batch = Batch::new();
        block.iter().for_each(|&i| batch.upsert(document(i)));
        store.commit(batch).unwrap();
    }
    store
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![std::fs::read(path).unwrap()] })
        .collect()
}

fn occurs(files: &[Vec<u8>], bytes: &[u8]) -> bool {
    files.iter().any(|file| file.windows(bytes.len()).any(|window| window == bytes))
}

#[test]
fn after_compaction_no_byte_of_a_removed_row_is_in_the_files() {
    const ROWS: usize = 3_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.postil");
    let store = fill(&path, 0..ROWS);
    store.seal().unwrap();
    let mut batch = Batch::new();
    (0..ROWS).step_by(2).for_each(|i| batch.remove(format!("key {i:06}")));
    store.commit(batch).unwrap();
    store.compact().unwrap();
    let hits = store.search(&vector(1), &SearchOptions::new(ROWS)).unwrap();
    assert_eq!(hits.len(), ROWS / 2);
    assert_eq!(store.stat().unwrap().segments, 1);
    assert_eq!(store.stat().unwrap().removed, 0);
    assert_eq!(store.check().unwrap(), vec![]);
    drop(store);

    let bytes = files(&path);
    let raw = |i: usize| -> Vec<u8> { vector(i).iter().flat_map(|x| x.to_le_bytes()).collect() };
    assert!(occurs(&bytes, &raw(1)) && occurs(&bytes, text(1).as_bytes()));
    for i in [0, 2, 1_000, 2_998] {
        assert!(!occurs(&bytes, &raw(i)), "the vector of {i}");
        assert!(!occurs(&bytes, text(i).as_bytes()), "the text of {i}");
        assert!(!occurs(&bytes, format!("key {i:06}").as_bytes()), "the key of {i}");
    }
    let size = |bytes: &[Vec<u8>]| bytes.iter().map(Vec::len).sum::<usize>() as f64;
    let fresh = folder.path().join("fresh.postil");
    let other = fill(&fresh, (0..ROWS).filter(|i| i % 2 == 1));
    other.compact().unwrap();
    drop(other);
    let fresh = files(&fresh);
    assert!(size(&bytes) < 1.08 * size(&fresh), "{} against {}", size(&bytes), size(&fresh));

    let store = Store::open(&path, StoreOptions::default()).unwrap();
    assert_eq!(store.search(&vector(1), &SearchOptions::new(ROWS)).unwrap(), hits);
    assert_eq!(store.text("key 000001").unwrap(), Some(text(1)));
    store.compact().unwrap();
}

#[test]
fn readers_go_on_while_everything_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = fill(&folder.path().join("r.postil"), 0..1_500);
    let mut documents = store.documents();
    let first = documents.next().unwrap().unwrap();
    assert_eq!(first.key, "key 000000");
    std::thread::scope(|scope| {
        let searching = scope.spawn(|| {
            for i in 0..400 {
                let hits = store.search(&vector(i * 3), &SearchOptions::new(1)).unwrap();
                assert_eq!(hits[0].key, format!("key {:06}", i * 3));
            }
        });
        for round in 0..3 {
            let mut batch = Batch::new();
            batch.upsert(document(5_000 + round));
            store.commit(batch).unwrap();
            store.compact().unwrap();
        }
        searching.join().unwrap();
    });
    // An iterator that began earlier reads on in the trees of that time.
    assert!((1_499..1_503).contains(&documents.map(Result::unwrap).count()));
    assert_eq!(store.stat().unwrap().documents, 1_503);
}

#[test]
fn filtered_searches_find_what_a_scan_finds_at_every_selectivity() {
    const ROWS: usize = 12_000;
    let folder = tempfile::tempdir().unwrap();
    let store = fill(&folder.path().join("f.postil"), 0..ROWS);
    store.compact().unwrap();
    for share in [0.5, 0.1, 0.01, 0.001] {
        let below = (ROWS as f64 * share) as i64;
        let (mut found, mut wanted) = (0, 0);
        // Half of the queries are among the rows that pass, the others as far from them as
        // possible.
        for i in (0..40).map(|i| if i % 2 == 0 { i * below as usize / 40 } else { ROWS - 1 - i }) {
            let filtered = || SearchOptions::new(10).filter(Filter::lt("n", below));
            let exact: Vec<u64> = store
                .search_rows(&vector(i), &filtered().exact())
                .unwrap()
                .iter()
                .map(|(row, _)| *row)
                .collect();
            let rows = store.search_rows(&vector(i), &filtered()).unwrap();
            assert_eq!(rows.len(), 10.min(below as usize));
            wanted += exact.len();
            found += rows.iter().filter(|(row, _)| exact.contains(row)).count();
        }
        assert!(found as f64 >= 0.98 * wanted as f64, "{share}: {found} of {wanted}");
    }
}

#[test]
fn vectors_that_a_compaction_sealed_are_not_left_in_the_documents() {
    const ROWS: usize = 10_000;
    const WIDE: usize = 384;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.postil");
    let options = StoreOptions { m: 4, ef_construction: 20, ..StoreOptions::default() };
    let store = Store::create(&path, Profile::new(WIDE, Metric::L2), options).unwrap();
    for from in (0..ROWS).step_by(1_000) {
        let mut batch = Batch::new();
        for i in from..from + 1_000 {
            let vector = (0..WIDE).map(|j| ((i * 31 + j * 7) % 997) as f32).collect();
            batch.upsert(DocumentWrite::row(format!("key {i:06}"), vector, Metadata::new()));
        }
        store.commit(batch).unwrap();
    }
    // The log has grown enough for a rewrite of the documents in the background, at the last
    // generation too.
    store.compact().unwrap();
    drop(store);
    let documents = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
    let documents =
        documents.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("documents"));
    let bytes: usize = documents.flat_map(|folder| files(&folder)).map(|file| file.len()).sum();
    assert!(bytes < ROWS * WIDE * 4, "{bytes} bytes of documents without texts");
}

#[test]
fn files_that_come_and_go_while_they_are_counted_and_checked_are_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let store = fill(&folder.path().join("c.postil"), 0..100);
    let looked = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for i in (0..100).cycle().take_while(|_| !looked.load(Ordering::Relaxed)) {
                let mut batch = Batch::new();
                batch.upsert(document(i));
                store.commit(batch).unwrap();
                store.compact().unwrap();
            }
        });
        let found = (0..200).map(|_| (store.check(), store.stat().map(|stat| stat.documents)));
        let found: Vec<_> = found.collect();
        looked.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        for (damage, documents) in found {
            assert_eq!((damage.unwrap(), documents.unwrap()), (vec![], 100));
        }
    });
}
