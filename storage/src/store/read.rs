//! Documents and passages by key.
//!
//! These read the trees directly, so they may see a batch a moment before it is durable, but always
//! whole: a document id names one version of a document forever. If a version is removed during a
//! read, the next one is read.

use super::lead::joined;
use super::shared::Shared;
use super::{DocumentWrite, PassageWrite, Store};
use crate::documents::{DocumentRecord, Documents, PassageRecord};
use crate::error::{Result, StorageError};
use crate::filter::Filter;
use crate::sync::atomic::Ordering;
use crate::value::Metadata;
use crate::value::fields::Fields;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// A document without its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Key of the document.
    pub key: String,
    /// Title of the document.
    pub title: String,
    /// Hash of the original, as the caller gave it.
    pub content_hash: [u8; 32],
    /// Metadata of the document.
    pub metadata: Metadata,
    /// Bytes of the document's text.
    pub text_bytes: u64,
    /// Map from text to source offsets, as the caller gave it.
    pub source_map: Vec<u8>,
    /// Number of passages of the document.
    pub passages: u64,
}

/// One passage of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// Row of the passage's vector.
    pub row: u64,
    /// Path of the headings above the passage, embedded before its text; may be empty.
    pub heading: String,
    /// Bytes of the document's text.
    pub range: Range<u64>,
    /// Bytes of the document's text that `text` begins with, before those of `range`; empty for
    /// none.
    pub lead: Range<u64>,
    /// Bytes of the original document.
    pub source_range: Range<u64>,
    /// Places of the text, as the caller gave them; empty for none.
    pub places: Vec<u8>,
    /// Text of `lead`, if there is one, and on the next line that of `range`.
    pub text: String,
}

impl From<DocumentRecord> for Document {
    fn from(record: DocumentRecord) -> Self {
        let DocumentRecord { key, title, content_hash, metadata, text_bytes, source_map, row_count, .. } =
            record;
        Self { key, title, content_hash, metadata, text_bytes, source_map, passages: row_count }
    }
}

impl Passage {
    /// Returns the passage of a record; `None` if a part of its text is missing.
    pub(super) fn read(documents: &Documents, row: u64, record: PassageRecord) -> Result<Option<Self>> {
        let (range, lead) = (record.start..record.end, record.lead_start..record.lead_end);
        let Some(mut text) = documents.text(record.document, &range)? else { return Ok(None) };
        if !lead.is_empty() {
            let Some(before) = documents.text(record.document, &lead)? else { return Ok(None) };
            text = joined(&before, text);
        }
        let source_range = record.source_start..record.source_end;
        Ok(Some(Self {
            row,
            heading: record.heading,
            range,
            lead,
            source_range,
            places: record.places,
            text,
        }))
    }
}

impl Store {
    /// Returns the document of a key; `None` if there is none.
    ///
    /// # Errors
    /// If the disk cannot be read or is damaged.
    pub fn document(&self, key: &str) -> Result<Option<Document>> {
        self.shared.document(key)
    }

    /// Returns the whole text of a document; `None` if there is no such document.
    ///
    /// # Errors
    /// As [`document`](Self::document).
    pub fn text(&self, key: &str) -> Result<Option<String>> {
        self.shared.whole(key, |documents, id, record| documents.text(id, &(0..record.text_bytes)))
    }

    /// Returns the line, from 1, of byte `at` of a document's text, in the version that had the row
    /// `row`. `None` if the document was replaced or removed since.
    ///
    /// # Errors
    /// As [`document`](Self::document).
    pub fn line(&self, row: u64, at: u64) -> Result<Option<u64>> {
        let documents = self.shared.documents();
        let Some(passage) = documents.passage(row)? else { return Ok(None) };
        let lines = documents.lines_before(passage.document, at)?;
        Ok(lines.map(|lines| lines + 1))
    }

    /// Returns the passages of a document, in order; `None` if there is no such document.
    ///
    /// # Errors
    /// As [`document`](Self::document).
    pub fn passages(&self, key: &str) -> Result<Option<Vec<Passage>>> {
        self.shared.whole(key, |documents, _, record| {
            let rows = record.first_row..record.first_row.saturating_add(record.row_count);
            rows.map(|row| passage(documents, row)).collect()
        })
    }

