//! A small, sound database that tests damage.

use crate::documents::{DocumentRecord, PassageRecord, Writes, keys};
use crate::{Batch, DocumentWrite, Metadata, Metric, PassageWrite, Profile, Store, StoreOptions};
use std::ops::Range;
use std::path::{Path, PathBuf};

pub(in crate::store) const DIMENSION: usize = 5;
pub(in crate::store) const DOCUMENTS: u64 = 60;
/// Documents that a segment holds; each has two rows.
pub(in crate::store) const SEALED: u64 = 40;
/// Documents whose rows, in one commit, make a run.
pub(in crate::store) const RUN_DOCUMENTS: u64 = 140;
/// A row that a segment holds, of document 3.
pub(in crate::store) const SEALED_ROW: u64 = 7;
/// A row that is in the trees only, of document 51.
pub(in crate::store) const UNSEALED_ROW: u64 = 103;

/// A text of two blocks, with characters of two bytes.
pub(in crate::store) fn text() -> String {
    "häuser ".repeat(5_000)
}

pub(in crate::store) fn document(i: u64) -> DocumentWrite {
    let passage = |at: u64| PassageWrite {
        range: at * 8..at * 8 + 8,
        source_range: 0..8,
        lead: 0..0,
        places: Vec::new(),
        heading: String::new(),
        // No two vectors are equal, nor have the same direction.
        vector: (0..DIMENSION as u64)
            .map(|j| ((i * 31 + at * 17 + j * 7) % 23 + 1) as f32 - ((2 * i + at) * j) as f32 / 4096.0)
            .collect(),
    };
    DocumentWrite {
        text: text(),
        passages: vec![passage(0), passage(1)],
        ..DocumentWrite::row(format!("key {i}"), Vec::new(), Metadata::new())
    }
}

/// A sound database: sealed and unsealed rows, and one removed document of each kind.
pub(in crate::store) struct Sample {
    _folder: tempfile::TempDir,
    pub(in crate::store) path: PathBuf,
    pub(in crate::store) store: Option<Store>,
}

impl Sample {
    pub(in crate::store) fn new(metric: Metric) -> Self {
        Self::of(metric, document)
    }

    /// Makes a sample in which eight consecutive documents have the vectors of the first of them.
    pub(in crate::store) fn with_copies() -> Self {
        Self::of(Metric::L2, |i| DocumentWrite { key: format!("key {i}"), ..document(i - i % 8) })
    }

    fn of(metric: Metric, document: fn(u64) -> DocumentWrite) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.postil");
        let options = Self::options();
        let store = Store::create(&path, Profile::new(DIMENSION, metric), options).unwrap();
        let commit = |documents: Range<u64>, removed: Option<u64>| {
            let mut batch = Batch::new();
            documents.for_each(|i| batch.upsert(document(i)));
            removed.iter().for_each(|i| batch.remove(format!("key {i}")));
            store.commit(batch).unwrap();
        };
        commit(0..SEALED, None);
        store.seal().unwrap();
        commit(SEALED..DOCUMENTS, Some(1));
        commit(0..0, Some(41));
        // No vectors are deleted in the background any more.
        store.indexer.seal_due().unwrap();
        let sample = Self { _folder: folder, path, store: Some(store) };
        sample.finds(&[]);
        sample
    }

    pub(in crate::store) fn options() -> StoreOptions {
        StoreOptions { m: 2, ..StoreOptions::default() }
    }

    pub(in crate::store) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    pub(in crate::store) fn segment(&self) -> PathBuf {
        self.path.join("segments/000001.seg")
    }

    /// Changes files of the closed database, and opens it again.
    pub(in crate::store) fn closed(&mut self, change: impl FnOnce(&Path)) {
        for segment in &self.store().shared.current().segments {
            // Otherwise the changed file would be taken for that of another database.
            self.tamper("manifest", &keys::segment(segment.number), None);
        }
        self.store = None;
        change(&self.path);
        self.store = Some(Store::open(&self.path, Self::options()).unwrap());
    }

    pub(in crate::store) fn write(&self, fill: impl FnOnce(&mut Writes)) {
        let mut writes = Writes::default();
        fill(&mut writes);
        self.store().shared.documents().commit(&writes).unwrap();
    }

    pub(in crate::store) fn tamper(&self, tree: &str, key: &[u8], value: Option<&[u8]>) {
        self.store().shared.documents().tamper(tree, key, value);
    }

    pub(in crate::store) fn record(&self, id: u64) -> DocumentRecord {
        self.store().shared.documents().document(id).unwrap().unwrap()
    }

    /// Changes a document's record and nothing else.
    pub(in crate::store) fn change_document(&self, id: u64, change: impl FnOnce(&mut DocumentRecord)) {
        let mut record = self.record(id);
        change(&mut record);
        self.write(|writes| writes.document(id, &record, ""));
    }

    /// Changes a sealed row's passage and nothing else.
    pub(in crate::store) fn change_passage(&self, row: u64, change: impl FnOnce(&mut PassageRecord)) {
        let mut passage = self.store().shared.documents().passage(row).unwrap().unwrap();
        change(&mut passage);
        self.write(|writes| writes.passage(row, &passage));
    }

    /// Asserts that the check finds exactly these, by a part of each message.
    pub(in crate::store) fn finds(&self, expected: &[&str]) {
        let found: Vec<String> = self.store().check().unwrap().iter().map(ToString::to_string).collect();
        let all = found.len() == expected.len()
            && found.iter().zip(expected).all(|(found, expected)| found.contains(expected));
        assert!(all, "expected {expected:#?}, found {found:#?}");
    }
}
