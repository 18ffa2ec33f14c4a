//! One GGUF file, which holds a model's settings, tokenizer, chat template and (quantized) weights.
//!
//! The file is checked here in full before any tensor library reads it: every count or length is
//! compared with the bytes present before it is used; tensors lie inside the file and share no
//! byte. Versions 2 and 3, little-endian.
//!
//! file | responsibility
//! ---|---
//! `reader.rs` | numbers, strings and lists from the header, each bounded
//! `header.rs` | metadata and the positions of tensors
//! `tokenizer.rs` | the tokenizer that the metadata describe
//! `sentencepiece.rs` | merges for a vocabulary that has only scores

mod header;
mod reader;
mod sentencepiece;
#[cfg(test)]
mod tests;
mod tokenizer;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::{CheckpointError, Damage};

pub use header::GgufTensor;
pub use reader::GgufValue;

/// A GGUF file whose header was read and checked.
#[derive(Clone, Debug)]
pub struct GgufFile {
    path: PathBuf,
    metadata: BTreeMap<String, GgufValue>,
    tensors: BTreeMap<String, GgufTensor>,
}

impl GgufFile {
    /// Reads and checks the header of `path`; the weights are not read.
    ///
    /// # Errors
    /// [`CheckpointError::Io`], or [`CheckpointError::Corrupt`] naming the damage.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let (metadata, tensors) = header::read(path)?;
        Ok(Self { path: path.to_owned(), metadata, tensors })
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name of the model: the file's name without `.gguf`.
    pub fn name(&self) -> String {
        self.path.file_stem().map_or_else(|| "model".to_owned(), |stem| stem.to_string_lossy().into_owned())
    }

    /// The tensors by their names in the file.
    pub fn tensors(&self) -> &BTreeMap<String, GgufTensor> {
        &self.tensors
    }

    /// Reads the bytes of the tensor called `name`, as they are in the file; `None` when there is no
    /// such tensor.
    ///
    /// # Errors
    /// [`CheckpointError::Io`]: the file was changed or removed since it was opened.
    pub fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, CheckpointError> {
        let mut bytes = Vec::new();
        Ok(self.read_into(name, &mut bytes)?.then_some(bytes))
    }

    /// As [`GgufFile::bytes`], in place of what is in `buffer`; false when there is no such tensor.
    ///
    /// # Errors
    /// As [`GgufFile::bytes`].
    pub fn read_into(&self, name: &str, buffer: &mut Vec<u8>) -> Result<bool, CheckpointError> {
        let Some(GgufTensor { range, .. }) = self.tensors.get(name) else { return Ok(false) };
        let mut read = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(range.start))?;
            buffer.resize((range.end - range.start) as usize, 0);
            file.read_exact(buffer)
        };
        read().map_err(|source| CheckpointError::io(&self.path, source))?;
        Ok(true)
    }

    /// A value of the metadata; `None` when the key is absent.
    pub fn value(&self, key: &str) -> Option<&GgufValue> {
        self.metadata.get(key)
    }

    /// A string of the metadata; `None` when the key is absent or of another type.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.value(key)? {
            GgufValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number of the metadata, at least 0; `None` when the key is absent or of another
    /// type.
    pub fn count(&self, key: &str) -> Option<u64> {
        match self.value(key)? {
            GgufValue::Integer(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// A number of the metadata; `None` when the key is absent or of another type.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.value(key)? {
            GgufValue::Real(value) => Some(*value),
            GgufValue::Integer(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// A boolean of the metadata; `None` when the key is absent or of another type.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key)? {
            GgufValue::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// A list of strings of the metadata; `None` when the key is absent or of another type.
    pub fn texts(&self, key: &str) -> Option<&[String]> {
        match self.value(key)? {
            GgufValue::Texts(texts) => Some(texts),
            // An empty list may be written with any element type.
            GgufValue::Integers(none) if none.is_empty() => Some(&[]),
            _ => None,
        }
    }

    fn unreadable(&self, reason: impl Into<String>) -> CheckpointError {
        CheckpointError::corrupt(&self.path, Damage::Unreadable { reason: reason.into() })
    }
}
