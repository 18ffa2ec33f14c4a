//! Callers beside the indexer.

use super::{Scene, batch, found, row, versions};
use crate::store::Batch;
use crate::sync::schedules::explore;
use crate::sync::thread;

#[test]
fn sealing_and_merging_keep_what_is_committed_and_removed_meanwhile() {
    explore("sealing", 200, || {
        let scene = Scene::new(2);
        let store = &scene.store;
        store.commit(batch(&["a", "b", "d"], 1)).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                store.commit(batch(&["c"], 1)).unwrap();
                store.commit(batch(&["b"], 2)).unwrap();
            });
            scope.spawn(|| {
                // A document that no thread changes is there, wherever its row is at the moment.
                assert!(store.written("d").unwrap().is_some());
                assert!(found(store, None).contains(&("d".to_owned(), 1)));
            });
            scope.spawn(|| {
                store.seal().unwrap();
                let mut removal = Batch::new();
                removal.remove("a");
                removal.upsert(row("e", 1));
                store.commit(removal).unwrap();
            });
        });
        scene.holds(&[("b", 2), ("c", 1), ("d", 1), ("e", 1)]);
    });
}

#[test]
fn compacting_keeps_what_is_committed_and_removed_meanwhile() {
    explore("compaction", 100, || {
        let scene = Scene::new(1_000);
        let store = &scene.store;
        store.commit(batch(&["a", "b", "c"], 1)).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut removal = Batch::new();
                removal.remove("a");
                store.commit(removal).unwrap();
                store.commit(batch(&["b", "d"], 2)).unwrap();
            });
            scope.spawn(|| {
                assert!(store.written("c").unwrap().is_some());
                assert!(found(store, Some("version == 1")).contains(&("c".to_owned(), 1)));
            });
            scope.spawn(|| store.compact().unwrap());
        });
        scene.holds(&[("b", 2), ("c", 1), ("d", 2)]);
    });
}

#[test]
fn dropping_a_store_ends_the_indexer_wherever_it_is_and_loses_nothing() {
    explore("stopping", 100, || {
        let scene = Scene::new(1);
        scene.store.commit(batch(&["a", "b"], 1)).unwrap();
        scene.store.commit(batch(&["c"], 1)).unwrap();
        // At once: the indexer may not have begun, be in the middle, or be done.
        let scene = scene.reopened();
        assert_eq!(scene.store.check().unwrap(), []);
        assert_eq!(found(&scene.store, None), versions(&[("a", 1), ("b", 1), ("c", 1)]));
    });
}
