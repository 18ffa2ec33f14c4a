//! Threads that commit at the same time share flushes, and each batch has the same effect as alone.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use postil_storage::{
    Batch, DocumentWrite, Metadata, Metric, Profile, SearchOptions, StorageError, Store, StoreOptions,
};
use std::sync::atomic::{AtomicUsize, Ordering};

const THREADS: usize = 8;
const COMMITS: usize = 25;

fn row(key: &str, thread: usize, commit: usize) -> DocumentWrite {
    DocumentWrite::row(key, vec![thread as f32, commit as f32], Metadata::new())
}

#[test]
fn batches_of_many_threads_are_all_there_and_those_of_one_key_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.postil");
    let options = StoreOptions { seal_rows: 60, ..StoreOptions::default() };
    let store = Store::create(&path, Profile::new(2, Metric::L2), options.clone()).unwrap();
    let (added, replaced, removed) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, added, replaced, removed) = (&store, &added, &replaced, &removed);
            scope.spawn(move || {
                for commit in 0..COMMITS {
                    let own = format!("{thread} {commit}");
                    let mut batch = Batch::new();
                    batch.upsert(row(&own, thread, commit));
                    batch.upsert(row("shared", thread, commit));
                    if commit > 0 && commit % 3 == 0 {
                        batch.remove(format!("{thread} {}", commit - 1));
                    }
                    let committed = store.commit(batch).unwrap();
                    assert_eq!(committed.passages, 2);
                    added.fetch_add(committed.added, Ordering::Relaxed);
                    replaced.fetch_add(committed.replaced, Ordering::Relaxed);
                    removed.fetch_add(committed.removed, Ordering::Relaxed);
                    // A committed row is found as soon as the call returns.
                    let hits = store.search(&[thread as f32, commit as f32], &SearchOptions::new(2)).unwrap();
                    assert!(hits.iter().any(|hit| hit.key == own), "{own}: {hits:?}");
                    // An error in one batch does not affect the others.
                    let mut wrong = Batch::new();
                    wrong.upsert(DocumentWrite::row("wrong", vec![1.0; 3], Metadata::new()));
                    assert!(matches!(store.commit(wrong), Err(StorageError::Dimension { .. })));
                }
            });
        }
    });
    let own = THREADS * COMMITS;
    let gone = THREADS * ((COMMITS - 1) / 3);
    let count = |count: AtomicUsize| count.into_inner();
    assert_eq!((count(added), count(replaced), count(removed)), (own + 1, own - 1, gone));
    let stat = store.stat().unwrap();
    assert_eq!((stat.generation, stat.documents), (own as u64, (own - gone + 1) as u64));
    assert_eq!(store.check().unwrap(), vec![]);
    drop(store);
    let store = Store::open(&path, options).unwrap();
    assert_eq!(store.stat().unwrap().documents, (own - gone + 1) as u64);
    assert_eq!(store.check().unwrap(), vec![]);
}
