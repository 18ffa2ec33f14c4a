//! The search of one segment, in a file or still in memory: through the graph, by codes or by vectors.

use crate::index::copies::Copies;
use crate::index::graph::links::Links;
use crate::index::graph::scratch::Scratch;
use crate::index::graph::search::{self, Nearness};
use crate::vector::codes::{self, Codes, Scale};
use crate::vector::distance;
use crate::vector::metric::Metric;
use crate::vector::precision::Precision;
use std::borrow::Cow;

/// What the steps of a search are decided by.
#[derive(Clone, Copy)]
pub(crate) enum By<'a> {
    Codes {
        codes: Codes<'a>,
        scale: Scale,
        /// Empty where the inner product alone ranks.
        norms: &'a [f32],
    },
    Vectors(Stored<'a>),
}

/// Vectors as bytes, row after row.
#[derive(Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) precision: Precision,
    pub(crate) dimension: usize,
}

impl<'a> Stored<'a> {
    /// The bytes of a row's vector.
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

/// A graph, and what it is a graph of.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'a> {
    pub(crate) metric: Metric,
    pub(crate) links: Links<'a>,
    pub(crate) copies: Copies<'a>,
    pub(crate) by: By<'a>,
}

impl Walk<'_> {
    /// Up to `most` positions near the query, of the `ef` nearest that the search sees; with `accept`, only those it
    /// accepts. The scratch has been started with the number of rows.
    pub(crate) fn positions(
        &self,
        query: &[f32],
        ef: usize,
        most: usize,
        accept: Option<&dyn Fn(u32) -> bool>,
        scratch: &mut Scratch,
    ) -> Vec<u32> {
        match self.by {
            By::Codes { codes, scale, norms } => {
                let mut code = Vec::with_capacity(codes::stride(query.len()));
                scale.encode(query, &mut code);
                self.nearest(&ByCodes { query: &code, codes, norms }, ef, most, accept, scratch)
            }
            By::Vectors(stored) => {
                let to = ByVectors { query, metric: self.metric, stored };
                self.nearest(&to, ef, most, accept, scratch)
            }
        }
    }

    fn nearest(
        &self,
        to: &impl Nearness,
        ef: usize,
        most: usize,
        accept: Option<&dyn Fn(u32) -> bool>,
        scratch: &mut Scratch,
    ) -> Vec<u32> {
        let nodes: Vec<u32> = match accept {
            None => {
                search::nearest(self.links, ef, scratch, to);
                scratch.pool.iter().take(most).map(|found| found.position()).collect()
            }
            Some(accept) => {
                let any =
                    |node: u32| accept(node) || self.copies.of(node).iter().any(|&[_, copy]| accept(copy));
                let mut found = search::nearest_accepted(self.links, ef, scratch, to, any);
                found.sort_unstable_by(|a, b| b.cmp(a));
                found.into_iter().take(most).map(|found| found.row as u32).collect()
            }
        };
        if self.copies.0.is_empty() {
            return nodes;
        }
        let with_copies = nodes
            .into_iter()
            .flat_map(|node| std::iter::once(node).chain(self.copies.of(node).iter().map(|&[_, copy]| copy)));
        with_copies.filter(|&position| accept.is_none_or(|accept| accept(position))).take(most).collect()
    }
}

/// How near the codes of rows are to those of a query.
pub(crate) struct ByCodes<'a> {
    pub(crate) query: &'a [i8],
    pub(crate) codes: Codes<'a>,
    pub(crate) norms: &'a [f32],
}

impl Nearness for ByCodes<'_> {
    #[inline]
    fn rank(&self, position: u32) -> f32 {
        let product = distance::dot_codes(self.query, self.codes.row(position)) as f32;
        self.norms.get(position as usize).map_or(product, |norm| 2.0 * product - norm)
    }

    #[inline]
    fn prefetch(&self, position: u32) {
        distance::prefetch(self.codes.row(position));
    }
}

/// How near the vectors of rows are to a query.
struct ByVectors<'a> {
    query: &'a [f32],
    metric: Metric,
    stored: Stored<'a>,
}

impl Nearness for ByVectors<'_> {
    #[inline]
    fn rank(&self, position: u32) -> f32 {
        // A damaged file may have fewer than it says; its rows are compared with their checksums before they count.
        self.stored
            .at(position as usize)
            .map_or(f32::NEG_INFINITY, |vector| self.metric.rank(self.query, &vector))
    }

    #[inline]
    fn prefetch(&self, position: u32) {
        if let Some(bytes) = self.stored.bytes_at(position as usize) {
            distance::prefetch(bytes);
        }
    }
}
