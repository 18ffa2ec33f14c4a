//! Operations that still work beside damage in the base, the file of documents below the trees.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use postil_storage::{
    Batch, DocumentWrite, Metadata, Metric, PassageWrite, Profile, SearchOptions, Store, StoreOptions,
};
use std::path::{Path, PathBuf};

const DOCUMENTS: usize = 300;

fn document(number: usize) -> DocumentWrite {
    let text = format!("text {number} ").repeat(500);
    let passage = PassageWrite {
        range: 0..text.len() as u64,
        source_range: 0..1,
        lead: 0..0,
        places: Vec::new(),
        heading: format!("passage of {number:04}"),
        vector: vec![number as f32, 1.0],
    };
    DocumentWrite {
        text,
        passages: vec![passage],
        ..DocumentWrite::row(format!("key {number}"), Vec::new(), Metadata::new())
    }
}

/// Makes a compacted database with a damaged passage of document 7; returns it and the damaged
/// file.
fn damaged(folder: &Path) -> (Store, PathBuf) {
    let path = folder.join("d.postil");
    let store = Store::create(&path, Profile::new(2, Metric::L2), StoreOptions::default()).unwrap();
    let mut batch = Batch::new();
    (0..DOCUMENTS).for_each(|number| batch.upsert(document(number)));
    store.commit(batch).unwrap();
    store.compact().unwrap();
    store.close().unwrap();
    let base = path.join("documents-000000000001/base");
    let mut bytes = std::fs::read(&base).unwrap();
    let title = b"passage of 0007";
    let at = bytes.windows(title.len()).position(|window| window == title).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&base, bytes).unwrap();
    (Store::open(&path, StoreOptions::default()).unwrap(), base)
}

#[test]
fn a_document_with_a_damaged_passage_can_be_removed_and_others_written() {
    let folder = tempfile::tempdir().unwrap();
    let (store, base) = damaged(folder.path());
    let error = store.search(&[7.0, 1.0], &SearchOptions::new(1)).unwrap_err().to_string();
    assert!(error.contains(base.to_str().unwrap()) && error.contains("passages"), "{error}");
    assert!(!store.check().unwrap().is_empty());
    let mut batch = Batch::new();
    batch.remove("key 7");
    batch.upsert(document(DOCUMENTS));
    assert_eq!(store.commit(batch).unwrap().removed, 1);
    assert!(store.is_writable() && store.document("key 7").unwrap().is_none());
    let far = [DOCUMENTS as f32, 1.0];
    assert_eq!(store.search(&far, &SearchOptions::new(1)).unwrap()[0].key, format!("key {DOCUMENTS}"));
}

#[test]
fn rows_are_sealed_where_documents_cannot_be_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (store, base) = damaged(folder.path());
    // More than the trees hold before a rewrite is due.
    for numbers in (DOCUMENTS..6_000).collect::<Vec<_>>().chunks(500) {
        let mut batch = Batch::new();
        numbers.iter().for_each(|&number| batch.upsert(document(number)));
        store.commit(batch).unwrap();
    }
    store.seal().unwrap();
    assert_eq!((store.stat().unwrap().growing_rows, store.stat().unwrap().documents), (0, 6_000));
    let error = store.compact().unwrap_err().to_string();
    assert!(error.contains(base.to_str().unwrap()), "{error}");
    let beside = std::fs::read_dir(base.parent().unwrap().parent().unwrap()).unwrap();
    let names: Vec<_> = beside.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.ends_with(".new")), "{names:?}");
}
