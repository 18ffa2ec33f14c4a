//! Measurements of a segment before it is written: whether codes distinguish its rows, and how
//! widely its graph must be searched to find what the exact scan finds.

use crate::index::copies::Copies;
use crate::index::graph::build::{BuildOptions, loneliest};
use crate::index::graph::links::{Graph, Level, Links, Lists, UpperLevel};
use crate::index::graph::scratch::Scratch;
use crate::index::graph::search::Stop;
use crate::index::measure::{self, Found, HITS, Kind, Sample};
use crate::index::segment::{self, By, Coded, Means, Plan, Step, Stored, Walk};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::vector::codes::{Codes, Scale};
use crate::vector::metric::Metric;
use crate::vector::nibbles::Nibbles;
use crate::vector::precision::Precision;
use crate::vector::rows::Rows;
use crate::vector::top_k::{Ranked, TopK};
use postil_kernel::distance;
use std::borrow::Cow;
use std::ops::Deref;

/// Number of components up to which vectors are no larger than their codes, which are filled up to
/// a cache line.
const AS_SMALL_AS_CODES: usize = 16;
/// Candidates ranked by their vectors, as in a search for ten hits.
const RANKED: usize = 30;
/// Recall that codes must allow; otherwise rows are distinguished by their vectors.
const ENOUGH: f64 = segment::ENOUGH as f64;
/// Recall that a graph must reach to be searched at all.
const LEAST_OF_USE: f64 = 0.7;
/// Recall that nibbles must reach; otherwise codes are tried.
const ENOUGH_BY_NIBBLES: f64 = 0.993;
/// Loss of recall accepted for stopping sooner.
const SOONER: f64 = 0.006;
/// Recall that more candidates must add; otherwise farther ones are kept.
const FURTHER: f64 = 0.0003;
/// Steps in a row that add less, after which farther candidates are kept.
const STUCK: usize = 2;
/// Recall beyond which no wider search is tried.
const BEST: f64 = 0.999;
/// Numbers of candidates to keep at most, tried in turn.
const MOST: [usize; 24] = [
    48, 64, 80, 100, 125, 160, 200, 250, 320, 400, 500, 640, 800, 1_000, 1_250, 1_600, 2_000, 2_500, 3_200,
    4_000, 5_000, 6_400, 8_000, 10_000,
];
/// Candidates kept at most while the distance limit is chosen.
const USUAL: usize = 500;
/// Candidates kept at least.
const LEAST: usize = 16;
/// Distance limits to try, as multiples of a hit's distance.
const REACHES: [f32; 9] = [1.05, 1.06, 1.08, 1.1, 1.13, 1.2, 1.35, 1.6, 2.2];
/// Rows per candidate kept, at least, while the distance limit is chosen.
const FEWEST_PER_CANDIDATE: usize = 8;
/// Approximate number of distances that a search computes per candidate kept: with more, a scan is
/// as fast.
const DISTANCES_PER_CANDIDATE: usize = 25;

/// A segment under construction.
pub(super) struct Making<'a> {
    pub(super) metric: Metric,
    pub(super) dimension: usize,
    pub(super) codes: Codes<'a>,
    pub(super) scale: Scale,
    pub(super) copies: Copies<'a>,
    /// Returns the vector at a position.
    pub(super) at: &'a (dyn Fn(u32) -> Option<Cow<'a, [f32]>> + Sync),
    /// Queries that were really asked.
    pub(super) asked: &'a [Vec<f32>],
    pub(super) options: BuildOptions<'a>,
    /// True once no segment is wanted any more; what is measured then is not used.
    pub(super) stop: &'a AtomicBool,
}

