//! Flat neighbour lists: row `i` of level 0 has `stride` places, filled from the front.

/// Marks the unused places of a list.
pub(crate) const NONE: u32 = u32::MAX;

/// The lists of one frozen graph, wherever their bytes are.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    /// Where a search starts.
    pub(crate) entry: u32,
    /// Places per list at level 0.
    pub(crate) stride: usize,
    pub(crate) level0: &'a [u32],
    /// Level 1 and up.
    pub(crate) upper: &'a [UpperLevel<'a>],
}

/// The few rows of an upper level.
#[derive(Clone, Copy)]
pub(crate) struct UpperLevel<'a> {
    /// Ascending.
    pub(crate) nodes: &'a [u32],
    pub(crate) stride: usize,
    /// Lists in the order of `nodes`.
    pub(crate) links: &'a [u32],
}

impl<'a> Links<'a> {
    #[inline]
    pub(crate) fn neighbors(&self, row: u32) -> impl Iterator<Item = u32> + use<'a> {
        list(self.level0, row as usize, self.stride)
    }
}

impl<'a> UpperLevel<'a> {
    pub(crate) fn neighbors(&self, row: u32) -> impl Iterator<Item = u32> + use<'a> {
        let at = self.nodes.binary_search(&row).unwrap_or(usize::MAX);
        list(self.links, at, self.stride)
    }
}

#[inline]
fn list(all: &[u32], at: usize, stride: usize) -> impl Iterator<Item = u32> + use<'_> {
    let from = at.saturating_mul(stride);
    let list = all.get(from..from.saturating_add(stride)).unwrap_or(&[]);
    list.iter().copied().take_while(|&neighbor| neighbor != NONE)
}
