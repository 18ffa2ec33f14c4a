//! Greedy descent through the upper levels, then best-first search of level 0 (Malkov and Yashunin
//! 2016, section 4).

use super::candidate::Candidate;
use super::links::{Links, Lists, UpperLevel};
use super::scratch::Scratch;
use crate::vector::top_k::Ranked;
use postil_kernel::distance;
use std::collections::BinaryHeap;
use std::ops::Range;

/// Ranks of positions by their nearness to a query.
pub(crate) trait Nearness {
    /// Returns the rank of a position below the number of rows; higher is nearer.
    fn rank(&self, position: u32) -> f32;
    /// Appends the rank of each position.
    #[inline]
    fn rank_all(&self, positions: &[u32], ranks: &mut Vec<f32>) {
        ranks.extend(positions.iter().map(|&position| self.rank(position)));
    }
    /// Returns the rank at distance zero; ranks fall as squared distances grow, or twice as fast.
    fn zero(&self) -> f32;
    /// Prefetches what a rank of the position will read.
    fn prefetch(&self, position: u32);
}

/// The condition that ends a search. Candidates are kept while they are not much farther than the
/// hits (Al-Jazzazi et al. 2025, "Distance adaptive beam search", arXiv 2505.15636), within bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stop {
    /// Least number of candidates kept, however far they are; at least 1.
    pub(crate) least: usize,
    /// Largest number of candidates kept.
    pub(crate) most: usize,
    /// Rank of the hit that distances are compared with, counted from 1.
    pub(crate) hits: usize,
    /// Multiple of the hit's distance beyond which candidates are not kept, once there are `least`.
    pub(crate) reach: f32,
}

impl Stop {
    /// Keeps that many candidates, as HNSW does.
    pub(crate) fn at(candidates: usize) -> Self {
        let candidates = candidates.max(1);
        Self { least: candidates, most: candidates, hits: usize::MAX, reach: 1.0 }
    }

    /// Keeps at least that many candidates, however far they are.
    pub(crate) fn with_at_least(self, candidates: usize) -> Self {
        let least = self.least.max(candidates);
        Self { least, most: self.most.max(least), ..self }
    }

    /// Returns the rank that candidates beyond `least` must exceed. `zero` is the rank at no
    /// distance.
    #[inline]
    fn bound(&self, kept: &[Candidate], zero: f32) -> f32 {
        match kept.get(self.hits - 1) {
            // Ranks are linear in squared distances.
            Some(hit) => zero - self.reach * self.reach * (zero - hit.rank),
            None => f32::NEG_INFINITY,
        }
    }

    /// Returns the rank that a candidate must exceed to be kept.
    #[inline]
    fn limit(&self, kept: &[Candidate], bound: f32) -> f32 {
        if kept.len() >= self.most {
            return kept.last().map_or(f32::NEG_INFINITY, |last| last.rank.max(bound));
        }
        kept.get(self.least - 1).map_or(f32::NEG_INFINITY, |last| last.rank.min(bound))
    }

    /// Removes the candidates beyond the limits.
    #[inline]
    fn trim(&self, kept: &mut Vec<Candidate>, bound: f32) {
        kept.truncate(self.most);
        while kept.len() > self.least && kept.last().is_some_and(|last| last.rank <= bound) {
            kept.pop();
        }
    }
}

/// Leaves the positions nearest to the query in `scratch.pool`, best first. The caller has started
/// the scratch with the number of rows.
pub(crate) fn nearest(links: Links<'_>, stop: Stop, scratch: &mut Scratch, to: &impl Nearness) {
    if let Some(start) = descend(links.entry, links.upper, scratch.visited.rows(), to) {
        nearest_from(links.level0, start, stop, scratch, to);
    }
}

/// As [`nearest`], on one level, from a position of it.
pub(crate) fn nearest_from(
    lists: Lists<'_>,
    start: u32,
    stop: Stop,
    scratch: &mut Scratch,
    to: &impl Nearness,
) {
    let Scratch { visited, pool, ranks, ranked } = scratch;
    if !visited.first(start) {
        return;
    }
    pool.push(Candidate::new(to.rank(start), start));
    let zero = to.zero();
    let mut bound = stop.bound(pool, zero);
    let mut limit = stop.limit(pool, bound);
    let mut next = 0;
    // While one candidate's neighbours are ranked, those of the next one and the list of the one
    // after it are prefetched.
    let (mut list_on_the_way, mut rows_on_the_way) = (None, Range::default());
    loop {
        while pool.get(next).is_some_and(|candidate| candidate.is_expanded()) {
            next += 1;
        }
        let list = pool.get_mut(next).map(|candidate| {
            let list = lists.places(candidate.position() as usize);
            candidate.expand();
            next += 1;
            distance::prefetch(list);
            list
        });
        if list.is_none() && list_on_the_way.is_none() && rows_on_the_way.is_empty() {
            break;
        }
        let fresh = visited.seen(&rows_on_the_way);
        *ranked += fresh.len();
        ranks.clear();
        to.rank_all(fresh, ranks);
        for (&position, &rank) in fresh.iter().zip(ranks.iter()) {
            if rank <= limit {
                continue;
            }
            let at = place(pool, rank);
            pool.insert(at, Candidate::new(rank, position));
            next = next.min(at);
            if at < stop.hits {
                bound = stop.bound(pool, zero);
            }
            stop.trim(pool, bound);
            limit = stop.limit(pool, bound);
        }
        rows_on_the_way = list_on_the_way.map_or(Range::default(), |list| visited.fresh(list));
        visited.seen(&rows_on_the_way).iter().for_each(|&neighbor| to.prefetch(neighbor));
        list_on_the_way = list;
    }
}

