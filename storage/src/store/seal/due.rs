//! The choice of segments to merge or rewrite.

use crate::store::snapshot::Snapshot;

/// Largest ratio of a segment's rows to the rows after it at which they are merged: the higher, the
/// fewer segments to search, and the more often a row is copied. Only rows that are not in the
/// first segment are linked again.
const MERGE: usize = 8;
/// A segment with more than one removed row in this many is rewritten.
const WASTEFUL: usize = 4;

/// Returns the index of the first segment worth merging with the growing rows: each row is copied a
/// few times in its life, and there are few segments to search. (O'Neil et al. 1996, "The
/// log-structured merge-tree".)
pub(super) fn worth_merging(snapshot: &Snapshot) -> usize {
    let mut rows = snapshot.growing.rows();
    let mut at = snapshot.segments.len();
    while at > 0 && snapshot.segments[at - 1].ids().len() <= MERGE * rows {
        at -= 1;
        rows += snapshot.segments[at].ids().len();
    }
    at
}

/// Returns the index of a segment with many removed rows; `None` if there is none.
pub(super) fn wasteful(snapshot: &Snapshot) -> Option<usize> {
    snapshot.segments.iter().position(|segment| snapshot.removed_in(segment) * WASTEFUL > segment.ids().len())
}
