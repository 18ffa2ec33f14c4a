//! Every kind of wrong input and wrong folder is a typed error, and changes nothing.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use postil_storage::{
    Batch, DocumentWrite, Metadata, Metric, PassageWrite, Profile, SearchOptions, StorageError, Store,
    StoreOptions, Value,
};
use std::path::{Path, PathBuf};

fn row(key: &str, vector: &[f32]) -> DocumentWrite {
    DocumentWrite::row(key, vector.to_vec(), Metadata::new())
}

fn batch(documents: impl IntoIterator<Item = DocumentWrite>) -> Batch {
    let mut batch = Batch::new();
    documents.into_iter().for_each(|document| batch.upsert(document));
    batch
}

fn create(path: &Path, metric: Metric) -> Store {
    Store::create(path, Profile::new(2, metric), StoreOptions::default()).unwrap()
}

#[test]
fn each_bad_input_is_named_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e.postil");
    let options = StoreOptions { max_text_bytes: 10, ..StoreOptions::default() };
    let store = Store::create(&path, Profile::new(2, Metric::Cosine), options).unwrap();
    let commit = |document: DocumentWrite| store.commit(batch([document])).unwrap_err();
    assert!(matches!(commit(row("a", &[1.0])), StorageError::Dimension { got: 1, expected: 2 }));
    assert!(matches!(commit(row("a", &[1.0, f32::NAN])), StorageError::Component { index: 1, .. }));
    assert!(matches!(commit(row("a", &[0.0, 0.0])), StorageError::ZeroVector));
    assert!(matches!(commit(row("", &[1.0, 0.0])), StorageError::Key { got: 0, .. }));
    assert!(matches!(
        commit(row(&"k".repeat(4097), &[1.0, 0.0])),
        StorageError::Key { got: 4097, limit: 4096 }
    ));
    let long = DocumentWrite { text: "12345678901".into(), ..row("a", &[1.0, 0.0]) };
    assert!(matches!(commit(long), StorageError::TextTooLong { got: 11, limit: 10, .. }));
    let nan = DocumentWrite::row("a", vec![1.0, 0.0], Metadata::from([("f".into(), Value::Float(f64::NAN))]));
    assert!(matches!(commit(nan), StorageError::Metadata { .. }));
    let field = |value: Value| DocumentWrite::row("a", vec![1.0, 0.0], Metadata::from([("f".into(), value)]));
    let nested = Metadata::from([("g".to_owned(), Value::List(vec![Value::Float(f64::INFINITY)]))]);
    let named = commit(field(nested.into()));
    assert!(matches!(&named, StorageError::Metadata { field, .. } if field == "f"), "{named}");
    let deep = |levels: usize| (2..levels).fold(Value::Null, |value, _| Value::List(vec![value]));
    assert!(matches!(
        commit(field(deep(10_000))),
        StorageError::TooMuch { what: "levels of metadata or more", got: 129, limit: 128, .. }
    ));
    for (start, end) in [(3, 2), (0, 9), (1, 2)] {
        let range = start..end;
        let passage = PassageWrite {
            range,
            source_range: 0..0,
            lead: 0..0,
            places: Vec::new(),
            heading: String::new(),
            vector: vec![1.0, 0.0],
        };
        let document = DocumentWrite { text: "äb".into(), passages: vec![passage], ..row("a", &[]) };
        assert!(matches!(commit(document), StorageError::Range { text_bytes: 3, .. }));
    }
    let twice = store.commit(batch([row("a", &[1.0, 0.0]), row("a", &[0.0, 1.0])])).unwrap_err();
    assert!(matches!(twice, StorageError::DuplicateKey { key } if key == "a"));

    let search = |query: &[f32], k| store.search(query, &SearchOptions::new(k)).unwrap_err();
    assert!(matches!(search(&[1.0, 0.0], 0), StorageError::NoneAsked));
    assert!(matches!(search(&[1.0], 1), StorageError::Dimension { got: 1, expected: 2 }));
    assert!(matches!(search(&[f32::INFINITY, 0.0], 1), StorageError::Component { index: 0, .. }));
    assert!(matches!(search(&[0.0, 0.0], 1), StorageError::ZeroVector));
    assert_eq!(store.search(&[1.0, 0.0], &SearchOptions::new(usize::MAX)).unwrap(), vec![]);
    assert_eq!(store.stat().unwrap().generation, 0);
    let out_of_range = StoreOptions { m: 1000, ..StoreOptions::default() };
    let error =
        Store::create(folder.path().join("x"), Profile::new(2, Metric::L2), out_of_range).unwrap_err();
    assert!(matches!(error, StorageError::Option { name: "m", .. }));
}

