//! Segments that are due to be made anew.

use crate::store::snapshot::Snapshot;

/// Segments up to this many times the rows that come after them are merged with those: the more, the fewer segments to
/// search, and the more often a row is copied. It is linked again only where it is not of the first of them.
const MERGE: usize = 8;
/// A segment with more than one removed row in this many is made anew.
const WASTEFUL: usize = 4;

/// From which segment on merging with the growing rows is worth it: each row is copied a few times in its life, and
/// there are few segments to search. (O'Neil et al. 1996, "The log-structured merge-tree".)
pub(super) fn worth_merging(snapshot: &Snapshot) -> usize {
    let mut rows = snapshot.growing.rows();
    let mut at = snapshot.segments.len();
    while at > 0 && snapshot.segments[at - 1].ids().len() <= MERGE * rows {
        at -= 1;
        rows += snapshot.segments[at].ids().len();
    }
    at
}

/// A segment many of whose rows are removed.
pub(super) fn wasteful(snapshot: &Snapshot) -> Option<usize> {
    snapshot.segments.iter().position(|segment| snapshot.removed_in(segment) * WASTEFUL > segment.ids().len())
}
