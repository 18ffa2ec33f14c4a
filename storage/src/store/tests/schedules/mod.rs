//! A whole store, sled and files included, under many schedules of its callers and its indexer.
//!
//! | file | question |
//! |---|---|
//! | readers | does a reader see one committed state, whole? |
//! | groups | does every waiting thread get the outcome of its own batch, and a true error? |
//! | sealing | does sealing, merging or rewriting keep concurrent commits, and does stopping end? |

mod groups;
mod readers;
mod sealing;

use crate::store::{Batch, DocumentWrite, Hit, Profile, SearchOptions, Store, StoreOptions};
use crate::value::{Metadata, Value};
use crate::vector::metric::Metric;

/// A store in a folder of its own.
struct Scene {
    store: Store,
    options: StoreOptions,
    folder: tempfile::TempDir,
}

impl Scene {
    /// Makes an empty store whose indexer seals that many rows.
    fn new(seal_rows: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Shuttle does not know of a graph's threads.
        let options =
            StoreOptions { seal_rows, index_threads: 1, min_free_bytes: 0, ..StoreOptions::default() };
        let path = folder.path().join("s.postil");
        let store = Store::create(path, Profile::new(2, Metric::L2), options.clone()).unwrap();
        Self { store, options, folder }
    }

    /// Drops the store and opens it again from disk.
    fn reopened(self) -> Self {
        let Self { store, options, folder } = self;
        drop(store);
        let store = Store::open(folder.path().join("s.postil"), options.clone()).unwrap();
        Self { store, options, folder }
    }

    /// Asserts that the store is sound and has exactly these documents, in memory and on disk.
    fn holds(self, expected: &[(&str, i64)]) {
        assert_eq!(self.store.check().unwrap(), []);
        assert_eq!(found(&self.store, None), versions(expected));
        let reopened = self.reopened();
        assert_eq!(reopened.store.check().unwrap(), []);
        assert_eq!(found(&reopened.store, None), versions(expected));
    }
}

/// Keys and versions, by key.
type Versions = Vec<(String, i64)>;

fn versions(of: &[(&str, i64)]) -> Versions {
    of.iter().map(|&(key, version)| (key.to_owned(), version)).collect()
}

/// Returns what a search finds that wants more than there is.
fn found(store: &Store, filter: Option<&str>) -> Versions {
    let mut options = SearchOptions::new(100);
    options.filter = filter.map(|filter| filter.parse().unwrap());
    let hits = store.search(&[0.0, 0.0], &options).unwrap();
    let version = |hit: &Hit| match hit.metadata["version"] {
        Value::Integer(version) => version,
        ref other => panic!("{other:?}"),
    };
    let mut found: Versions = hits
        .iter()
        .map(|hit| {
            assert_eq!(hit.score, -(version(hit) as f32), "{hit:?}");
            (hit.key.clone(), version(hit))
        })
        .collect();
    found.sort();
    found
}

/// Makes one row under a key, in a version.
fn row(key: &str, version: i64) -> DocumentWrite {
    let metadata = Metadata::from([("version".to_owned(), Value::Integer(version))]);
    DocumentWrite::row(key, vec![version as f32, 0.0], metadata)
}

/// Makes a batch of one version of some keys.
fn batch(keys: &[&str], version: i64) -> Batch {
    let mut batch = Batch::new();
    keys.iter().for_each(|key| batch.upsert(row(key, version)));
    batch
}
