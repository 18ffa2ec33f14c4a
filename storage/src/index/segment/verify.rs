//! Checksums at first use: no hit comes from bytes that differ from those written.
//!
//! Opening does not read the arrays. The bytes of an answer are compared with their checksums
//! before first use: the row ids by the first search or commit (8 bytes a row), a row's vector when
//! it is ranked by it, all vectors by the first scan, everything by a merge, which would otherwise
//! give damage a new, valid checksum. Codes and links only guide the search: damage there can lose
//! a neighbour, and only [`damage`](Segment::damage) finds it.

use super::open::Segment;
use crate::error::{Result, StorageError};
use crate::sync::atomic::Ordering;
use std::ops::Range;

/// Returns the checksum of a row, over its id and the bytes of its vector.
pub(crate) fn row_checksum(id: u64, vector: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&id.to_le_bytes());
    crc.update(vector);
    crc.finalize()
}

impl Segment {
    /// Checks the row ids.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] names the file.
    pub(crate) fn ids_are_sound(&self) -> Result<()> {
        let sound = self
            .verified
            .ids
            .get_or_init(|| self.matches(&self.rows) && self.ids().is_sorted_by(|a, b| a < b));
        self.or_corrupt(*sound, || "the row ids do not match their checksum".to_owned())
    }

    /// Checks the row ids and all vectors.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] names the file.
    pub(crate) fn vectors_are_sound(&self) -> Result<()> {
        self.ids_are_sound()?;
        let sound = self.verified.vectors.get_or_init(|| self.matches(&self.vectors));
        self.or_corrupt(*sound, || "the vectors do not match their checksum".to_owned())
    }

    /// Checks the id and the vector at a position.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] names the file and the row.
    pub(crate) fn row_is_sound(&self, position: usize) -> Result<()> {
        let Some(word) = self.verified.rows.get(position / 64) else { return Ok(()) };
        let bit = 1 << (position % 64);
        if word.load(Ordering::Relaxed) & bit != 0 {
            return Ok(());
        }
        let Some(checksums) = self.row_checksums() else {
            // Written before rows had their own checksums.
            return self.vectors_are_sound();
        };
        let (id, vector) = (self.ids().get(position), self.stored_at(position));
        let sound = match (id, vector, checksums.get(position)) {
            (Some(&id), Some(vector), Some(&crc)) => row_checksum(id, vector) == crc,
            _ => false,
        };
        let corrupt = || format!("the vector of row {} does not match its checksum", id.unwrap_or(&0));
        self.or_corrupt(sound, corrupt)?;
        word.fetch_or(bit, Ordering::Relaxed);
        Ok(())
    }

    /// Checks everything; reads the whole file.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] names the file and the first damage.
    pub(crate) fn is_sound(&self) -> Result<()> {
        match self.damaged_sections().into_iter().next() {
            Some(what) => Err(StorageError::corrupt(self.path(), what)),
            None => Ok(()),
        }
    }

    /// True if a section matches its checksum.
    fn matches(&self, section: &Range<usize>) -> bool {
        let crc = crc32fast::hash(&self.map[section.clone()]);
        self.sections.iter().any(|(range, expected)| range == section && expected.crc == crc)
    }

    fn or_corrupt(&self, sound: bool, what: impl FnOnce() -> String) -> Result<()> {
        if sound { Ok(()) } else { Err(StorageError::corrupt(self.path(), what())) }
    }
}
