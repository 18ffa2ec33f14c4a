//! Block sizes by which the x86 products use the caches.

/// Number of left-hand values used for all panels before the next rows are read: 192 KB.
pub(super) const BLOCK_VALUES: usize = 48 << 10;

/// Number of panel rows to prefetch ahead, into the next panel too: with few left-hand rows,
/// weights are used faster than the hardware fetches them.
pub(super) const AHEAD: usize = 64;

/// Number of left-hand pairs used for all panels before the next rows are read: 192 KB.
pub(super) const BLOCK_PAIRS: usize = 48 << 10;
