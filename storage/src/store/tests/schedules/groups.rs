//! Threads that commit at the same time.

use super::{Scene, batch, row};
use crate::error::StorageError;
use crate::fault::{self, Point};
use crate::store::Committed;
use crate::sync::schedules::explore;
use crate::sync::thread;
use std::cell::Cell;

/// Keys that only one caller writes: each writes a different number of them, so that no two
/// outcomes are alike.
const OWN: [&[&str]; 3] = [&["0a"], &["1a", "1b"], &["2a", "2b", "2c"]];
/// Callers from this one on also write a key that they share, so that some may be written together
/// and some not.
const SHARING: usize = 2;

#[test]
fn every_caller_is_told_of_its_own_batch_and_batches_of_one_key_take_turns() {
    explore("groups", 300, || {
        let scene = Scene::new(1_000);
        let store = &scene.store;
        let outcomes: Vec<Committed> = thread::scope(|scope| {
            let callers = OWN.map(|own| {
                scope.spawn(move || {
                    let mut batch = batch(own, 1);
                    if own.len() >= SHARING {
                        batch.upsert(row("shared", 1));
                    }
                    let committed = store.commit(batch).unwrap();
                    // The documents are there when the commit returns.
                    assert!(own.iter().all(|key| store.document(key).unwrap().is_some()));
                    committed
                })
            });
            callers.map(|caller| caller.join().unwrap()).into()
        });
        for (own, committed) in OWN.iter().zip(&outcomes) {
            let written = own.len() + usize::from(own.len() >= SHARING);
            assert_eq!((committed.passages, committed.added + committed.replaced), (written, written));
        }
        assert_eq!(outcomes.iter().map(|committed| committed.replaced).sum::<usize>(), 1);
        assert_eq!(store.stat().unwrap().generation, OWN.len() as u64);
        let keys = OWN.concat().into_iter().chain(["shared"]);
        scene.holds(&keys.map(|key| (key, 1)).collect::<Vec<_>>());
    });
}

thread_local! {
    // Shuttle runs all threads of a program on the one that explores it; other tests have other
    // threads.
    static FAILING: Cell<Option<Point>> = const { Cell::new(None) };
}

#[test]
fn a_write_that_fails_is_told_to_one_caller_and_nothing_is_written_after_it() {
    fault::on_reach(Some(std::sync::Arc::new(|point| FAILING.get() != Some(point))));
    explore("failing groups", 200, || {
        let scene = Scene::new(1_000);
        let store = &scene.store;
        FAILING.set(Some(Point::TransactionWritten));
        let outcomes: Vec<StorageError> = thread::scope(|scope| {
            let callers = OWN.map(|own| {
                scope.spawn(move || {
                    let mut batch = batch(own, 1);
                    batch.upsert(row(&own.len().to_string(), 1));
                    store.commit(batch).unwrap_err()
                })
            });
            callers.map(|caller| caller.join().unwrap()).into()
        });
        FAILING.set(None);
        let poisoned = |error: &&StorageError| matches!(error, StorageError::Poisoned { .. });
        assert_eq!(outcomes.iter().filter(poisoned).count(), OWN.len() - 1, "{outcomes:?}");
        assert!(poisoned(&&store.commit(batch(&["later"], 1)).unwrap_err()));
        assert_eq!(super::found(store, None), [], "what failed is not shown");
        // All of a group, or nothing: batches from before the failure may be there.
        let scene = scene.reopened();
        assert_eq!(scene.store.check().unwrap(), []);
        assert!(scene.store.document("later").unwrap().is_none());
    });
    fault::on_reach(None);
}

#[test]
fn damage_that_forbids_to_write_is_told_to_every_caller_as_what_it_is() {
    explore("groups on damage", 100, || {
        let scene = Scene::new(1_000);
        scene.store.commit(batch(&["a"], 1)).unwrap();
        scene.store.seal().unwrap();
        let file = scene.folder.path().join("s.postil/segments/000001.seg");
        let mut bytes = std::fs::read(&file).unwrap();
        // The row ids are the first section after the header.
        let header_bytes = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
        bytes[(64 + header_bytes).next_multiple_of(64)] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        let scene = scene.reopened();
        thread::scope(|scope| {
            for key in ["b", "c", "d"] {
                let store = &scene.store;
                scope.spawn(move || {
                    let error = store.commit(batch(&[key], 1)).unwrap_err();
                    assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
                });
            }
        });
    });
}