#[test]
fn a_second_opener_is_told_who_holds_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.postil");
    let store = create(&path, Metric::L2);
    let pid = std::process::id();
    let open = || Store::open(&path, StoreOptions::default());
    assert!(matches!(open().unwrap_err(), StorageError::Locked { pid: holder, .. } if holder == pid));
    assert!(Store::is_database(&path));
    drop(store);
    open().unwrap();
}

#[test]
fn what_is_not_a_database_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let open = |path: &PathBuf| Store::open(path, StoreOptions::default()).unwrap_err();
    let make = |path: &PathBuf| {
        Store::create(path, Profile::new(2, Metric::L2), StoreOptions::default()).unwrap_err()
    };
    assert!(matches!(open(&at("nothing")), StorageError::NotFound { .. }));
    assert!(!at("nothing").exists());
    std::fs::write(at("file"), "x").unwrap();
    assert!(matches!(open(&at("file")), StorageError::NotADatabase { .. }));
    assert!(matches!(make(&at("file")), StorageError::NotADatabase { .. }));
    std::fs::create_dir(at("other")).unwrap();
    std::fs::write(at("other/LOCK"), "someone else's").unwrap();
    assert!(matches!(open(&at("other")), StorageError::NotADatabase { .. }));
    assert!(matches!(make(&at("other")), StorageError::NotADatabase { .. }));
    assert_eq!(std::fs::read_dir(at("other")).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(at("other/LOCK")).unwrap(), "someone else's");
    drop(create(&at("ours"), Metric::L2));
    assert!(matches!(make(&at("ours")), StorageError::Exists { .. }));
}

#[test]
fn damaged_segments_are_errors_and_orphans_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.postil");
    let store = create(&path, Metric::L2);
    store.commit(batch((0..50u8).map(|i| row(&i.to_string(), &[f32::from(i), 1.0])))).unwrap();
    store.seal().unwrap();
    store.close().unwrap();
    let segment = path.join("segments/000001.seg");
    let whole = std::fs::read(&segment).unwrap();
    let open = || Store::open(&path, StoreOptions::default());

    for orphan in ["000002.seg", "000003.tmp"] {
        std::fs::write(path.join("segments").join(orphan), "left behind").unwrap();
    }
    drop(open().unwrap());
    assert_eq!(std::fs::read_dir(path.join("segments")).unwrap().count(), 1);

    for cut in [0, 10, 63, 100, whole.len() / 2, whole.len() - 64] {
        std::fs::write(&segment, &whole[..cut]).unwrap();
        assert!(
            matches!(open().unwrap_err(), StorageError::Corrupt { .. } | StorageError::Io { .. }),
            "cut at {cut}"
        );
    }
    let mut header = whole.clone();
    header[80] ^= 1;
    std::fs::write(&segment, &header).unwrap();
    assert!(matches!(open().unwrap_err(), StorageError::Corrupt { path, .. } if path == segment));
    let mut version = whole.clone();
    version[8] = 9;
    std::fs::write(&segment, &version).unwrap();
    assert!(matches!(open().unwrap_err(), StorageError::Version { got: 9, supported: 2, .. }));
    std::fs::remove_file(&segment).unwrap();
    assert!(matches!(open().unwrap_err(), StorageError::Io { path, .. } if path == segment));

    let mut section = whole.clone();
    let last = section.len() - 80;
    section[last] ^= 255;
    std::fs::write(&segment, &section).unwrap();
    let store = open().unwrap();
    assert_eq!(store.check().unwrap()[0].path, segment);
    assert_eq!(store.search(&[3.0, 1.0], &SearchOptions::new(50)).unwrap().len(), 50);
}

#[test]
fn a_disk_with_too_little_room_is_noticed_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.postil");
    let store = Store::create(&path, Profile::new(2, Metric::Cosine), StoreOptions::default()).unwrap();
    let mut batch = Batch::new();
    batch.upsert(DocumentWrite::row("a", vec![1.0, 0.0], Metadata::new()));
    store.commit(batch.clone()).unwrap();
    drop(store);
    let greedy = StoreOptions { min_free_bytes: u64::MAX, ..StoreOptions::default() };
    assert!(matches!(Store::open(&path, greedy), Err(StorageError::NoSpace { needed_bytes: u64::MAX, .. })));
    let store = Store::open(&path, StoreOptions::default()).unwrap();
    assert_eq!(store.stat().unwrap().documents, 1);
}