/// Returns the number of candidates, best first, that rank at least as high. Counted in two steps,
/// because the steps of a binary search wait for each other.
#[inline]
fn place(pool: &[Candidate], rank: f32) -> usize {
    const BLOCK: usize = 32;
    let is_better = |candidate: &&Candidate| candidate.rank >= rank;
    let blocks = pool.iter().skip(BLOCK - 1).step_by(BLOCK).filter(is_better).count();
    let block = &pool[blocks * BLOCK..pool.len().min((blocks + 1) * BLOCK)];
    blocks * BLOCK + block.iter().filter(is_better).count()
}

/// As [`nearest`], among the positions that `accept` accepts. Rejected ones are traversed but not
/// kept, so the search goes on until enough accepted ones are nearer than anything left to examine.
pub(crate) fn nearest_accepted(
    links: Links<'_>,
    stop: Stop,
    scratch: &mut Scratch,
    to: &impl Nearness,
    accept: impl Fn(u32) -> bool,
) {
    let Some(entry) = descend(links.entry, links.upper, scratch.visited.rows(), to) else { return };
    let Scratch { visited, pool, ranked, .. } = scratch;
    let zero = to.zero();
    let (mut bound, mut limit) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
    let mut frontier = BinaryHeap::new();
    let mut see = |position: u32, limit: &mut f32, frontier: &mut BinaryHeap<Ranked<u32>>| {
        let rank = to.rank(position);
        if rank <= *limit {
            return;
        }
        frontier.push(Ranked { rank, item: position });
        if accept(position) {
            let at = place(pool, rank);
            pool.insert(at, Candidate::new(rank, position));
            if at < stop.hits {
                bound = stop.bound(pool, zero);
            }
            stop.trim(pool, bound);
            *limit = stop.limit(pool, bound);
        }
    };
    visited.first(entry);
    see(entry, &mut limit, &mut frontier);
    while let Some(nearest) = frontier.pop() {
        if nearest.rank < limit {
            break;
        }
        let fresh = visited.fresh(links.level0.places(nearest.item as usize));
        let fresh = visited.seen(&fresh);
        fresh.iter().for_each(|&neighbor| to.prefetch(neighbor));
        *ranked += fresh.len();
        fresh.iter().for_each(|&neighbor| see(neighbor, &mut limit, &mut frontier));
    }
}

/// Returns the nearest position that greedy steps on the upper levels find; `None` if the entry is
/// not one of the `rows`.
pub(super) fn descend(entry: u32, upper: &[UpperLevel<'_>], rows: usize, to: &impl Nearness) -> Option<u32> {
    let inside = |position: u32| ((position as usize) < rows).then_some(position);
    let mut best = inside(entry)?;
    let mut best_rank = to.rank(best);
    for level in upper.iter().rev() {
        let Ok(mut at) = level.nodes.binary_search(&best) else { continue };
        // Each step is strictly nearer, so damaged links cannot make it walk in circles.
        loop {
            let here = at;
            for neighbor in level.lists.neighbors(here) {
                if let Some(position) = level.nodes.get(neighbor as usize).copied().and_then(inside) {
                    let rank = to.rank(position);
                    if rank > best_rank {
                        (at, best, best_rank) = (neighbor as usize, position, rank);
                    }
                }
            }
            if at == here {
                break;
            }
        }
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_behind_all_that_rank_as_high() {
        for count in [0u32, 1, 31, 32, 33, 64, 65, 200] {
            // Two candidates of each rank.
            let pool: Vec<Candidate> =
                (0..count).map(|position| Candidate::new(-((position / 2) as f32), position)).collect();
            for rank in (0..=count).map(|rank| 0.5 - rank as f32 / 2.0) {
                let wanted = pool.iter().filter(|candidate| candidate.rank >= rank).count();
                assert_eq!(place(&pool, rank), wanted, "{rank} among {count}");
            }
        }
    }
}
