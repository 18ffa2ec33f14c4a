//! What a search finds of what the exact scan finds, measured on some of the rows themselves before a segment is
//! written: whether codes tell its rows apart, and how widely its graph has to be searched.

use crate::vector::metric::Metric;
use crate::vector::top_k::{Ranked, TopK};
use std::ops::Deref;

/// Hits that recall is measured at.
pub(crate) const HITS: usize = 10;
/// Rows that are asked for at most.
const ASKED: usize = 64;

/// Vectors to ask for, and the ranks that the nearest rows have by the exact scan.
pub(crate) struct Sample {
    asked: Vec<Asked>,
}

struct Asked {
    query: Vec<f32>,
    /// The lowest rank among the [`HITS`] best.
    least: f32,
    best: f32,
}

impl Sample {
    /// Positions of rows to ask for, spread evenly over `rows` rows.
    pub(crate) fn positions(rows: usize) -> impl Iterator<Item = usize> {
        let asked = ASKED.min(rows);
        // Not in step with whatever order the rows have.
        (0..asked)
            .map(move |at| (at * rows + (at * 7919) % rows.max(1)) / asked.max(1))
            .map(move |at| at % rows)
    }

    /// Scans `vectors`, which are all the rows.
    pub(crate) fn scan(
        metric: Metric,
        queries: Vec<Vec<f32>>,
        vectors: impl Iterator<Item: Deref<Target = [f32]>>,
    ) -> Self {
        let mut tops: Vec<TopK> = queries.iter().map(|_| TopK::new(HITS)).collect();
        for (row, vector) in (0..).zip(vectors) {
            for (query, top) in queries.iter().zip(&mut tops) {
                top.offer(Ranked { rank: metric.rank(query, &vector), row });
            }
        }
        let asked = queries.into_iter().zip(tops).filter_map(|(query, top)| {
            let found = top.into_sorted();
            Some(Asked { query, least: found.last()?.rank, best: found.first()?.rank })
        });
        Self { asked: asked.collect() }
    }

    /// The share of the nearest rows that `find` finds, given as their exact ranks; and of the single nearest ones.
    /// Rows as near as the last of the nearest count like it. The smaller of the two.
    pub(crate) fn recall(&self, mut find: impl FnMut(&[f32]) -> Vec<f32>) -> f64 {
        let (mut all, mut first) = (0usize, 0usize);
        for Asked { query, least, best } in &self.asked {
            let ranks = find(query);
            all += ranks.iter().filter(|rank| *rank >= least).count().min(HITS);
            first += usize::from(ranks.iter().any(|rank| rank >= best));
        }
        if self.asked.is_empty() {
            return 1.0;
        }
        let asked = self.asked.len() as f64;
        (all as f64 / (asked * HITS as f64)).min(first as f64 / asked)
    }
}
