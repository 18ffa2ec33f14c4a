//! The growing graph as flat lists, with every row reachable from the entry.
//!
//! `hnsw_rs` drops the farthest back-link of a full list, so a few rows end up in nobody's list. Those are linked
//! from the nearest row that can be reached, in place of its farthest link if its list is full.

use super::links::NONE;
use crate::index::growing_graph::GrowingGraph;
use std::collections::BTreeMap;

/// Replacing a link may cut off another row; more rounds than this have not been needed.
const REPAIR_ROUNDS: usize = 8;

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

    fn repair(&mut self, rows: usize) {
        for _ in 0..REPAIR_ROUNDS {
            let mut reached = self.reach(rows, self.entry, vec![false; rows]);
            if reached.iter().all(|&yes| yes) {
                return;
            }
            for row in 0..rows {
                if reached[row] {
                    continue;
                }
                let stride = self.stride;
                let own = &self.level0[row * stride..(row + 1) * stride];
                let from = own.iter().copied().filter(|&n| n != NONE).find(|&n| reached[n as usize]);
                let from = from.unwrap_or(self.entry) as usize;
                let places = &mut self.level0[from * stride..(from + 1) * stride];
                let place = places.iter().position(|&n| n == NONE).unwrap_or(stride - 1);
                places[place] = row as u32;
                reached = self.reach(rows, row as u32, reached);
            }
        }
    }

    fn reach(&self, rows: usize, start: u32, mut reached: Vec<bool>) -> Vec<bool> {
        if rows == 0 {
            return reached;
        }
        let mut stack = vec![start];
        reached[start as usize] = true;
        while let Some(row) = stack.pop() {
            let at = row as usize * self.stride;
            for &neighbor in self.level0[at..at + self.stride].iter().filter(|&&n| n != NONE) {
                if !std::mem::replace(&mut reached[neighbor as usize], true) {
                    stack.push(neighbor);
                }
            }
        }
        reached
    }

    #[cfg(test)]
    pub(crate) fn unreachable(&self, rows: usize) -> usize {
        self.reach(rows, self.entry, vec![false; rows]).into_iter().filter(|&yes| !yes).count()
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
