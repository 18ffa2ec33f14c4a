//! Readers beside a writer.

use super::{Scene, batch, found, versions};
use crate::sync::schedules::explore;
use crate::sync::thread;

#[test]
fn a_reader_sees_what_one_commit_left_and_never_anything_older_later() {
    explore("readers", 300, || {
        let scene = Scene::new(1_000);
        let store = &scene.store;
        store.commit(batch(&["a", "b"], 1)).unwrap();
        thread::scope(|scope| {
            for filter in [None, Some("version > 0")] {
                scope.spawn(move || {
                    let mut last = 1;
                    for _ in 0..2 {
                        let seen = found(store, filter);
                        let version = seen[0].1;
                        assert_eq!(seen, versions(&[("a", version), ("b", version)]));
                        assert!(version >= last, "{version} after {last}");
                        last = version;
                    }
                });
            }
            scope.spawn(|| {
                for version in [2, 3] {
                    store.commit(batch(&["a", "b"], version)).unwrap();
                    assert_eq!(found(store, None), versions(&[("a", version), ("b", version)]));
                }
            });
        });
        scene.holds(&[("a", 3), ("b", 3)]);
    });
}

#[test]
fn a_filter_lets_through_what_is_so_in_the_state_that_is_searched() {
    explore("filters", 200, || {
        let scene = Scene::new(1_000);
        let store = &scene.store;
        store.commit(batch(&["a", "b"], 1)).unwrap();
        thread::scope(|scope| {
            for filter in ["version == 1", "version == 2"] {
                scope.spawn(move || {
                    // Both documents change at once: one alone never passed.
                    let passing = found(store, Some(filter)).len();
                    assert!(passing == 0 || passing == 2, "{passing} of {filter}");
                });
            }
            scope.spawn(|| {
                store.commit(batch(&["a", "b"], 2)).unwrap();
                assert_eq!(found(store, Some("version == 1")), []);
            });
        });
        scene.holds(&[("a", 2), ("b", 2)]);
    });
}
