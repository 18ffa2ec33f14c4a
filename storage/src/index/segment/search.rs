//! The search of one segment, in a file or still in memory: through the graph, by nibbles, codes or
//! vectors.

use crate::index::copies::Copies;
use crate::index::graph::links::Links;
use crate::index::graph::scratch::Scratch;
use crate::index::graph::search::{self, Nearness, Stop};
use crate::vector::codes::{self, Codes, Scale};
use crate::vector::metric::Metric;
use crate::vector::nibbles::{Grid, NibbleQuery, Nibbles};
use crate::vector::precision::Precision;
use postil_kernel::distance;
use std::borrow::Cow;

/// The representation of rows that a search ranks candidates by.
#[derive(Clone, Copy)]
pub(crate) enum By<'a> {
    Nibbles(Nibbles<'a>),
    Codes(Coded<'a>),
    Vectors(Stored<'a>),
}

/// Vectors as codes, row after row.
#[derive(Clone, Copy)]
pub(crate) struct Coded<'a> {
    pub(crate) codes: Codes<'a>,
    pub(crate) scale: Scale,
    /// Empty if rows are ranked by the inner product alone.
    pub(crate) norms: &'a [f32],
}

/// Vectors as bytes, row after row.
#[derive(Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) precision: Precision,
    pub(crate) dimension: usize,
}

impl<'a> Stored<'a> {
    /// Returns the bytes of a row's vector.
    #[inline]
    pub(crate) fn bytes_at(self, position: usize) -> Option<&'a [u8]> {
        let row_bytes = self.dimension * self.precision.bytes();
        self.bytes.get(position.checked_mul(row_bytes)?..(position + 1).checked_mul(row_bytes)?)
    }

    #[inline]
    pub(crate) fn at(self, position: usize) -> Option<Cow<'a, [f32]>> {
        Some(self.precision.read(self.bytes_at(position)?))
    }
}

/// A graph, and the representation of its rows.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'a> {
    pub(crate) metric: Metric,
    pub(crate) links: Links<'a>,
    pub(crate) copies: Copies<'a>,
    pub(crate) by: By<'a>,
    /// Length of the longest vector; inner products are turned into distances with it (see
    /// [`Metric::best_rank`]). Meaningless if the metric needs norms.
    pub(crate) longest: f32,
}

impl Walk<'_> {
    /// Returns up to `most` positions near the query, among those that the search visits; with
    /// `accept`, only accepted ones. The caller has started the scratch with the number of rows.
    pub(crate) fn positions(
        &self,
        query: &[f32],
        stop: Stop,
        most: usize,
        accept: Option<&dyn Fn(u32) -> bool>,
        scratch: &mut Scratch,
    ) -> Vec<u32> {
        match self.by {
            By::Nibbles(nibbles) => {
                let grid = Grid::stored(nibbles.grid);
                let zero = self.zero(grid.squared_length(self.metric, query), 1.0);
                let to = ByNibbles { query: grid.query(self.metric, query, 1.0), nibbles, zero };
                self.walk(&to, stop, accept, scratch);
            }
            By::Codes(coded) => {
                let mut code = Vec::with_capacity(codes::stride(query.len()));
                self.walk(&self.by_codes(query, coded, &mut code), stop, accept, scratch);
            }
            By::Vectors(stored) => {
                let zero = self.metric.best_rank(query, self.longest);
                self.walk(&ByVectors { query, metric: self.metric, stored, zero }, stop, accept, scratch);
            }
        }
        let nodes = scratch.pool.iter().map(|found| found.position());
        if self.copies.0.is_empty() {
            return nodes.take(most).collect();
        }
        let with_copies = nodes
            .take(most)
            .flat_map(|node| std::iter::once(node).chain(self.copies.of(node).iter().map(|&[_, copy]| copy)));
        with_copies.filter(|&position| accept.is_none_or(|accept| accept(position))).take(most).collect()
    }

    /// Returns the rank by codes at distance zero from a query of that squared length; `unit` is
    /// the unit of lengths.
    fn zero(&self, squared_length: f32, unit: f32) -> f32 {
        if self.metric.needs_norms() { squared_length } else { squared_length.sqrt() * self.longest * unit }
    }

    fn by_codes<'b>(&self, query: &[f32], coded: Coded<'b>, code: &'b mut Vec<i8>) -> ByCodes<'b> {
        coded.scale.encode(query, code);
        let squared_length = distance::dot_codes(code, code) as f32;
        let zero = self.zero(squared_length, coded.scale.per_unit());
        ByCodes { query: code, codes: coded.codes, norms: coded.norms, zero }
    }

    fn walk(
        &self,
        to: &impl Nearness,
        stop: Stop,
        accept: Option<&dyn Fn(u32) -> bool>,
        scratch: &mut Scratch,
    ) {
        let Some(accept) = accept else { return search::nearest(self.links, stop, scratch, to) };
        let any = |node: u32| accept(node) || self.copies.of(node).iter().any(|&[_, copy]| accept(copy));
        search::nearest_accepted(self.links, stop, scratch, to, any);
    }
}

