//! What a document may be at most, checked before its vectors are computed and again when it is written.

use super::{DocumentWrite, MAX_KEY_BYTES, Store, StoreOptions};
use crate::error::{Result, StorageError};
use crate::filter::{Metadata, Value};

/// The parts of a document that have limits.
#[derive(Clone, Copy, Debug)]
pub struct Extent<'a> {
    /// Its key.
    pub key: &'a str,
    /// Bytes of its text.
    pub text_bytes: usize,
    /// Bytes of its title or of the longest heading of a passage, whichever is longer.
    pub title_bytes: usize,
    /// Its fields.
    pub metadata: &'a Metadata,
    /// How many passages it has.
    pub passages: usize,
}

impl Store {
    /// Whether a document would be taken, apart from its passages' ranges and vectors.
    ///
    /// # Errors
    /// [`StorageError::Key`], [`StorageError::TextTooLong`], [`StorageError::TooMuch`] and [`StorageError::Metadata`], as
    /// [`commit`](Self::commit) would give them for the whole batch.
    pub fn admits(&self, extent: &Extent<'_>) -> Result<()> {
        key(extent.key)?;
        extent.check(&self.shared.options)
    }
}

pub(super) fn key(key: &str) -> Result<()> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return Err(StorageError::Key { got: key.len(), limit: MAX_KEY_BYTES });
    }
    Ok(())
}

impl<'a> Extent<'a> {
    pub(super) fn of(document: &'a DocumentWrite) -> Self {
        let titles = document.passages.iter().map(|passage| passage.heading.len());
        Self {
            key: &document.key,
            text_bytes: document.text.len(),
            title_bytes: titles.chain([document.title.len()]).max().unwrap_or(0),
            metadata: &document.metadata,
            passages: document.passages.len(),
        }
    }

    pub(super) fn check(&self, options: &StoreOptions) -> Result<()> {
        let key = || self.key.to_owned();
        let (got, limit) = (self.text_bytes, options.max_text_bytes);
        if got > limit {
            return Err(StorageError::TextTooLong { key: key(), got, limit });
        }
        for (what, got, limit) in [
            ("bytes of metadata", metadata_bytes(self.metadata), options.max_metadata_bytes),
            ("bytes of a title", self.title_bytes, options.max_title_bytes),
            ("passages", self.passages, options.max_passages),
        ] {
            if got > limit {
                return Err(StorageError::TooMuch { key: key(), what, got, limit });
            }
        }
        for (field, value) in self.metadata {
            if let Value::Float(value) = *value
                && !value.is_finite()
            {
                return Err(StorageError::Metadata { key: key(), field: field.clone(), value });
            }
        }
        Ok(())
    }
}

/// Bytes of names and values; of an item of a list, also of its place.
fn metadata_bytes(metadata: &Metadata) -> usize {
    let value = |value: &Value| match value {
        Value::String(text) => text.len(),
        Value::Strings(items) => items.iter().map(|item| item.len() + size_of::<u64>()).sum(),
        Value::Integer(_) | Value::Float(_) | Value::Bool(_) => size_of::<u64>(),
    };
    metadata.iter().map(|(name, of_it)| name.len() + value(of_it)).sum()
}
