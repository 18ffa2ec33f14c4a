//! The writes of a caller, and their checks, all of which come before anything is locked.

use super::limits::{self, Extent};
use super::{Profile, StoreOptions};
use crate::documents::PassageRecord;
use crate::error::{Result, StorageError};
use crate::value::Metadata;
use std::collections::HashSet;
use std::ops::Range;

/// Number of passages that fill a batch.
const FULL_PASSAGES: usize = 1024;

/// A document to be stored: its text once, and its passages as ranges of it.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentWrite {
    /// Name of the document; writing the same key again replaces the document.
    pub key: String,
    /// Title of the document; may be empty.
    pub title: String,
    /// The text that passages are ranges of.
    pub text: String,
    /// The caller's hash of the original; stored without being interpreted.
    pub content_hash: [u8; 32],
    /// Fields to filter by.
    pub metadata: Metadata,
    /// The caller's map from text to source offsets; stored without being interpreted.
    pub source_map: Vec<u8>,
    /// The passages, one row each.
    pub passages: Vec<PassageWrite>,
}

/// One row: a range of the text and its vector.
#[derive(Clone, Debug, PartialEq)]
pub struct PassageWrite {
    /// Bytes of the document's text.
    pub range: Range<u64>,
    /// Bytes of the original document.
    pub source_range: Range<u64>,
    /// Bytes of the document's text that are read before those of `range`, such as the header of a
    /// table before some of its rows; empty for none.
    pub lead: Range<u64>,
    /// The caller's places of the text, such as its pages; empty for none; stored without being
    /// interpreted.
    pub places: Vec<u8>,
    /// Path of the headings above the passage. It is embedded before the passage's text, so a
    /// repeated embedding needs the same path.
    pub heading: String,
    /// The vector as the encoder returned it.
    pub vector: Vec<f32>,
}

impl DocumentWrite {
    /// Makes a plain vector under a key: a document without text, with one passage.
    #[must_use]
    pub fn row(key: impl Into<String>, vector: Vec<f32>, metadata: Metadata) -> Self {
        let (heading, places) = (String::new(), Vec::new());
        let passage = PassageWrite { range: 0..0, source_range: 0..0, lead: 0..0, places, heading, vector };
        Self {
            key: key.into(),
            title: String::new(),
            text: String::new(),
            content_hash: [0; 32],
            metadata,
            source_map: Vec::new(),
            passages: vec![passage],
        }
    }
}

impl PassageWrite {
    /// Returns the passage as it was written.
    pub(super) fn of(record: PassageRecord, vector: Vec<f32>) -> Self {
        Self {
            range: record.start..record.end,
            source_range: record.source_start..record.source_end,
            lead: record.lead_start..record.lead_end,
            places: record.places,
            heading: record.heading,
            vector,
        }
    }
}

/// Writes that are applied together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(super) upserts: Vec<DocumentWrite>,
    pub(super) removes: Vec<String>,
}

impl Batch {
    /// Makes an empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the document, or replaces the one of the same key.
    pub fn upsert(&mut self, document: DocumentWrite) {
        self.upserts.push(document);
    }

    /// Removes a document; a key that does not exist is not an error.
    pub fn remove(&mut self, key: impl Into<String>) {
        self.removes.push(key.into());
    }

    /// True if there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.upserts.is_empty() && self.removes.is_empty()
    }

    /// True from 1024 passages on, where a document without passages counts as one: the flush of a
    /// commit then costs little compared with making the vectors.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let passages = self.upserts.iter().map(|document| document.passages.len().max(1));
        passages.sum::<usize>() >= FULL_PASSAGES
    }

    /// Returns the bytes of text and vectors in the batch.
    pub(super) fn payload_bytes(&self) -> u64 {
        let passage = |passage: &PassageWrite| 4 * passage.vector.len() + passage.heading.len();
        let document = |document: &DocumentWrite| {
            document.text.len() + document.passages.iter().map(passage).sum::<usize>()
        };
        self.upserts.iter().map(document).sum::<usize>() as u64
    }

    /// Checks everything, and converts the vectors to their stored form.
    pub(super) fn prepare(&mut self, profile: &Profile, options: &StoreOptions) -> Result<()> {
        let mut seen = HashSet::new();
        for key in self.upserts.iter().map(|document| &document.key).chain(&self.removes) {
            limits::key(key)?;
            if !seen.insert(key.as_str()) {
                return Err(StorageError::DuplicateKey { key: key.clone() });
            }
        }
        for document in &mut self.upserts {
            document.prepare(profile, options)?;
        }
        Ok(())
    }
}

impl DocumentWrite {
    fn extent(&self) -> Extent<'_> {
        let titles = self.passages.iter().map(|passage| passage.heading.len());
        Extent {
            key: &self.key,
            text_bytes: self.text.len(),
            title_bytes: titles.chain([self.title.len()]).max().unwrap_or(0),
            metadata: &self.metadata,
            passages: self.passages.len(),
        }
    }

    fn prepare(&mut self, profile: &Profile, options: &StoreOptions) -> Result<()> {
        self.extent().check(options)?;
        let (key, text) = (&self.key, &self.text);
        for passage in &mut self.passages {
            let boundary = |at: u64| usize::try_from(at).is_ok_and(|at| text.is_char_boundary(at));
            let is_part =
                |range: &Range<u64>| range.start <= range.end && boundary(range.start) && boundary(range.end);
            let whole_source = passage.source_range.start <= passage.source_range.end;
            for Range { start, end } in [passage.lead.clone(), passage.range.clone()] {
                if !is_part(&(start..end)) || !whole_source {
                    let text_bytes = text.len() as u64;
                    return Err(StorageError::Range { key: key.clone(), start, end, text_bytes });
                }
            }
            passage.vector = profile.prepare(&passage.vector)?;
        }
        Ok(())
    }
}

/// The result of a commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Documents under new keys.
    pub added: usize,
    /// Documents that replaced one of the same key.
    pub replaced: usize,
    /// Documents removed.
    pub removed: usize,
    /// Passages written.
    pub passages: usize,
}
