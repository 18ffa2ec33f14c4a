//! How widely a search looks.

/// How widely a search looks for the nearest rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effort {
    /// Until it has found that share of the nearest rows, on average: a segment is measured when it is made, and knows what
    /// its graph needs for that. From 0 to 1, where 1 looks at every row.
    Recall(f32),
    /// So many candidates are kept in each segment: `ef` of HNSW (Malkov and Yashunin 2016, section 4). But no fewer than
    /// hits are wanted, and, in a segment whose graph was found to find .95 of the nearest rows, than that
    /// takes.
    Candidates(usize),
}

impl Default for Effort {
    fn default() -> Self {
        Self::Recall(DEFAULT_RECALL)
    }
}

/// 96: candidates that are kept at least in segments that were not measured, which older versions made.
pub const DEFAULT_EF_SEARCH: usize = 96;
/// What fewer candidates than asked for are never kept for.
pub(crate) const LEAST_RECALL: f32 = 0.95;
/// 0.99.
pub const DEFAULT_RECALL: f32 = 0.99;
