//! Flat neighbour lists: node `i` of a level has `stride` places, filled from the front.

/// Marker of an unused place in a list.
pub(crate) const NONE: u32 = u32::MAX;

/// The lists of one frozen graph, in memory or in a file.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    /// The position at which a search starts.
    pub(crate) entry: u32,
    /// The list of every position, in order.
    pub(crate) level0: Lists<'a>,
    /// The levels from 1 up.
    pub(crate) upper: &'a [UpperLevel<'a>],
}

/// Consecutive lists of one length.
#[derive(Clone, Copy)]
pub(crate) struct Lists<'a> {
    pub(crate) stride: usize,
    pub(crate) places: &'a [u32],
}

/// The few nodes of an upper level.
#[derive(Clone, Copy)]
pub(crate) struct UpperLevel<'a> {
    /// Positions of the nodes, ascending.
    pub(crate) nodes: &'a [u32],
    /// Lists in the order of `nodes`; they hold indices into `nodes`.
    pub(crate) lists: Lists<'a>,
}

impl<'a> Lists<'a> {
    /// Returns all places of a list; empty if `at` is out of range.
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
    /// The levels from 1 up.
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