/// Nearness of rows to a query, by their nibbles.
struct ByNibbles<'a> {
    query: NibbleQuery,
    nibbles: Nibbles<'a>,
    zero: f32,
}

impl ByNibbles<'_> {
    #[inline]
    fn rank_of(&self, position: u32, product: f32) -> f32 {
        self.nibbles.norms.get(position as usize).map_or(product, |norm| 2.0 * product - norm)
    }
}

impl Nearness for ByNibbles<'_> {
    #[inline]
    fn rank(&self, position: u32) -> f32 {
        self.rank_of(position, self.query.product(self.nibbles.row(position)))
    }

    #[inline]
    fn rank_all(&self, positions: &[u32], ranks: &mut Vec<f32>) {
        let (fours, others) = positions.as_chunks::<4>();
        for &[a, b, c, d] in fours {
            let row = |position| self.nibbles.row(position);
            let [of_a, of_b, of_c, of_d] = self.query.products([row(a), row(b), row(c), row(d)]);
            let rank = |position, product| self.rank_of(position, product);
            ranks.extend_from_slice(&[rank(a, of_a), rank(b, of_b), rank(c, of_c), rank(d, of_d)]);
        }
        ranks.extend(others.iter().map(|&position| self.rank(position)));
    }

    #[inline]
    fn zero(&self) -> f32 {
        self.zero
    }

    #[inline]
    fn prefetch(&self, position: u32) {
        distance::prefetch(self.nibbles.row(position));
    }
}

/// Nearness of rows to a query, by their codes.
struct ByCodes<'a> {
    query: &'a [i8],
    codes: Codes<'a>,
    norms: &'a [f32],
    zero: f32,
}

impl Nearness for ByCodes<'_> {
    #[inline]
    fn rank(&self, position: u32) -> f32 {
        let product = distance::dot_codes(self.query, self.codes.row(position)) as f32;
        self.norms.get(position as usize).map_or(product, |norm| 2.0 * product - norm)
    }

    #[inline]
    fn zero(&self) -> f32 {
        self.zero
    }

    #[inline]
    fn prefetch(&self, position: u32) {
        distance::prefetch(self.codes.row(position));
    }
}

/// Nearness of rows to a query, by their vectors.
struct ByVectors<'a> {
    query: &'a [f32],
    metric: Metric,
    stored: Stored<'a>,
    zero: f32,
}

impl Nearness for ByVectors<'_> {
    #[inline]
    fn rank(&self, position: u32) -> f32 {
        // A damaged file may have fewer rows than it says; rows are compared with their checksums
        // before they count.
        self.stored
            .at(position as usize)
            .map_or(f32::NEG_INFINITY, |vector| self.metric.rank(self.query, &vector))
    }

    #[inline]
    fn zero(&self) -> f32 {
        self.zero
    }

    #[inline]
    fn prefetch(&self, position: u32) {
        if let Some(bytes) = self.stored.bytes_at(position as usize) {
            distance::prefetch(bytes);
        }
    }
}
