//! A position that a graph search keeps.

/// Bit set in a candidate whose neighbours were examined; it leaves 31 bits, so a graph has fewer
/// than 2^31 rows.
const EXPANDED: u32 = 1 << 31;
/// The most rows that a graph can have.
pub(crate) const MAX_ROWS: usize = EXPANDED as usize - 1;

/// A position and its rank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) rank: f32,
    position: u32,
}

impl Candidate {
    /// Makes a candidate whose neighbours were not examined yet.
    #[inline]
    pub(super) fn new(rank: f32, position: u32) -> Self {
        Self { rank, position }
    }

    #[inline]
    pub(crate) fn position(self) -> u32 {
        self.position & !EXPANDED
    }

    /// True if its neighbours were examined.
    #[inline]
    pub(super) fn is_expanded(self) -> bool {
        self.position & EXPANDED != 0
    }

    #[inline]
    pub(super) fn expand(&mut self) {
        self.position |= EXPANDED;
    }
}
