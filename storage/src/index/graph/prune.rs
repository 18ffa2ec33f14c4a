//! The choice of neighbours among candidates: near ones, none of which is nearer to another than to
//! the row itself (Malkov and Yashunin 2016, algorithm 4); then, if there is room, with slack
//! (Subramanya et al. 2019, "DiskANN", algorithm 2).

use crate::vector::metric::Metric;
use crate::vector::rows::Rows;

/// Ratio of squared distances, to the row and to a kept neighbour, above which a candidate stays
/// out of a list that has room.
const SLACK: f32 = 1.1;

/// Squared distances between rows, by their codes or their vectors.
///
/// Inner products are not distances: the metric may lift rows, see [`Metric::lifts`].
pub(super) struct Space<'a> {
    rows: Rows<'a>,
    norms: Vec<f32>,
    /// The extra component of each row; empty if the metric does not lift.
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
    pub(super) fn new(metric: Metric, rows: Rows<'a>) -> Self {
        let norms: Vec<f32> = (0..rows.count() as u32).map(|row| rows.product(row, row)).collect();
        let mut lift = Vec::new();
        if metric.lifts() {
            let most = norms.iter().copied().fold(0.0, f32::max);
            lift = norms.iter().map(|norm| (most - norm).max(0.0).sqrt()).collect();
        }
        Self { rows, norms, lift }
    }

    pub(super) fn rows(&self) -> usize {
        self.norms.len()
    }

    #[inline]
    pub(super) fn distance(&self, a: u32, b: u32) -> f32 {
        self.lifted(a, b, self.rows.squared_distance(a, b, &self.norms))
    }

    #[inline]
    fn lifted(&self, a: u32, b: u32, distance: f32) -> f32 {
        if self.lift.is_empty() {
            return distance;
        }
        distance + (self.lift[a as usize] - self.lift[b as usize]).powi(2)
    }

    #[inline]
    fn distances_of_four(&self, row: u32, others: &[u32; 4]) -> [f32; 4] {
        let distances = self.rows.squared_distances(row, *others, &self.norms);
        if self.lift.is_empty() {
            return distances;
        }
        std::array::from_fn(|at| self.lifted(row, others[at], distances[at]))
    }

    /// Appends the distance of a row from each of the others.
    #[inline]
    pub(super) fn distances(&self, row: u32, others: &[u32], out: &mut Vec<f32>) {
        let (fours, rest) = others.as_chunks::<4>();
        fours.iter().for_each(|four| out.extend(self.distances_of_four(row, four)));
        out.extend(rest.iter().map(|&other| self.distance(row, other)));
    }

    /// Returns the first distance from the row to one of the others that is small enough.
    #[inline]
    fn first_distance(&self, row: u32, others: &[u32], is_small: impl Fn(f32) -> bool) -> Option<f32> {
        let (fours, rest) = others.as_chunks::<4>();
        for four in fours {
            if let Some(found) = self.distances_of_four(row, four).into_iter().find(|&near| is_small(near)) {
                return Some(found);
            }
        }
        rest.iter().map(|&other| self.distance(row, other)).find(|&near| is_small(near))
    }

    #[inline]
    pub(super) fn prefetch(&self, row: u32) {
        self.rows.prefetch(row);
    }

    /// Selects at most `most` of the candidates, which come nearest first: those that are not
    /// nearer to a kept one than to the row, then, in the places left, those that are not nearer by
    /// more than [`SLACK`].
    ///
    /// If all were chosen with slack, the nearest would fill the list when rows are about equally
    /// far from each other, and leave no room for other directions.
    pub(super) fn select(&self, candidates: impl Iterator<Item = Near>, most: usize) -> Vec<Near> {
        let mut kept: Vec<Near> = Vec::with_capacity(most);
        let mut rows: Vec<u32> = Vec::with_capacity(most);
        let mut left_out = Vec::new();
        for candidate in candidates {
            if kept.len() == most {
                return kept;
            }
            match self.first_distance(candidate.row, &rows, |near| near < candidate.distance) {
                None => {
                    kept.push(candidate);
                    rows.push(candidate.row);
                }
                // A candidate that a kept row excludes even with slack stays out.
                Some(near) if SLACK * near < candidate.distance => {}
                Some(_) => left_out.push(candidate),
            }
        }
        for candidate in left_out {
            if kept.len() == most {
                break;
            }
            let is_near = |near: f32| SLACK * near < candidate.distance;
            if self.first_distance(candidate.row, &rows, is_near).is_none() {
                kept.push(candidate);
                rows.push(candidate.row);
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::codes::Codes;

    #[test]
    fn what_is_left_out_comes_back_with_slack_while_there_is_room() {
        // Seen from row 0: row 1 on one side, row 2 just nearer to it than to row 0, row 3 much
        // nearer; row 4 on the other side.
        let points: [[i8; 2]; 5] = [[0, 0], [60, 0], [31, 60], [70, 10], [-90, 0]];
        let codes: Vec<i8> = points.iter().flat_map(|point| point.iter().copied().chain([0; 62])).collect();
        let space = Space::new(Metric::L2, Rows::Codes(Codes { codes: &codes, stride: 64 }));
        let near = |row| Near { distance: space.distance(0, row), row };
        let rows = |most| -> Vec<u32> {
            let candidates = [1, 2, 3, 4].map(near);
            space.select(candidates.into_iter(), most).iter().map(|near| near.row).collect()
        };
        assert!(space.distance(1, 2) < space.distance(0, 2));
        assert_eq!(rows(2), [1, 4]);
        assert_eq!(rows(4), [1, 4, 2]);
    }
}
