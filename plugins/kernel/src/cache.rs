//! Sizes by which the products of x86 use the caches.

/// Left-hand values used for all panels before the next rows are read: 192 KB.
pub(super) const BLOCK_VALUES: usize = 48 << 10;

/// Panel rows by which memory is asked for ahead of its use, into the next panel too: few left-hand rows use
/// weights faster than they come unasked.
pub(super) const AHEAD: usize = 64;

/// Pairs on the left used for all panels before the next rows are read: 192 KB.
pub(super) const BLOCK_PAIRS: usize = 48 << 10;
