//! Greedy descent through the upper levels, then best-first search of level 0 (Malkov and Yashunin 2016, section 4).

use super::links::{Links, Lists, UpperLevel};
use super::scratch::Scratch;
use crate::vector::distance;
use crate::vector::top_k::Ranked;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How near positions are to what is searched for.
pub(crate) trait Nearness {
    /// Higher is nearer. Only asked for positions below the number of rows.
    fn rank(&self, position: u32) -> f32;
    /// A rank will be asked for soon.
    fn prefetch(&self, position: u32);
}

/// A position and how near it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) rank: f32,
    position: u32,
}

/// Set in a candidate whose neighbours were looked at: so a graph has fewer than 2^31 rows.
const EXPANDED: u32 = 1 << 31;
/// The most rows of a graph.
pub(crate) const MAX_ROWS: usize = EXPANDED as usize - 1;

impl Candidate {
    #[inline]
    pub(crate) fn position(self) -> u32 {
        self.position & !EXPANDED
    }
}

/// Leaves about `ef` positions near what is searched for in `scratch.pool`, best first. The scratch has been started
/// with the number of rows.
pub(crate) fn nearest(links: Links<'_>, ef: usize, scratch: &mut Scratch, to: &impl Nearness) {
    if let Some(start) = descend(links.entry, links.upper, scratch.visited.rows(), to) {
        nearest_from(links.level0, start, ef, scratch, to);
    }
}

/// As [`nearest`], in one level, from a position of it.
pub(crate) fn nearest_from(
    lists: Lists<'_>,
    start: u32,
    ef: usize,
    scratch: &mut Scratch,
    to: &impl Nearness,
) {
    let Scratch { visited, pool, fresh } = scratch;
    if !visited.first(start) {
        return;
    }
    pool.push(Candidate { rank: to.rank(start), position: start });
    let mut next = 0;
    while let Some(candidate) = pool.get_mut(next) {
        if candidate.position & EXPANDED != 0 {
            next += 1;
            continue;
        }
        let position = candidate.position;
        candidate.position |= EXPANDED;
        fresh.clear();
        for neighbor in lists.neighbors(position as usize) {
            if visited.first(neighbor) {
                to.prefetch(neighbor);
                fresh.push(neighbor);
            }
        }
        next += 1;
        // Nearly always the one that comes next.
        if let Some(likely) = pool.get(next) {
            distance::prefetch(lists.places(likely.position() as usize));
        }
        for &position in &*fresh {
            let rank = to.rank(position);
            if pool.len() >= ef {
                if pool.last().is_some_and(|worst| rank <= worst.rank) {
                    continue;
                }
                pool.pop();
            }
            let at = pool.partition_point(|better| better.rank >= rank);
            pool.insert(at, Candidate { rank, position });
            next = next.min(at);
        }
    }
}

/// Up to `ef` accepted positions, in no order. Positions that `accept` refuses are walked through but not returned, so
/// the search goes on until `ef` accepted ones are nearer than anything left to look at.
pub(crate) fn nearest_accepted(
    links: Links<'_>,
    ef: usize,
    scratch: &mut Scratch,
    to: &impl Nearness,
    accept: impl Fn(u32) -> bool,
) -> Vec<Ranked> {
    let Some(entry) = descend(links.entry, links.upper, scratch.visited.rows(), to) else {
        return Vec::new();
    };
    let start = Ranked { rank: to.rank(entry), row: u64::from(entry) };
    let mut frontier = BinaryHeap::from([start]);
    let mut found: BinaryHeap<Reverse<Ranked>> = BinaryHeap::with_capacity(ef.min(4096) + 1);
    scratch.visited.first(entry);
    if accept(entry) {
        found.push(Reverse(start));
    }
    while let Some(nearest) = frontier.pop() {
        if found.len() >= ef && found.peek().is_some_and(|worst| nearest.rank < worst.0.rank) {
            break;
        }
        for neighbor in links.level0.neighbors(nearest.row as usize) {
            if !scratch.visited.first(neighbor) {
                continue;
            }
            let rank = to.rank(neighbor);
            if found.len() >= ef && found.peek().is_some_and(|worst| rank <= worst.0.rank) {
                continue;
            }
            let ranked = Ranked { rank, row: u64::from(neighbor) };
            frontier.push(ranked);
            if accept(neighbor) {
                found.push(Reverse(ranked));
                if found.len() > ef {
                    found.pop();
                }
            }
        }
    }
    found.into_iter().map(|Reverse(ranked)| ranked).collect()
}

/// The nearest position that greedy steps find on the upper levels; `None` when the entry is not one of the `rows`.
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
