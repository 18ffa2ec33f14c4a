//! Limits of a document, checked before its vectors are computed and again when it is written.

use super::StoreOptions;
use crate::error::{Result, StorageError};
use crate::value::fields::Fields;
use crate::value::{MAX_METADATA_DEPTH, Metadata, Value};

/// Largest number of bytes of a key.
pub const MAX_KEY_BYTES: usize = 4096;

/// The parts of a document that have limits.
#[derive(Clone, Copy, Debug)]
pub struct Extent<'a> {
    /// Key of the document.
    pub key: &'a str,
    /// Bytes of the document's text.
    pub text_bytes: usize,
    /// Bytes of the document's title or of the longest heading of a passage, whichever is longer.
    pub title_bytes: usize,
    /// Metadata of the document.
    pub metadata: &'a Metadata,
    /// Number of passages of the document.
    pub passages: usize,
}

pub(super) fn key(key: &str) -> Result<()> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return Err(StorageError::Key { got: key.len(), limit: MAX_KEY_BYTES });
    }
    Ok(())
}

impl Extent<'_> {
    pub(super) fn check(&self, options: &StoreOptions) -> Result<()> {
        let key = || self.key.to_owned();
        let (got, limit) = (self.text_bytes, options.max_text_bytes);
        if got > limit {
            return Err(StorageError::TextTooLong { key: key(), got, limit });
        }
        // Checked before any recursion into the metadata.
        let levels =
            1 + self.metadata.values().map(|value| value.depth(MAX_METADATA_DEPTH - 1)).max().unwrap_or(0);
        for (what, got, limit) in [
            ("levels of metadata or more", levels, MAX_METADATA_DEPTH),
            ("bytes of a title", self.title_bytes, options.max_title_bytes),
            ("passages", self.passages, options.max_passages),
        ] {
            if got > limit {
                return Err(StorageError::TooMuch { key: key(), what, got, limit });
            }
        }
        let (what, got, limit) =
            ("bytes of metadata", Fields::of(self.metadata).bytes(), options.max_metadata_bytes);
        if got > limit {
            return Err(StorageError::TooMuch { key: key(), what, got, limit });
        }
        for (field, value) in self.metadata {
            if let Some(value) = no_number(value) {
                return Err(StorageError::Metadata { key: key(), field: field.clone(), value });
            }
        }
        Ok(())
    }
}

/// Returns the first float in a value that is not finite.
fn no_number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => (!number.is_finite()).then_some(*number),
        Value::List(items) => items.iter().find_map(no_number),
        Value::Object(fields) => fields.values().find_map(no_number),
        _ => None,
    }
}
