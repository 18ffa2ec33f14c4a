//! Building the neighbour lists of many rows at once, on all cores.
//!
//! Rows are inserted in batches (Dobson et al. 2023, "ParlayANN"): all rows of a batch look for
//! neighbours in the graph as it was before the batch, then the lists change. Both steps depend
//! only on the graph before them, so the result is the same for any number of threads and any
//! schedule. The order is a hash of the positions, because consecutive rows are often alike and
//! would not see each other in one batch.

use super::links::{Graph, Level, Lists, NONE, UpperLevel};
use super::prune::{Near, Space};
use super::scratch::Scratch;
use super::search::{Nearness, Stop, descend, nearest_from};
use crate::index::copies::Copies;
use crate::parallel::parallel;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::vector::metric::Metric;
use crate::vector::rows::Rows;
use std::ops::Range;
use std::sync::atomic::AtomicUsize;

/// Largest number of upper levels; more would be empty.
const MAX_LEVELS: usize = 8;
/// A batch is at most one part in this many of the rows.
const BATCH_SHARE: usize = 50;

/// Parameters of building a graph.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BuildOptions<'a> {
    /// Neighbours per row on upper levels; twice as many on level 0.
    pub(crate) m: usize,
    /// Candidates examined when a row is linked.
    pub(crate) ef: usize,
    pub(crate) threads: usize,
    /// A search sets this; the next batch then uses one thread fewer and clears it.
    pub(crate) busy: &'a AtomicBool,
}

impl BuildOptions<'_> {
    pub(crate) fn threads(&self) -> usize {
        // Relaxed: seeing it one batch later makes no difference.
        let is_busy = self.busy.swap(false, Ordering::Relaxed);
        if is_busy { self.threads.saturating_sub(1).max(1) } else { self.threads }
    }
}

/// Builds the graph of rows; `None` if it was stopped. Copies are not nodes. `done` counts linked
/// rows of level 0. If `before`, the graph of the first of these rows, has the same `m`, only the
/// other rows are inserted.
pub(crate) fn build(
    metric: Metric,
    all_rows: Rows<'_>,
    copies: Copies<'_>,
    before: Option<Graph>,
    options: BuildOptions<'_>,
    done: &AtomicUsize,
    stop: &AtomicBool,
) -> Option<Graph> {
    let all = Space::new(metric, all_rows);
    let rows = all.rows();
    let is_copy = copies.marks(rows);
    let level = |position: u32| if is_copy[position as usize] { 0 } else { level_of(position, options.m) };
    let levels: Vec<u8> = (0..rows as u32).map(level).collect();
    let top = levels.iter().copied().max().unwrap_or(0);
    let before = before.filter(|graph| graph.stride == 2 * options.m);
    let (level0_before, mut upper_before) =
        before.map_or_else(Default::default, |graph| (graph.level0, graph.upper));
    let mut upper: Vec<Level> = Vec::new();
    // From the top down: each row starts from its nearest in the level above.
    for level in (1..=top).rev() {
        let nodes: Vec<u32> =
            (0..rows as u32).filter(|&position| levels[position as usize] >= level).collect();
        let gathered = all_rows.gather(&nodes);
        let space = Space::new(metric, gathered.rows());
        let above: Vec<UpperLevel<'_>> = upper.iter().map(Level::borrowed).collect();
        let start = |index: u32| {
            let position = start_from(&above, &all, nodes[index as usize])?;
            nodes.binary_search(&position).ok().map(|at| at as u32)
        };
        let is_above = |index: u32| levels[nodes[index as usize] as usize] > level;
        // Levels are a function of positions: the nodes that the level had before are a prefix of
        // the present ones.
        let present = match upper_before.len() {
            n if n == usize::from(level) => upper_before.pop().map(|level| level.links).unwrap_or_default(),
            _ => Vec::new(),
        };
        let mut builder = Builder::new(&space, options.m, present, options, is_above, |_| false);
        builder.insert_all(start, &AtomicUsize::new(0), stop)?;
        let links = builder.lists;
        upper.insert(0, Level { nodes, stride: options.m, links });
    }
    let above: Vec<UpperLevel<'_>> = upper.iter().map(Level::borrowed).collect();
    let stride = 2 * options.m;
    let is_above = |position: u32| levels[position as usize] > 0;
    let mut builder =
        Builder::new(&all, stride, level0_before, options, is_above, |position| is_copy[position as usize]);
    builder.insert_all(|position| start_from(&above, &all, position), done, stop)?;
    let level0 = builder.lists;
    let entry = upper.last().map_or(0, |level| level.nodes[0]);
    let mut graph = Graph { entry, stride, level0, upper };
    graph.even_out(&all);
    graph.reach_all(&is_copy);
    Some(graph)
}