impl Making<'_> {
    /// True if the nearest rows by vectors are among the nearest by codes.
    pub(super) fn codes_tell_apart(&self, vectors: impl Iterator<Item: Deref<Target = [f32]>>) -> bool {
        if self.dimension <= AS_SMALL_AS_CODES {
            return false;
        }
        let nodes = self.nodes();
        let rows = measure::rows(nodes.len()).filter_map(|at| self.row(nodes[at]));
        let sample = Sample::scan(
            self.metric,
            rows.map(|row| (Kind::Rows, row)).collect(),
            vectors,
            self.options.threads(),
        );
        let norms = self.codes.norms(self.metric);
        let found = sample.find(self.options.threads(), &[], |query, code: &mut Vec<i8>| {
            code.clear();
            self.scale.encode(query, code);
            let mut top = TopK::new(RANKED);
            for &position in &nodes {
                let product = distance::dot_codes(code, self.codes.row(position)) as f32;
                let rank = norms.get(position as usize).map_or(product, |norm| 2.0 * product - norm);
                top.offer(Ranked { rank, item: position });
            }
            let found = top.into_sorted().into_iter().map(|ranked| ranked.item);
            (self.ranks(query, found), 0)
        });
        sample.recall(&found) >= ENOUGH
    }

    /// Returns the best plan to search the graph.
    pub(super) fn plan<V: Deref<Target = [f32]>, I: Iterator<Item = V>>(
        &self,
        graph: &Graph,
        rows: Rows<'_>,
        nibbles: Option<Nibbles<'_>>,
        vectors: impl Fn() -> I,
    ) -> Plan {
        let longest = match self.metric.lifts() {
            true => vectors().map(|vector| distance::dot(&vector, &vector)).fold(0.0, f32::max).sqrt(),
            false => 1.0,
        };
        let nodes = self.nodes();
        let sample = self.sample(graph, rows, &nodes, vectors());
        let upper: Vec<UpperLevel<'_>> = graph.upper.iter().map(Level::borrowed).collect();
        let level0 = Lists { stride: graph.stride, places: &graph.level0 };
        let links = Links { entry: graph.entry, level0, upper: &upper };
        let norms = self.codes.norms(self.metric);
        let coded = Coded { codes: self.codes, scale: self.scale, norms: &norms };
        let by_nibbles = nibbles.map(|nibbles| (Means::Nibbles, By::Nibbles(nibbles)));
        let by_rows = match rows {
            Rows::Codes(_) => (Means::Codes, By::Codes(coded)),
            Rows::Vectors { vectors, dimension } => {
                let bytes = bytemuck::cast_slice(vectors);
                (Means::Vectors, By::Vectors(Stored { bytes, precision: Precision::Full, dimension }))
            }
        };
        let mut best: Option<Plan> = None;
        for (means, by) in by_nibbles.into_iter().chain([by_rows]) {
            let walk = Walk { metric: self.metric, links, copies: self.copies, by, longest };
            let plan = Plan { means, longest, steps: self.steps(&walk, &sample, nodes.len()) };
            let reached = |plan: &Plan| plan.steps.last().map_or(0.0, |step| f64::from(step.recall));
            if best.as_ref().is_none_or(|best| reached(best) < reached(&plan)) {
                best = Some(plan);
            }
            if best.as_ref().is_some_and(|best| reached(best) >= ENOUGH_BY_NIBBLES) {
                break;
            }
        }
        let is_of_use =
            |plan: &Plan| plan.steps.last().is_some_and(|step| f64::from(step.recall) >= LEAST_OF_USE);
        best.filter(is_of_use).unwrap_or_else(|| Plan::scan(by_rows.0))
    }

    /// Builds the queries: rows, rows far from all others, and questions.
    fn sample(
        &self,
        graph: &Graph,
        rows: Rows<'_>,
        nodes: &[u32],
        vectors: impl Iterator<Item: Deref<Target = [f32]>>,
    ) -> Sample {
        let some: Vec<Vec<f32>> = measure::rows(nodes.len()).filter_map(|at| self.row(nodes[at])).collect();
        let lonely = loneliest(self.metric, rows, graph, nodes).into_iter().filter_map(|row| self.row(row));
        let questions = measure::questions(self.metric, &some, self.asked);
        let lonely = lonely.map(|row| (Kind::Lonely, row));
        let queries = some.into_iter().map(|row| (Kind::Rows, row)).chain(lonely);
        Sample::scan(self.metric, queries.chain(questions).collect(), vectors, self.options.threads())
    }

    /// Returns the steps from the fastest search to the best.
    fn steps(&self, walk: &Walk<'_>, sample: &Sample, nodes: usize) -> Vec<Step> {
        let find = |stop: Stop, before: &[Found]| -> Vec<Found> {
            sample.find(self.options.threads(), before, |query, scratch: &mut Scratch| {
                let scratch = scratch.start(self.codes.rows());
                let found = walk.positions(query, stop, RANKED, None, scratch);
                (self.ranks(query, found.into_iter()), scratch.ranked)
            })
        };
        let reaching = |most: usize, reach: f32| Stop { least: LEAST.min(most), most, hits: HITS, reach };
        // The smallest distance limit that loses little against that many candidates.
        let usual = USUAL.min(nodes / FEWEST_PER_CANDIDATE).max(MOST[0]);
        let enough = sample.recall(&find(Stop::at(usual), &[])) - SOONER;
        let is_enough = |&reach: &f32| sample.recall(&find(reaching(usual, reach), &[])) >= enough;
        let mut reaches = REACHES.into_iter().skip_while(|reach| !is_enough(reach)).chain([f32::INFINITY]);
        let mut reach = reaches.next().unwrap_or(f32::INFINITY);
        let mut steps: Vec<Step> = Vec::new();
        let mut found = Vec::new();
        let mut stuck = 0;
        for most in MOST {
            found = find(reaching(most, reach), &found);
            let mut recall = sample.recall(&found);
            let last = steps.last().map_or(0.0, |step| f64::from(step.recall));
            // With a few hundred questions, one step may by chance find no more than the one
            // before.
            stuck = if recall < last + FURTHER { stuck + 1 } else { 0 };
            if stuck == STUCK && recall < BEST {
                // More candidates alone would not find more.
                stuck = 0;
                reach = reaches.next().unwrap_or(f32::INFINITY);
                found = find(reaching(most, reach), &found);
                recall = sample.recall(&found);
            }
            if recall > last {
                let Stop { least, most, reach, .. } = reaching(most, reach);
                let width = (Sample::cost(&found) / DISTANCES_PER_CANDIDATE as f64).ceil() as u32;
                let (least, most) = (least as u32, most as u32);
                steps.push(Step { recall: recall as f32, least, most, reach, width });
            }
            let stopped = self.stop.load(Ordering::Acquire);
            if stopped || recall >= BEST || Sample::cost(&found) * 2.0 > nodes as f64 {
                break;
            }
        }
        steps
    }

    /// Returns the rows that are nodes of the graph.
    fn nodes(&self) -> Vec<u32> {
        let is_copy = self.copies.marks(self.codes.rows());
        (0..is_copy.len() as u32).filter(|&row| !is_copy[row as usize]).collect()
    }

    fn row(&self, row: u32) -> Option<Vec<f32>> {
        (self.at)(row).map(Cow::into_owned)
    }

    fn ranks(&self, query: &[f32], found: impl Iterator<Item = u32>) -> Vec<f32> {
        let with_copies = found
            .flat_map(|row| std::iter::once(row).chain(self.copies.of(row).iter().map(|&[_, copy]| copy)));
        let vectors = with_copies.filter_map(|row| (self.at)(row));
        vectors.map(|vector| self.metric.rank(query, &vector)).collect()
    }
}
