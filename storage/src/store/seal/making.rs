//! What is found out about a segment before it is written: whether its codes tell its rows apart, and how widely its
//! graph has to be searched to find what the exact scan finds.

use crate::index::copies::Copies;
use crate::index::graph::build::loneliest;
use crate::index::graph::links::{Graph, Level, Links, Lists, UpperLevel};
use crate::index::graph::scratch::Scratch;
use crate::index::measure::Sample;
use crate::index::segment::{By, SCAN, Stored, Walk};
use crate::vector::codes::{Codes, Scale, stride};
use crate::vector::metric::Metric;
use crate::vector::precision::Precision;
use crate::vector::rows::Rows;
use crate::vector::top_k::{Ranked, TopK};
use std::borrow::Cow;
use std::ops::Deref;

/// Vectors of so few components take no more room than their codes, which are filled up to a cache line.
const AS_SMALL_AS_CODES: usize = 16;
/// Candidates that are ranked by their vectors, as a search for ten hits does it.
const RANKED: usize = 30;
/// Recall that the codes must allow, and the graph reach.
const ENOUGH: f64 = 0.985;
/// Widths to try, from the default.
const EFFORTS: [u32; 5] = [1, 192, 384, 768, 1_536];
/// Distances that a search computes for each candidate it keeps, about: with more, a scan is as fast.
const DISTANCES_PER_CANDIDATE: usize = 25;
/// The width of a search that nothing else is said of.
const DEFAULT_EF: usize = crate::store::DEFAULT_EF_SEARCH;

/// A segment in the making.
pub(super) struct Making<'a> {
    pub(super) metric: Metric,
    pub(super) dimension: usize,
    pub(super) codes: Codes<'a>,
    pub(super) scale: Scale,
    pub(super) copies: Copies<'a>,
    /// The vector at a position.
    pub(super) at: &'a dyn Fn(u32) -> Option<Cow<'a, [f32]>>,
}

impl Making<'_> {
    /// Whether the nearest rows by their vectors are among the nearest by their codes.
    pub(super) fn codes_tell_apart(&self, vectors: impl Iterator<Item: Deref<Target = [f32]>>) -> bool {
        if self.dimension <= AS_SMALL_AS_CODES {
            return false;
        }
        let is_copy = self.copies.marks(self.codes.rows());
        let nodes: Vec<u32> = (0..is_copy.len() as u32).filter(|&row| !is_copy[row as usize]).collect();
        let asked = Sample::positions(nodes.len()).map(|at| nodes[at]);
        let sample = self.sample(asked, vectors);
        let norms = self.codes.norms(self.metric);
        let mut code = Vec::new();
        let recall = sample.recall(|query| {
            code.clear();
            self.scale.encode(query, &mut code);
            let mut top = TopK::new(RANKED);
            for &row in &nodes {
                let product = crate::vector::distance::dot_codes(&code, self.codes.row(row)) as f32;
                let rank = norms.get(row as usize).map_or(product, |norm| 2.0 * product - norm);
                top.offer(Ranked { rank, row: u64::from(row) });
            }
            self.ranks(query, top.into_sorted().into_iter().map(|ranked| ranked.row as u32))
        });
        debug_assert_eq!(self.codes.stride, stride(self.dimension));
        recall >= ENOUGH
    }

    /// How widely the graph has to be searched; [`SCAN`] where nothing that is faster than a scan is enough.
    pub(super) fn effort<V: Deref<Target = [f32]>, I: Iterator<Item = V>>(
        &self,
        graph: &Graph,
        rows: Rows<'_>,
        vectors: impl Fn() -> I,
    ) -> u32 {
        let is_copy = self.copies.marks(self.codes.rows());
        let nodes: Vec<u32> = (0..is_copy.len() as u32).filter(|&row| !is_copy[row as usize]).collect();
        let asked = Sample::positions(nodes.len()).map(|at| nodes[at]);
        let anyone = self.sample(asked, vectors());
        let lonely = self.sample(loneliest(self.metric, rows, graph, &nodes).into_iter(), vectors());
        let upper: Vec<UpperLevel<'_>> = graph.upper.iter().map(Level::borrowed).collect();
        let level0 = Lists { stride: graph.stride, places: &graph.level0 };
        let norms = self.codes.norms(self.metric);
        let by = match rows {
            Rows::Codes(codes) => By::Codes { codes, scale: self.scale, norms: &norms },
            Rows::Vectors { vectors, dimension } => By::Vectors(Stored {
                bytes: bytemuck::cast_slice(vectors),
                precision: Precision::Full,
                dimension,
            }),
        };
        let links = Links { entry: graph.entry, level0, upper: &upper };
        let walk = Walk { metric: self.metric, links, copies: self.copies, by };
        let mut scratch = Scratch::default();
        let is_enough = |effort: u32, scratch: &mut Scratch| {
            let ef = DEFAULT_EF.max(effort as usize);
            let mut recall = |sample: &Sample| {
                sample.recall(|query| {
                    let found = walk.positions(query, ef, RANKED, None, scratch.start(is_copy.len()));
                    self.ranks(query, found.into_iter())
                })
            };
            recall(&anyone) >= ENOUGH && recall(&lonely) >= ENOUGH
        };
        let is_worth_it =
            |effort: u32| effort == EFFORTS[0] || effort as usize * DISTANCES_PER_CANDIDATE < nodes.len();
        let enough =
            EFFORTS.into_iter().find(|&effort| is_worth_it(effort) && is_enough(effort, &mut scratch));
        enough.unwrap_or(SCAN)
    }

    fn sample(
        &self,
        asked: impl Iterator<Item = u32>,
        vectors: impl Iterator<Item: Deref<Target = [f32]>>,
    ) -> Sample {
        let queries = asked.filter_map(|row| (self.at)(row)).map(Cow::into_owned).collect();
        Sample::scan(self.metric, queries, vectors)
    }

    fn ranks(&self, query: &[f32], found: impl Iterator<Item = u32>) -> Vec<f32> {
        let with_copies = found
            .flat_map(|row| std::iter::once(row).chain(self.copies.of(row).iter().map(|&[_, copy]| copy)));
        let vectors = with_copies.filter_map(|row| (self.at)(row));
        vectors.map(|vector| self.metric.rank(query, &vector)).collect()
    }
}