fn start_from(above: &[UpperLevel<'_>], all: &Space<'_>, position: u32) -> Option<u32> {
    descend(above.last()?.nodes[0], above, all.rows(), &Row { space: all, row: position })
}

/// Returns the nodes farthest from their nearest neighbour: the farthest, then others at growing
/// ranks, about two for each doubling of the rank.
pub(crate) fn loneliest(metric: Metric, rows: Rows<'_>, graph: &Graph, nodes: &[u32]) -> Vec<u32> {
    let space = Space::new(metric, rows);
    let lists = Lists { stride: graph.stride, places: &graph.level0 };
    let nearest = |&node: &u32| {
        let distances = lists.neighbors(node as usize).map(|other| space.distance(node, other));
        Near { distance: distances.fold(f32::INFINITY, f32::min), row: node }
    };
    let mut all: Vec<Near> = nodes.iter().map(nearest).filter(|near| near.distance.is_finite()).collect();
    all.sort_unstable_by(|a, b| b.order(a));
    let places = (0..).map(|step: i32| std::f64::consts::SQRT_2.powi(step) as usize - 1);
    let mut found: Vec<u32> =
        places.take_while(|&place| place < all.len()).map(|place| all[place].row).collect();
    found.dedup();
    found
}

/// Distances from one row.
struct Row<'a> {
    space: &'a Space<'a>,
    row: u32,
}

impl Nearness for Row<'_> {
    #[inline]
    fn rank(&self, position: u32) -> f32 {
        -self.space.distance(self.row, position)
    }

    #[inline]
    fn rank_all(&self, positions: &[u32], ranks: &mut Vec<f32>) {
        let start = ranks.len();
        self.space.distances(self.row, positions, ranks);
        ranks[start..].iter_mut().for_each(|rank| *rank = -*rank);
    }

    #[inline]
    fn zero(&self) -> f32 {
        0.0
    }

    #[inline]
    fn prefetch(&self, position: u32) {
        self.space.prefetch(position);
    }
}

/// Returns the level of a row: one row in `m` is on level 1, one in `m * m` on level 2, and so on.
fn level_of(position: u32, m: usize) -> u8 {
    let mut draw = hash(u64::from(position));
    let mut level = 0;
    while level < MAX_LEVELS as u8 && draw.is_multiple_of(m as u64) {
        draw /= m as u64;
        level += 1;
    }
    level
}

/// The finalizer of SplitMix64 (Steele et al. 2014).
fn hash(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// One level under construction.
struct Builder<'a> {
    space: &'a Space<'a>,
    stride: usize,
    lists: Vec<u32>,
    options: BuildOptions<'a>,
    /// Rows in order of insertion: those in the graph from the start, then those of the level
    /// above, then the others.
    order: Vec<u32>,
    /// Number of rows in the graph from the start.
    present: usize,
    /// Number of rows in the graph once all rows of the level above are in it.
    from_above: usize,
}

impl<'a> Builder<'a> {
    fn new(
        space: &'a Space<'a>,
        stride: usize,
        mut lists: Vec<u32>,
        options: BuildOptions<'a>,
        is_above: impl Fn(u32) -> bool,
        is_left_out: impl Fn(u32) -> bool,
    ) -> Self {
        let present = lists.len() / stride;
        lists.resize(space.rows() * stride, NONE);
        let is_in = |row: &u32| (*row as usize) < present || !is_left_out(*row);
        let mut order: Vec<u32> = (0..space.rows() as u32).filter(is_in).collect();
        order[present..].sort_by_cached_key(|&row| (!is_above(row), hash(!u64::from(row))));
        let from_above = present + order[present..].iter().take_while(|&&row| is_above(row)).count();
        Self { space, stride, lists, options, order, present, from_above }
    }

    /// Inserts all rows. `start` returns the row of the level above that is near a row.
    fn insert_all(
        &mut self,
        start: impl Fn(u32) -> Option<u32> + Sync,
        done: &AtomicUsize,
        stop: &AtomicBool,
    ) -> Option<()> {
        let rows = self.order.len();
        let largest = rows.div_ceil(BATCH_SHARE);
        let mut begin = self.present.max(1).min(rows);
        while begin < rows {
            if stop.load(Ordering::Acquire) {
                return None;
            }
            let mut end = rows.min(begin + begin.min(largest));
            if begin < self.from_above {
                // Only then is every row that `start` may return in the graph.
                end = end.min(self.from_above);
            }
            let started = begin >= self.from_above;
            self.insert(begin..end, |row| if started { start(row) } else { None });
            done.store(end, Ordering::Relaxed);
            begin = end;
        }
        done.store(rows, Ordering::Relaxed);
        Some(())
    }