    /// Returns a document as it was written, with its text, passages and stored vectors, ready for
    /// another upsert; `None` if there is none.
    ///
    /// # Errors
    /// As [`document`](Self::document).
    pub fn written(&self, key: &str) -> Result<Option<DocumentWrite>> {
        self.shared.whole(key, |documents, id, record| {
            let Some(text) = documents.text(id, &(0..record.text_bytes))? else { return Ok(None) };
            let mut passages = Vec::new();
            for row in record.first_row..record.first_row.saturating_add(record.row_count) {
                let Some(passage) = documents.passage(row)? else { return Ok(None) };
                let Some(vector) = self.vector_in_time(row)? else { return Ok(None) };
                passages.push(PassageWrite::of(passage, vector));
            }
            let DocumentRecord { key, title, content_hash, metadata, source_map, .. } = record;
            Ok(Some(DocumentWrite { key, title, text, content_hash, metadata, source_map, passages }))
        })
    }

    /// Iterates over all documents, in key order; each is read when the iterator reaches it. The
    /// database stays open as long as the iterator.
    pub fn documents(&self) -> impl Iterator<Item = Result<Document>> + use<> {
        let (shared, documents) = (Arc::clone(&self.shared), self.shared.documents());
        documents.keys().filter_map(move |entry| {
            let read = entry.and_then(|(key, id)| match documents.document(id)? {
                Some(record) => Ok(Some(Document::from(record))),
                // Replaced or removed after its key was read.
                None => shared.document(&key),
            });
            read.transpose()
        })
    }

    /// Iterates over the documents that pass `filter`, in key order; each is read when the iterator
    /// reaches it. The database stays open as long as the iterator.
    ///
    /// # Errors
    /// [`StorageError::FilterValue`] if the filter compares with a value that no field compares
    /// with.
    pub fn documents_where<'a>(
        &self,
        filter: &'a Filter,
    ) -> Result<impl Iterator<Item = Result<Document>> + use<'a>> {
        filter.check()?;
        let (shared, documents) = (Arc::clone(&self.shared), self.shared.documents());
        let passes = |fields: &Fields| filter.passes(fields);
        let read = move |key: &str, id| match documents.document_where(id, passes)? {
            Some(Some(record)) => Ok(Some(record)),
            Some(None) => Ok(None),
            // Replaced or removed after its key was read.
            None => {
                let found = shared.whole(key, |documents, id, _| documents.document_where(id, passes));
                found.map(Option::flatten)
            }
        };
        let keys = self.shared.documents().keys();
        Ok(keys.filter_map(move |entry| {
            let found = entry.and_then(|(key, id)| read(&key, id));
            found.map(|record| record.map(Document::from)).transpose()
        }))
    }

    /// Returns the stored vector of a row (of unit length under cosine); `None` if there is no such
    /// row.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if the vector is damaged.
    pub fn vector(&self, row: u64) -> Result<Option<Vec<f32>>> {
        let snapshot = self.shared.current();
        snapshot.ids_are_sound()?;
        if snapshot.removed.contains(row) {
            return Ok(None);
        }
        Ok(snapshot.sound_vector(row)?.map(Cow::into_owned))
    }

    /// Returns the vector of a row in the trees, which may have it before searches see it.
    fn vector_in_time(&self, row: u64) -> Result<Option<Vec<f32>>> {
        loop {
            let writing = self.shared.sequence.load(Ordering::Acquire) % 2 == 1;
            let vector = self.vector(row)?;
            if vector.is_some() || !writing || self.shared.current().removed.contains(row) {
                return Ok(vector);
            }
            self.shared.unpoisoned()?;
            self.shared.wait();
        }
    }
}

impl Shared {
    fn document(&self, key: &str) -> Result<Option<Document>> {
        self.whole(key, |_, _, record| Ok(Some(Document::from(record))))
    }

    /// Reads something of a document; `read` returns `None` if the document is removed meanwhile.
    fn whole<T>(
        &self,
        key: &str,
        read: impl Fn(&Documents, u64, DocumentRecord) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let documents = &self.documents();
        let mut missing = None;
        loop {
            let Some(id) = documents.id_of(key)? else { return Ok(None) };
            if missing == Some(id) {
                let what = format!("parts of document {key:?} are missing");
                return Err(StorageError::corrupt(documents.path(), what));
            }
            if let Some(record) = documents.document(id)?
                && let Some(found) = read(documents, id, record)?
            {
                return Ok(Some(found));
            }
            missing = Some(id);
        }
    }
}

/// Returns a row's passage with its text; `None` if any part of it is missing.
fn passage(documents: &Documents, row: u64) -> Result<Option<Passage>> {
    let Some(record) = documents.passage(row)? else { return Ok(None) };
    Passage::read(documents, row, record)
}
