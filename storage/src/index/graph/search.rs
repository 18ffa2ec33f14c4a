//! Greedy descent through the upper levels, then best-first search of level 0 (Malkov and Yashunin 2016, section 4).

use super::links::Links;
use super::visited::Visited;
use crate::vector::top_k::Ranked;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Up to `ef` accepted rows near the query, in no order. `rank`: higher is nearer; `None` for a row that is not there.
///
/// Rows that `accept` refuses are walked through but not returned, so the search goes on until `ef` accepted rows are
/// nearer than anything left to look at.
pub(crate) fn search(
    links: Links<'_>,
    ef: usize,
    visited: &mut Visited,
    rank: impl Fn(u32) -> Option<f32>,
    accept: impl Fn(u32) -> bool,
) -> Vec<Ranked> {
    let Some((entry, entry_rank)) = descend(links, &rank) else { return Vec::new() };
    let start = Ranked { rank: entry_rank, row: u64::from(entry) };
    let mut frontier = BinaryHeap::from([start]);
    let mut found: BinaryHeap<Reverse<Ranked>> = BinaryHeap::with_capacity(ef.min(4096) + 1);
    visited.first(entry);
    if accept(entry) {
        found.push(Reverse(start));
    }
    while let Some(nearest) = frontier.pop() {
        if found.len() >= ef && found.peek().is_some_and(|worst| nearest.rank < worst.0.rank) {
            break;
        }
        for neighbor in links.neighbors(nearest.row as u32) {
            if !visited.first(neighbor) {
                continue;
            }
            let Some(rank) = rank(neighbor) else { continue };
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

/// The nearest row that greedy steps find on the upper levels.
fn descend(links: Links<'_>, rank: impl Fn(u32) -> Option<f32>) -> Option<(u32, f32)> {
    let mut best = (links.entry, rank(links.entry)?);
    for level in links.upper.iter().rev() {
        // Each step is strictly nearer, so damaged links cannot make it walk in circles.
        loop {
            let here = best;
            for neighbor in level.neighbors(here.0) {
                if let Some(rank) = rank(neighbor)
                    && rank > best.1
                {
                    best = (neighbor, rank);
                }
            }
            if best.0 == here.0 {
                break;
            }
        }
    }
    Some(best)
}
