//! The growing graph as flat lists, with every row reachable from the entry.
//!
//! `hnsw_rs` drops the farthest back-link of a full list, so a few rows end up in nobody's list. Those are linked
//! from the nearest row that has room, or has a link that no other row depends on.

use super::links::NONE;
use crate::index::growing_graph::GrowingGraph;
use std::collections::BTreeMap;

/// Owned lists, ready to be written.
pub(crate) struct FrozenGraph {
    pub(crate) entry: u32,
    pub(crate) stride: usize,
    pub(crate) level0: Vec<u32>,
    /// Per level from 1: nodes ascending, stride, lists.
    pub(crate) upper: Vec<(Vec<u32>, usize, Vec<u32>)>,
}

impl FrozenGraph {
    /// Copies the lists of a graph of `rows` rows that is no longer growing.
    pub(crate) fn of(graph: &GrowingGraph, rows: usize, m: usize) -> Self {
        let stride = 2 * m;
        let mut level0 = vec![NONE; rows * stride];
        let mut level1 = BTreeMap::new();
        graph.for_each_list(|row, level, list| {
            let list =
                list.into_iter().filter(|&neighbor| neighbor as usize != row && (neighbor as usize) < rows);
            if level == 0 {
                let places = &mut level0[row * stride..(row + 1) * stride];
                places.iter_mut().zip(list).for_each(|(place, neighbor)| *place = neighbor);
            } else {
                let mut places = vec![NONE; m];
                places.iter_mut().zip(list).for_each(|(place, neighbor)| *place = neighbor);
                level1.insert(row as u32, places);
            }
        });
        let entry = level1.keys().next().copied().unwrap_or(0);
        let upper = if level1.is_empty() {
            Vec::new()
        } else {
            vec![(level1.keys().copied().collect(), m, level1.into_values().flatten().collect())]
        };
        let mut frozen = Self { entry, stride, level0, upper };
        frozen.repair(rows);
        frozen
    }

    /// Gives every row a path from the entry: a spanning tree, whose links are never replaced, grows until it has all.
    fn repair(&mut self, rows: usize) {
        if rows == 0 {
            return;
        }
        let mut parents = vec![NONE; rows];
        parents[self.entry as usize] = self.entry;
        self.grow(&mut parents, self.entry);
        for row in 0..rows {
            if parents[row] != NONE {
                continue;
            }
            let own = self.list(row).iter().copied().filter(|&n| n != NONE);
            let near = own.filter(|&n| parents[n as usize] != NONE);
            // The leaves of a tree have room, so some row always has.
            let anyone = (0..rows as u32).filter(|&n| parents[n as usize] != NONE);
            let found = near.chain(anyone).find_map(|from| Some((from, self.spare_place(from, &parents)?)));
            let Some((from, place)) = found else { return };
            self.level0[from as usize * self.stride + place] = row as u32;
            parents[row] = from;
            self.grow(&mut parents, row as u32);
        }
    }

    /// The last place of a list that is empty or whose link the tree does not need.
    fn spare_place(&self, row: u32, parents: &[u32]) -> Option<usize> {
        let needed = |&n: &u32| n != NONE && parents[n as usize] == row;
        self.list(row as usize)
            .iter()
            .position(|&n| n == NONE)
            .or_else(|| self.list(row as usize).iter().rposition(|n| !needed(n)))
    }

    /// Adds to the tree what can be reached from a row of it.
    fn grow(&self, parents: &mut [u32], start: u32) {
        let mut stack = vec![start];
        while let Some(row) = stack.pop() {
            for &neighbor in self.list(row as usize).iter().filter(|&&n| n != NONE) {
                if parents[neighbor as usize] == NONE {
                    parents[neighbor as usize] = row;
                    stack.push(neighbor);
                }
            }
        }
    }

    fn list(&self, row: usize) -> &[u32] {
        &self.level0[row * self.stride..(row + 1) * self.stride]
    }

    #[cfg(test)]
    pub(crate) fn unreachable(&self, rows: usize) -> usize {
        let mut parents = vec![NONE; rows];
        parents[self.entry as usize] = self.entry;
        self.grow(&mut parents, self.entry);
        parents.into_iter().filter(|&parent| parent == NONE).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::metric::Metric;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn every_row_is_reachable(points in proptest::collection::vec((0i8..12, 0i8..4), 1..400), m in 2usize..6) {
            let vectors: Vec<[f32; 2]> = points.iter().map(|&(x, y)| [f32::from(x), f32::from(y)]).collect();
            let graph = GrowingGraph::new(Metric::L2, m, 20, vectors.len(), 0.0);
            graph.insert(&vectors.iter().map(|v| &v[..]).collect::<Vec<_>>());
            let frozen = FrozenGraph::of(&graph, vectors.len(), m);
            prop_assert_eq!(frozen.unreachable(vectors.len()), 0);
        }
    }
}
