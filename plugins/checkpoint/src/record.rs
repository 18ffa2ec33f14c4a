#[cfg(any(feature = "fetch", test))]
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bounded::read_bounded;
#[cfg(any(feature = "fetch", test))]
use crate::file_digest;
use crate::known::compare;
use crate::{CheckpointError, Damage, Mismatch};

/// File in a model's folder with its record.
pub(crate) const RECORD: &str = "postil-record.json";
/// Largest record that is read, in bytes: some hundred per file.
const MAX_BYTES: u64 = 4 << 20;

/// The files of a model that no release of this program pins, as they were when the model was
/// added: they are checked against it from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Name on the hub; `None` for a copy of a folder.
    pub source: Option<String>,
    /// Commit of the hub's repository; `None` for a copy of a folder.
    pub revision: Option<String>,
    /// License as the source states it; `None` when it states none.
    pub license: Option<String>,
    /// All files, ordered by path.
    pub files: Vec<RecordedFile>,
}

/// One file of a [`Record`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFile {
    /// Path in the model folder, `/` between components.
    pub path: String,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file's content, lower-case hexadecimal.
    pub sha256: String,
}

impl Record {
    /// Reads the record in `folder`; `None` when it has none.
    ///
    /// # Errors
    /// [`CheckpointError::Corrupt`] when it is not one, or names a file outside the folder.
    pub fn read(folder: &Path) -> Result<Option<Self>, CheckpointError> {
        let path = folder.join(RECORD);
        if !path.is_file() {
            return Ok(None);
        }
        let bytes = read_bounded(&path, MAX_BYTES)?;
        let record: Self = serde_json::from_slice(&bytes).map_err(|source| {
            CheckpointError::corrupt(&path, Damage::Unreadable { reason: source.to_string() })
        })?;
        let leaves = |name: &str| {
            name.split('/').any(|part| part.is_empty() || part == "." || part == ".." || part.contains('\\'))
        };
        match record.files.iter().find(|file| leaves(&file.path)) {
            Some(file) => Err(CheckpointError::corrupt(&path, Damage::Escape { name: file.path.clone() })),
            None => Ok(Some(record)),
        }
    }

    /// Compares `folder` with the record; returns an empty list when every file matches. Other
    /// files are ignored.
    ///
    /// # Errors
    /// [`CheckpointError::Io`] when a file exists but cannot be read.
    pub fn verify(&self, folder: &Path) -> Result<Vec<Mismatch>, CheckpointError> {
        let mut mismatches = Vec::new();
        for file in &self.files {
            mismatches.extend(compare(folder, &file.path, file.bytes, &file.sha256)?);
        }
        Ok(mismatches)
    }

    /// Describes every file of `folder` by its length and digest.
    #[cfg(any(feature = "fetch", test))]
    pub(crate) fn of(folder: &Path) -> Result<Self, CheckpointError> {
        let mut files = Vec::new();
        collect(folder, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { source: None, revision: None, license: None, files })
    }
}

#[cfg(any(feature = "fetch", test))]
fn collect(folder: &Path, prefix: &str, files: &mut Vec<RecordedFile>) -> Result<(), CheckpointError> {
    let io = |source| CheckpointError::io(folder, source);
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        // Names come from `Stage::write`, which was given text.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let (path, name) = (entry.path(), format!("{prefix}{name}"));
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else if name != RECORD {
            let bytes = entry.metadata().map_err(io)?.len();
            files.push(RecordedFile { sha256: file_digest(&path)?, path: name, bytes });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_finds_what_changed_and_what_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("1_Pooling")).unwrap();
        for name in ["config.json", "1_Pooling/config.json", "w.safetensors"] {
            fs::write(at(name), name).unwrap();
        }
        let record = Record::of(folder.path()).unwrap();
        fs::write(at(RECORD), serde_json::to_string(&record).unwrap()).unwrap();
        assert_eq!(Record::read(folder.path()).unwrap(), Some(record.clone()));
        assert_eq!(record.files.len(), 3);
        assert_eq!(record.verify(folder.path()).unwrap(), []);
        fs::write(at("w.safetensors"), "W.safetensors").unwrap();
        fs::remove_file(at("1_Pooling/config.json")).unwrap();
        let found = record.verify(folder.path()).unwrap();
        assert!(matches!(&found[..], [Mismatch::Missing { .. }, Mismatch::Digest { .. }]), "{found:?}");
    }

    #[test]
    fn a_record_that_is_none_or_leads_out_of_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Record::read(folder.path()).unwrap(), None);
        let file = |path: &str| format!(r#"{{"files":[{{"path":"{path}","bytes":1,"sha256":""}}]}}"#);
        for text in ["{", "[]", &file("../secret"), &file("/etc/passwd"), &file("")] {
            fs::write(folder.path().join(RECORD), text).unwrap();
            let error = Record::read(folder.path()).unwrap_err();
            assert!(matches!(error, CheckpointError::Corrupt { .. }), "{text}: {error}");
        }
    }
}
