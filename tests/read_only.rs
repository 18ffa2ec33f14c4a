//! Databases that are only read: shared by threads, and shown newer published states.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use postil::{Database, Error, Metadata, Metric, ReadOnlyDatabase, Row, SearchOptions, Watch};

fn row(i: usize) -> Row {
    Row { key: format!("{i:04}"), vector: vec![i as f32, 1.0], metadata: Metadata::new() }
}

fn made(path: &Path, dimension: usize) -> Database {
    Database::options().vectors(dimension, Metric::L2).open(path).unwrap()
}

/// What a function that only reads can do, with either kind of database.
fn keys(db: &ReadOnlyDatabase) -> Vec<String> {
    db.documents().map(|document| document.unwrap().key).collect()
}

#[test]
fn a_database_open_to_be_written_is_read_as_one_that_is_only_read() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("r.postil");
    let db = made(&path, 2);
    db.upsert((0..3).map(row)).unwrap();
    assert_eq!(keys(&db), ["0000", "0001", "0002"]);
    assert!(!db.refresh().unwrap(), "it shows what is committed anyway");
    db.finish().unwrap();
    db.upsert([row(3)]).unwrap();
    db.close().unwrap();

    let reader = Database::open_read_only(&path).unwrap();
    assert_eq!(keys(&reader), ["0000", "0001", "0002", "0003"]);
    assert_eq!(reader.search_vector(&[2.2, 1.0], &SearchOptions::new(1)).unwrap()[0].key, "0002");
    assert!(reader.check(&Watch::default()).unwrap().is_empty());
    assert!(!reader.refresh().unwrap());
    assert_eq!(reader.passages("0001").unwrap().unwrap().len(), 1);
    assert!(reader.passages("none").unwrap().is_none());
    let copy = home.path().join("copy.postil");
    reader.backup(&copy, &Watch::default()).unwrap();
    assert_eq!(keys(&Database::open_read_only(&copy).unwrap()), keys(&reader));
}

#[test]
fn a_shared_reader_is_refreshed_while_others_search_and_no_search_sees_half_a_state() {
    const STATES: usize = 12;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("r.postil");
    let writer = made(&path, 2);
    writer.upsert((0..10).map(row)).unwrap();
    writer.publish().unwrap();
    let reader = Arc::new(Database::open_published(&path).unwrap());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (reader, done) = (Arc::clone(&reader), &done);
            scope.spawn(move || {
                let mut most = 0;
                while !done.load(Ordering::Relaxed) {
                    let found = reader.search_vector(&[0.0, 1.0], &SearchOptions::new(1_000)).unwrap().len();
                    let listed = keys(&reader).len();
                    assert!(found.is_multiple_of(10) && listed.is_multiple_of(10), "{found} {listed}");
                    assert!(found >= most && listed >= found, "{most} {found} {listed}");
                    most = listed;
                }
            });
        }
        for state in 1..STATES {
            writer.upsert((state * 10..state * 10 + 10).map(row)).unwrap();
            writer.publish().unwrap();
            assert!(reader.refresh().unwrap());
            assert!(!reader.refresh().unwrap());
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(keys(&reader).len(), STATES * 10);
}

#[test]
fn an_iterator_that_began_before_a_refresh_ends_on_the_state_it_began_on() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("r.postil");
    let writer = made(&path, 2);
    writer.upsert((0..50).map(row)).unwrap();
    writer.publish().unwrap();
    let reader = Database::open_published(&path).unwrap();
    let mut before = reader.documents();
    before.next().unwrap().unwrap();
    writer.remove((0..49).map(|i| row(i).key)).unwrap();
    writer.publish().unwrap();
    assert!(reader.refresh().unwrap());
    assert_eq!(reader.count(None).unwrap(), 1);
    assert_eq!(before.collect::<Result<Vec<_>, _>>().unwrap().len(), 49);
}

#[test]
fn a_database_that_was_made_anew_with_another_dimension_is_not_taken_for_a_newer_state() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("r.postil");
    let writer = made(&path, 2);
    writer.upsert([row(0)]).unwrap();
    writer.publish().unwrap();
    let reader = Database::open_published(&path).unwrap();
    writer.close().unwrap();
    std::fs::remove_dir_all(&path).unwrap();
    let other = made(&path, 3);
    for _ in 0..3 {
        other.upsert([Row { key: "other".into(), vector: vec![1.0; 3], metadata: Metadata::new() }]).unwrap();
    }
    other.publish().unwrap();
    assert!(matches!(reader.refresh(), Err(Error::AnotherDatabase { .. })));
    assert_eq!(keys(&reader), ["0000"]);
}
