//! Flat neighbour lists: node `i` of a level has `stride` places, filled from the front.

/// Marks the unused places of a list.
pub(crate) const NONE: u32 = u32::MAX;

/// The lists of one frozen graph, wherever their bytes are.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    /// The position at which a search starts.
    pub(crate) entry: u32,
    /// Every position, in order.
    pub(crate) level0: Lists<'a>,
    /// Level 1 and up.
    pub(crate) upper: &'a [UpperLevel<'a>],
}

/// Lists of one length after each other.
#[derive(Clone, Copy)]
pub(crate) struct Lists<'a> {
    pub(crate) stride: usize,
    pub(crate) places: &'a [u32],
}

/// The few nodes of an upper level.
#[derive(Clone, Copy)]
pub(crate) struct UpperLevel<'a> {
    /// Their positions, ascending.
    pub(crate) nodes: &'a [u32],
    /// Lists in the order of `nodes`, of indices into `nodes`.
    pub(crate) lists: Lists<'a>,
}

impl<'a> Lists<'a> {
    /// All places of a list; empty for one that is out of range.
    #[inline]
    pub(crate) fn places(self, at: usize) -> &'a [u32] {
        let from = at.saturating_mul(self.stride);
        self.places.get(from..from.saturating_add(self.stride)).unwrap_or(&[])
    }

    #[inline]
    pub(crate) fn neighbors(self, at: usize) -> impl Iterator<Item = u32> + use<'a> {
        self.places(at).iter().copied().take_while(|&neighbor| neighbor != NONE)
    }
}

/// Owned lists, ready to be written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Graph {
    pub(crate) entry: u32,
    pub(crate) stride: usize,
    pub(crate) level0: Vec<u32>,
    /// Level 1 and up.
    pub(crate) upper: Vec<Level>,
}

/// An owned upper level; see [`UpperLevel`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Level {
    pub(crate) nodes: Vec<u32>,
    pub(crate) stride: usize,
    pub(crate) links: Vec<u32>,
}

impl Level {
    pub(crate) fn borrowed(&self) -> UpperLevel<'_> {
        UpperLevel { nodes: &self.nodes, lists: Lists { stride: self.stride, places: &self.links } }
    }
}
