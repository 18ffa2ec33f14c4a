//! The positions that a search of a graph keeps.

/// Set in a candidate whose neighbours were looked at: so a graph has fewer than 2^31 rows.
const EXPANDED: u32 = 1 << 31;
/// The most rows of a graph.
pub(crate) const MAX_ROWS: usize = EXPANDED as usize - 1;

/// A position and how near it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) rank: f32,
    position: u32,
}

impl Candidate {
    /// One whose neighbours were not looked at.
    #[inline]
    pub(super) fn new(rank: f32, position: u32) -> Self {
        Self { rank, position }
    }

    #[inline]
    pub(crate) fn position(self) -> u32 {
        self.position & !EXPANDED
    }

    /// True when its neighbours were looked at.
    #[inline]
    pub(super) fn is_expanded(self) -> bool {
        self.position & EXPANDED != 0
    }

    #[inline]
    pub(super) fn expand(&mut self) {
        self.position |= EXPANDED;
    }
}
