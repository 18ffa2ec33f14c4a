//! Long work ends soon when it is cancelled, and loses nothing.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use postil_storage::{
    Batch, DocumentWrite, Metadata, Metric, Profile, SearchOptions, Step, StorageError, Store, StoreOptions,
};
use std::ops::ControlFlow;
use std::path::Path;

const DIMENSION: usize = 24;

fn vector(i: usize) -> Vec<f32> {
    (0..DIMENSION).map(|j| ((i * 7_919 + j * 104_729) % 1_009) as f32 / 1_009.0 - 0.5).collect()
}

/// A database of `rows` rows, some removed, in segments and growing; its graphs are slow to build.
fn filled(path: &Path, rows: usize) -> Store {
    let options = StoreOptions {
        seal_rows: rows / 3,
        m: 48,
        ef_construction: 400,
        index_threads: 1,
        ..StoreOptions::default()
    };
    let store = Store::create(path, Profile::new(DIMENSION, Metric::L2), options).unwrap();
    let mut batch = Batch::new();
    for i in 0..rows {
        batch.upsert(DocumentWrite::row(format!("{i:06}"), vector(i), Metadata::new()));
    }
    store.commit(batch).unwrap();
    store.seal().unwrap();
    let mut batch = Batch::new();
    (0..rows).step_by(10).for_each(|i| batch.remove(format!("{i:06}")));
    batch.upsert(DocumentWrite::row("last", vector(rows), Metadata::new()));
    store.commit(batch).unwrap();
    store
}

fn keys(store: &Store) -> Vec<String> {
    store.documents().map(|document| document.unwrap().key).collect()
}

/// Cancels at the first step that `end` is true of; keeps all steps.
fn until(steps: &mut Vec<Step>, end: impl Fn(&Step) -> bool) -> impl FnMut(Step) -> ControlFlow<()> {
    move |step| {
        steps.push(step);
        if end(&step) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn only_grow(steps: &[Step]) -> bool {
    steps.iter().all(|step| step.done <= step.total) && steps.is_sorted_by_key(|step| step.done)
}

#[test]
fn a_compaction_that_is_cancelled_while_it_links_rows_changes_nothing_and_runs_the_next_time() {
    // A machine that links the rows between two reports gets more of them.
    let seen = [9_000, 30_000, 100_000].into_iter().any(a_cancelled_compaction_changes_nothing);
    assert!(seen, "no compaction told of its rows before it ended");
}

/// False when the compaction ended before it told of a row.
fn a_cancelled_compaction_changes_nothing(rows: usize) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.postil");
    let store = filled(&path, rows);
    let (before, removed) = (keys(&store), store.stat().unwrap().removed);
    assert!(removed > 0);
    let mut steps = Vec::new();
    let cancelled = store.compact_watched(&mut until(&mut steps, |step| step.done > 0));
    let last = *steps.last().unwrap();
    if cancelled.is_ok() && last.done == 0 {
        return false;
    }
    assert!(matches!(cancelled, Err(StorageError::Cancelled)), "{cancelled:?} {steps:?}");
    assert!(last.done < last.total && last.total > rows as u64 / 2, "{last:?}");
    assert_eq!((keys(&store), store.stat().unwrap().removed), (before.clone(), removed));
    assert_eq!(store.check().unwrap(), []);
    assert_eq!(store.search(&vector(11), &SearchOptions::new(1)).unwrap()[0].key, "000011");

    let mut steps = Vec::new();
    store.compact_watched(&mut until(&mut steps, |_| false)).unwrap();
    assert!(only_grow(&steps), "{steps:?}");
    let stat = store.stat().unwrap();
    assert_eq!((stat.segments, stat.removed, stat.growing_rows), (1, 0, 0));
    assert_eq!(keys(&store), before);
    true
}

#[test]
fn a_compaction_that_is_cancelled_before_it_begins_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("c.postil"), 60);
    let before = store.stat().unwrap();
    let cancelled = store.compact_watched(&mut |_| ControlFlow::Break(()));
    assert!(matches!(cancelled, Err(StorageError::Cancelled)), "{cancelled:?}");
    assert_eq!(store.stat().unwrap(), before);
    store.commit(Batch::new()).unwrap();
}

#[test]
fn a_check_counts_every_row_in_its_file_and_in_the_documents_and_ends_where_it_is_cancelled() {
    const ROWS: usize = 600;
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("c.postil"), ROWS);
    let mut steps = Vec::new();
    assert_eq!(store.check_watched(&mut until(&mut steps, |_| false)).unwrap(), []);
    assert!(only_grow(&steps), "{steps:?}");
    let (last, stat) = (*steps.last().unwrap(), store.stat().unwrap());
    assert_eq!(last.total, (ROWS + 1) as u64 + stat.passages);
    assert!(last.done > last.total - 2 * 64, "{last:?}");
    for end in 0..steps.len() {
        let mut seen = 0;
        let cancelled = store.check_watched(&mut |_| {
            seen += 1;
            if seen > end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(cancelled, Err(StorageError::Cancelled)), "{end}: {cancelled:?}");
        assert_eq!(seen, end + 1, "it ends at once");
    }
    store.commit(Batch::new()).unwrap();
}

#[test]
fn a_measurement_of_recall_ends_between_two_queries() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("c.postil"), 600);
    let options = SearchOptions::new(10);
    let mut steps = Vec::new();
    let recall = store.measure_recall_watched(&options, &mut until(&mut steps, |_| false)).unwrap();
    assert_eq!(recall, store.measure_recall(&options).unwrap());
    let last = *steps.last().unwrap();
    assert!(only_grow(&steps) && last.done == last.total && last.total > 64, "{steps:?}");
    let mut steps = Vec::new();
    let cancelled = store.measure_recall_watched(&options, &mut until(&mut steps, |step| step.done == 3));
    assert!(matches!(cancelled, Err(StorageError::Cancelled)), "{cancelled:?}");
    assert_eq!(steps.len(), 4);
}
