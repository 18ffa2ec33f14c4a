//! Documents by the file that they were read from, so that a file ingested under another spelling
//! of its path keeps its document.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use postil_storage::{Store, Value};

use super::FILE_FIELD;
use super::place::Places;
use crate::Error;
use crate::extract::FileKind;

/// Keys of documents, by the place of their file.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Documents that are a whole file. Several of one file are duplicates.
    pub(crate) files: HashMap<PathBuf, Vec<String>>,
    /// Documents that are a record in a file.
    pub(crate) records: HashMap<PathBuf, Vec<String>>,
    /// Paths of files of records, as they were given.
    pub(crate) given: HashMap<PathBuf, String>,
}

impl Known {
    /// Reads the documents whose file is at a wanted place.
    pub(crate) fn read(
        store: &Store,
        places: &Places,
        is_wanted: impl Fn(&Path) -> bool,
    ) -> Result<Self, Error> {
        let mut known = Self::default();
        for document in store.documents() {
            let document = document?;
            let Some(place) = places.of_document(&document.metadata).filter(|place| is_wanted(place)) else {
                continue;
            };
            if !is_of_records(&place) {
                known.files.entry(place).or_default().push(document.key);
                continue;
            }
            if let Some(Value::String(given)) = document.metadata.get(FILE_FIELD)
                && !known.given.contains_key(&place)
            {
                known.given.insert(place.clone(), given.clone());
            }
            known.records.entry(place).or_default().push(document.key);
        }
        Ok(known)
    }
}

/// True for a file with a document on each line.
pub(crate) fn is_of_records(place: &Path) -> bool {
    FileKind::of(place) == Some(FileKind::Records)
}