    fn insert(&mut self, batch: Range<usize>, start: impl Fn(u32) -> Option<u32> + Sync) {
        let this = &*self;
        let threads = this.options.threads();
        let rows = &this.order[batch.clone()];
        let own = parallel(threads, rows.len(), |i, scratch: &mut Scratch| {
            this.neighbors_of(rows[i], start(rows[i]).unwrap_or(this.order[0]), scratch)
        });
        let mut back: Vec<(u32, Near)> = Vec::new();
        for (&row, near) in self.order[batch].iter().zip(&own) {
            let places = &mut self.lists[row as usize * self.stride..];
            for (place, neighbor) in places.iter_mut().zip(near) {
                *place = neighbor.row;
                back.push((neighbor.row, Near { row, ..*neighbor }));
            }
        }
        back.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.order(&b.1)));
        let groups: Vec<&[(u32, Near)]> = back.chunk_by(|a, b| a.0 == b.0).collect();
        let this = &*self;
        let lists = parallel(threads, groups.len(), |i, ()| this.joined(groups[i]));
        for (group, list) in groups.iter().zip(lists) {
            let from = group[0].0 as usize * self.stride;
            self.lists[from..from + list.len()].copy_from_slice(&list);
            self.lists[from + list.len()..from + self.stride].fill(NONE);
        }
    }

    fn neighbors_of(&self, row: u32, start: u32, scratch: &mut Scratch) -> Vec<Near> {
        let to = Row { space: self.space, row };
        nearest_from(self.lists(), start, Stop::at(self.options.ef), scratch.start(self.space.rows()), &to);
        let found = scratch.pool.iter().map(|found| Near { distance: -found.rank, row: found.position() });
        self.space.select(found, self.stride)
    }

    /// Returns a list with more neighbours, pruned if there are too many.
    fn joined(&self, group: &[(u32, Near)]) -> Vec<u32> {
        let target = group[0].0;
        let more = group.iter().map(|(_, near)| *near);
        let present: Vec<u32> = self.lists().neighbors(target as usize).collect();
        if present.len() + group.len() <= self.stride {
            return present.into_iter().chain(more.map(|near| near.row)).collect();
        }
        let mut distances = Vec::with_capacity(present.len());
        self.space.distances(target, &present, &mut distances);
        let measured = distances.into_iter().zip(present).map(|(distance, row)| Near { distance, row });
        let mut candidates: Vec<Near> = measured.chain(more).collect();
        candidates.sort_unstable_by(Near::order);
        self.space.select(candidates.into_iter(), self.stride).into_iter().map(|near| near.row).collect()
    }

    fn lists(&self) -> Lists<'_> {
        Lists { stride: self.stride, places: &self.lists }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::codes::{Codes, Scale, stride};
    use proptest::prelude::*;

    fn graph(metric: Metric, vectors: &[Vec<f32>], threads: usize, m: usize, divide: usize) -> Graph {
        // The first batch has one thread fewer.
        let busy = AtomicBool::new(true);
        let dimension = vectors[0].len();
        let scale = Scale::fit(vectors.iter().map(Vec::as_slice), vectors.len(), dimension);
        let mut codes = Vec::new();
        vectors.iter().for_each(|vector| scale.encode(vector, &mut codes));
        let stride = stride(dimension);
        let options = BuildOptions { m, ef: 40, threads, busy: &busy };
        let build = |rows: usize, before: Option<Graph>| {
            let codes = Rows::Codes(Codes { codes: &codes[..rows * stride], stride });
            build(
                metric,
                codes,
                Copies::default(),
                before,
                options,
                &AtomicUsize::new(0),
                &AtomicBool::new(false),
            )
            .unwrap()
        };
        let first = vectors.len() / divide;
        let before = (first > 0).then(|| build(first, None));
        build(vectors.len(), before)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn every_row_is_reachable_and_threads_change_nothing(
            points in proptest::collection::vec((-12i8..12, -4i8..4), 1..600), m in 2usize..6,
        ) {
            let vectors: Vec<Vec<f32>> = points.iter().map(|&(x, y)| vec![f32::from(x), f32::from(y)]).collect();
            for (metric, divide) in [(Metric::L2, usize::MAX), (Metric::Dot, usize::MAX), (Metric::L2, 2)] {
                let one = graph(metric, &vectors, 1, m, divide);
                prop_assert_eq!(one.unreachable(), 0);
                prop_assert_eq!(&graph(metric, &vectors, 3, m, divide), &one);
            }
        }
    }

    #[test]
    fn a_batch_after_a_search_leaves_a_thread_to_it() {
        let busy = AtomicBool::new(false);
        let options = |threads| BuildOptions { m: 4, ef: 10, threads, busy: &busy };
        for (most, fewer) in [(4, 3), (2, 1), (1, 1)] {
            busy.store(true, Ordering::Relaxed);
            assert_eq!([options(most).threads(), options(most).threads()], [fewer, most]);
        }
    }

    #[test]
    fn a_build_that_is_stopped_gives_nothing() {
        let codes = vec![1i8; 64 * 100];
        let codes = Rows::Codes(Codes { codes: &codes, stride: 64 });
        let options = BuildOptions { m: 4, ef: 10, threads: 1, busy: &AtomicBool::new(false) };
        assert!(
            build(
                Metric::L2,
                codes,
                Copies::default(),
                None,
                options,
                &AtomicUsize::new(0),
                &AtomicBool::new(true)
            )
            .is_none()
        );
    }
}
