//! A count of the bytes of bodies that are in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of bodies that are held until this is dropped.
pub(crate) struct Held {
    all: Arc<AtomicUsize>,
    bytes: usize,
}

impl Held {
    /// Adds to the count; gives what it was before, too.
    pub(crate) fn count(all: &Arc<AtomicUsize>, bytes: usize) -> (Self, usize) {
        let before = all.fetch_add(bytes, Ordering::Relaxed);
        (Self { all: Arc::clone(all), bytes }, before)
    }

    /// Joins two.
    pub(crate) fn add(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
