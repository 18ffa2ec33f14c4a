//! Rows with equal vectors: the first is a node of the graph, the others are listed with it. As
//! nodes, copies would link only to each other.

use std::borrow::Cow;
use std::ops::Deref;

/// Pairs of positions, a row and a copy of it: ascending, and no row is a copy in two of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Copies<'a>(pub(crate) &'a [[u32; 2]]);

impl<'a> Copies<'a> {
    /// Returns the copies of a row, ascending; empty for a row without copies.
    #[inline]
    pub(crate) fn of(self, row: u32) -> &'a [[u32; 2]] {
        if self.0.is_empty() {
            return &[];
        }
        let from = self.0.partition_point(|&[first, _]| first < row);
        let count = self.0[from..].partition_point(|&[first, _]| first == row);
        &self.0[from..from + count]
    }

    /// Returns `true` for each row that is a copy of another; positions out of range are ignored.
    pub(crate) fn marks(self, rows: usize) -> Vec<bool> {
        let mut marks = vec![false; rows];
        for &[_, copy] in self.0 {
            if let Some(mark) = marks.get_mut(copy as usize) {
                *mark = true;
            }
        }
        marks
    }
}

/// Finds the pairs among rows whose vectors come in order. Among the first `whole` rows, the pairs
/// are those in `known`; `at` returns the vector at a position again.
pub(crate) fn find<'v>(
    vectors: impl Iterator<Item: Deref<Target = [f32]>>,
    known: Copies<'_>,
    whole: usize,
    at: impl Fn(u32) -> Option<Cow<'v, [f32]>>,
) -> Vec<[u32; 2]> {
    let mut sums: Vec<(u32, u32)> = (0..)
        .zip(vectors)
        .map(|(position, vector)| (crc32fast::hash(bytemuck::cast_slice(&vector)), position))
        .collect();
    sums.sort_unstable();
    let is_known = known.marks(whole);
    let mut pairs = known.0.to_vec();
    let mut firsts: Vec<u32> = Vec::new();
    for alike in sums.chunk_by(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
        firsts.clear();
        for &(_, position) in alike {
            if is_known.get(position as usize) == Some(&true) {
                continue;
            }
            let vector = at(position);
            let first = firsts.iter().find(|&&first| vector.is_some() && at(first) == vector);
            match first {
                Some(&first) if position as usize >= whole => pairs.push([first, position]),
                Some(_) => {}
                None => firsts.push(position),
            }
        }
    }
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(rows: &[[f32; 2]], known: &[[u32; 2]], whole: usize) -> Vec<[u32; 2]> {
        let at = |position: u32| rows.get(position as usize).map(|row| Cow::Borrowed(&row[..]));
        find(rows.iter().map(|row| &row[..]), Copies(known), whole, at)
    }

    #[test]
    fn rows_with_equal_vectors_are_copies_of_the_first() {
        let (a, b, c) = ([1.0, 2.0], [2.0, 1.0], [0.5, 0.5]);
        let rows = [a, b, a, c, b, a];
        assert_eq!(pairs(&rows, &[], 0), [[0, 2], [0, 5], [1, 4]]);
        assert_eq!(Copies(&[[0, 2], [0, 5], [1, 4]]).of(0), [[0, 2], [0, 5]]);
        assert!(Copies(&[[0, 2]]).of(2).is_empty() && Copies::default().of(0).is_empty());
        assert_eq!(Copies(&[[0, 2], [1, 9]]).marks(4), [false, false, true, false]);
    }

    #[test]
    fn rows_that_were_nodes_before_stay_nodes_and_known_copies_stay_copies() {
        let (a, b) = ([1.0, 2.0], [2.0, 1.0]);
        assert_eq!(pairs(&[a, a, b, a, b], &[], 3), [[0, 3], [2, 4]]);
        assert_eq!(pairs(&[a, a, b, a, b], &[[0, 1]], 3), [[0, 1], [0, 3], [2, 4]]);
    }
}
