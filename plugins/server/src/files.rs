//! Files that were uploaded in OpenAI's way and wait to be attached to a vector store.
//!
//! The id of a file is made of its name, so that it also names the document once it is stored.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::held::Held;

/// Beginning of the id of a file.
const PREFIX: &str = "file-";

/// Batches that are remembered.
const REMEMBERED: usize = 256;

/// A file that waits.
pub(crate) struct File {
    pub(crate) bytes: Vec<u8>,
    pub(crate) media: String,
    /// Bytes that count as held while the file waits.
    pub(crate) held: Held,
}

/// Files that wait, by name.
#[derive(Default)]
pub(crate) struct Files {
    waiting: Mutex<BTreeMap<String, File>>,
    /// Files of batches by the numbers of their jobs.
    batches: Mutex<VecDeque<(String, Vec<String>)>>,
}

impl Files {
    pub(crate) fn add(&self, name: String, file: File) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(name, file);
    }

    pub(crate) fn take(&self, name: &str) -> Option<File> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(name)
    }

    /// Remembers the files of a batch.
    pub(crate) fn add_batch(&self, number: String, ids: Vec<String>) {
        let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        batches.push_back((number, ids));
        if batches.len() > REMEMBERED {
            batches.pop_front();
        }
    }

    /// The files of a batch.
    pub(crate) fn batch(&self, number: &str) -> Option<Vec<String>> {
        let batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        batches.iter().find(|(known, _)| known == number).map(|(_, ids)| ids.clone())
    }

    /// Names and sizes of the files.
    pub(crate) fn all(&self) -> Vec<(String, usize)> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().map(|(name, file)| (name.clone(), file.bytes.len())).collect()
    }

    /// Bytes of a file that waits.
    pub(crate) fn size(&self, name: &str) -> Option<usize> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).get(name).map(|file| file.bytes.len())
    }
}

/// The id of a file or document.
pub(crate) fn id_of(name: &str) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(name))
}

/// The name that an id was made of; `None` for an id that no file has.
pub(crate) fn name_of(id: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(id.strip_prefix(PREFIX)?).ok()?).ok()
}
