//! The effort of a search.

/// Effort of a search for the nearest rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effort {
    /// Searches until this share of the nearest rows is found, on average; from 0 to 1, where 1
    /// scans every row. A segment is measured when it is made, and records what its graph needs for
    /// a share.
    Recall(f32),
    /// Keeps this number of candidates in each segment: `ef` of HNSW (Malkov and Yashunin 2016,
    /// section 4). At least the number of hits wanted is kept, and, in a segment whose graph was
    /// measured to find .95 of the nearest rows, at least as many as that takes.
    Candidates(usize),
}

impl Default for Effort {
    fn default() -> Self {
        Self::Recall(DEFAULT_RECALL)
    }
}

/// Least number of candidates kept in segments of older versions, which were not measured: 96.
pub const DEFAULT_EF_SEARCH: usize = 96;
/// Recall that bounds [`Effort::Candidates`] from below: at least the candidates that it takes are
/// kept.
pub(crate) const LEAST_RECALL: f32 = 0.95;
/// Default recall of a search: 0.99.
pub const DEFAULT_RECALL: f32 = 0.99;
