//! Fetching the memory of entries that are about to be read; see `base::ahead`.
//!
//! Records in the trees are in sled's own memory, which cannot be fetched.

use super::base::Part;
use super::keys::{self, TEXT_BLOCK_BYTES};
use super::trees::Documents;

impl Documents {
    /// Fetches what [`passage`](Self::passage) reads for each row.
    pub(crate) fn fetch_passages(&self, rows: impl Iterator<Item = u64>) {
        self.fetch_ids(Part::Passages, rows);
    }

    /// Fetches what [`document`](Self::document) reads for each id.
    pub(crate) fn fetch_documents(&self, ids: impl Iterator<Item = u64>) {
        self.fetch_ids(Part::Documents, ids);
    }

    /// Fetches what [`text`](Self::text) reads first for ranges that begin at a byte of a document.
    pub(crate) fn fetch_texts(&self, starts: impl Iterator<Item = (u64, u64)>) {
        let Some(base) = self.base() else { return };
        let block_bytes = TEXT_BLOCK_BYTES as u64;
        let place = |(document, start): (u64, u64)| {
            let number = u32::try_from(start / block_bytes).unwrap_or(u32::MAX);
            (keys::block(document, number), (start % block_bytes) as usize)
        };
        base.fetch(Part::Texts, &starts.map(place).collect::<Vec<_>>());
    }

    fn fetch_ids(&self, part: Part, ids: impl Iterator<Item = u64>) {
        if let Some(base) = self.base() {
            base.fetch(part, &ids.map(|id| (keys::id(id), 0)).collect::<Vec<_>>());
        }
    }
}
