//! Which candidates become neighbours: near ones, none of which is nearer to another than to the row itself
//! (Malkov and Yashunin 2016, algorithm 4; with slack as in Subramanya et al. 2019, "DiskANN", algorithm 2).

use crate::vector::codes::Codes;
use crate::vector::distance;
use crate::vector::metric::Metric;

/// Squared distances between rows, in codes.
///
/// Inner products are not distances: rows get one more component, which fills all of them up to one length
/// (Bachrach et al. 2014), so that the nearest of a row are those it has the greatest inner product with.
pub(super) struct Space<'a> {
    codes: Codes<'a>,
    norms: Vec<f32>,
    /// The component more; empty when the metric needs none.
    lift: Vec<f32>,
}

/// A candidate for a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Near {
    pub(super) distance: f32,
    pub(super) row: u32,
}

impl Near {
    pub(super) fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.distance.total_cmp(&other.distance).then(self.row.cmp(&other.row))
    }
}

impl<'a> Space<'a> {
    pub(super) fn new(metric: Metric, codes: Codes<'a>) -> Self {
        let mut norms: Vec<f32> = (0..codes.rows() as u32).map(|row| codes.norm(row)).collect();
        let mut lift = Vec::new();
        if metric == Metric::Dot {
            let most = norms.iter().copied().fold(0.0, f32::max);
            lift = norms.iter().map(|norm| (most - norm).max(0.0).sqrt()).collect();
            norms.fill(most);
        }
        Self { codes, norms, lift }
    }

    pub(super) fn rows(&self) -> usize {
        self.norms.len()
    }

    #[inline]
    pub(super) fn distance(&self, a: u32, b: u32) -> f32 {
        let mut product = distance::dot_codes(self.codes.row(a), self.codes.row(b)) as f32;
        if !self.lift.is_empty() {
            product += self.lift[a as usize] * self.lift[b as usize];
        }
        self.norms[a as usize] + self.norms[b as usize] - 2.0 * product
    }

    #[inline]
    pub(super) fn prefetch(&self, row: u32) {
        distance::prefetch(self.codes.row(row));
    }

    /// At most `most` of the candidates, which come nearest first.
    pub(super) fn select(
        &self,
        candidates: impl Iterator<Item = Near>,
        most: usize,
        slack: f32,
    ) -> Vec<Near> {
        let mut kept: Vec<Near> = Vec::with_capacity(most);
        for candidate in candidates {
            if kept.len() == most {
                break;
            }
            let near = |other: &Near| slack * self.distance(candidate.row, other.row) < candidate.distance;
            if !kept.iter().any(near) {
                kept.push(candidate);
            }
        }
        kept
    }
}
