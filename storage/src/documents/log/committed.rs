//! A lower bound on the generation, outside of sled.
//!
//! sled takes a damaged byte in its log for the torn end that a crash leaves, and goes on with what
//! comes before: acknowledged commits would be lost silently. So each commit, once durable, also
//! writes its generation to a file of ours, which is not synced: one write of 16 bytes into the
//! page cache. After a kill it is exact; after a power failure it may be older than the trees,
//! never newer.
//!
//! ```text
//! 0            8                  12         16
//! +------------+------------------+----------+
//! | generation | CRC-32 of it     | zeros    |
//! +------------+------------------+----------+
//! ```

use crate::error::{Result, StorageError};
use parking_lot::Mutex;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// File name of the note in the database's folder.
pub(crate) const COMMITTED: &str = "COMMITTED";
const BYTES: usize = 16;

/// The file that generations are noted in.
pub(in crate::documents) struct Committed {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl Committed {
    /// Returns the note for trees in a folder of the database's folder.
    pub(in crate::documents) fn beside(trees: &Path) -> Self {
        Self { path: trees.with_file_name(COMMITTED), file: Mutex::new(None) }
    }

    /// Notes a durable generation. A failure does not fail the commit: an older bound is still a
    /// bound.
    pub(in crate::documents) fn note(&self, generation: u64) {
        let mut bytes = [0; BYTES];
        let number = generation.to_le_bytes();
        bytes[..8].copy_from_slice(&number);
        bytes[8..12].copy_from_slice(&crc32fast::hash(&number).to_le_bytes());
        let mut file = self.file.lock();
        if file.is_none() {
            *file = OpenOptions::new().write(true).create(true).truncate(false).open(&self.path).ok();
        }
        let written = file.as_mut().map(|file| file.rewind().and_then(|()| file.write_all(&bytes)));
        if !matches!(written, Some(Ok(()))) {
            *file = None;
        }
    }

    /// Refuses trees that are older than the noted generation.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] names the trees and both generations.
    pub(in crate::documents) fn check(&self, generation: u64, trees: &Path) -> Result<()> {
        match self.noted() {
            Some(noted) if noted > generation => Err(StorageError::corrupt(
                trees,
                format!(
                    "these are of generation {generation}, and generation {noted} was committed; to go on with what \
                     is left, remove {path}",
                    path = self.path.display()
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Returns the noted generation; `None` if there is none or its checksum is wrong. A damaged
    /// note does not mean damaged trees.
    fn noted(&self) -> Option<u64> {
        let mut bytes = [0; BYTES];
        File::open(&self.path).and_then(|mut file| file.read_exact(&mut bytes)).ok()?;
        let (number, crc) = (bytes[..8].try_into().ok()?, bytes[8..12].try_into().ok()?);
        (crc32fast::hash(&bytes[..8]) == u32::from_le_bytes(crc)).then_some(u64::from_le_bytes(number))
    }
}

/// Returns the generation noted in a database's folder; `None` if there is none or it is damaged.
pub(crate) fn noted_generation(database: &Path) -> Option<u64> {
    Committed { path: database.join(COMMITTED), file: Mutex::new(None) }.noted()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_trees_than_noted_are_refused_and_a_damaged_note_is_not_relied_on() {
        let folder = tempfile::tempdir().unwrap();
        let trees = folder.path().join("documents");
        let committed = Committed::beside(&trees);
        committed.check(0, &trees).unwrap();
        committed.note(7);
        committed.note(9);
        for generation in [9, 10] {
            committed.check(generation, &trees).unwrap();
        }
        let error = committed.check(8, &trees).unwrap_err().to_string();
        assert!(error.contains("generation 8") && error.contains("generation 9"), "{error}");
        let path = folder.path().join(COMMITTED);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..12 {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            committed.check(0, &trees).unwrap();
        }
        std::fs::write(&path, &whole[..5]).unwrap();
        committed.check(0, &trees).unwrap();
    }
}
