//! The parts of an open segment that are known to be sound.

use crate::sync::atomic::AtomicU64;
use std::sync::OnceLock;

/// Results of the checks since the segment was opened.
pub(super) struct Verified {
    pub(super) ids: OnceLock<bool>,
    pub(super) vectors: OnceLock<bool>,
    /// One bit per row.
    pub(super) rows: Box<[AtomicU64]>,
}

impl Verified {
    pub(super) fn nothing_of(rows: usize) -> Self {
        let words = (0..rows.div_ceil(64)).map(|_| AtomicU64::new(0));
        Self { ids: OnceLock::new(), vectors: OnceLock::new(), rows: words.collect() }
    }
}
