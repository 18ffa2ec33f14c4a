//! Metrics: names, numbers on disk, and everything that the store asks of a metric. No other file
//! tells metrics apart: a new one is a variant here, in [`Metric::ALL`] and in each `match`.

use super::names::{NameError, Named};
use crate::error::StorageError;
use postil_kernel::distance;
use std::fmt;
use std::str::FromStr;

/// Largest component: beyond it a sum of squares over [`MAX_DIMENSION`] components would overflow.
pub(crate) const MAX_COMPONENT: f32 = 1e15;
/// Largest difference from 1 of a normalized vector's length, after rounding each component to f32.
const NORMALIZED: f64 = 1e-7;
/// The most components a vector may have.
pub const MAX_DIMENSION: usize = 65_536;

/// The comparison of two vectors. For every score, higher is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Metric {
    /// Cosine of the angle: vectors are normalized on entry; the score is in -1..=1.
    Cosine,
    /// Inner product of the vectors without normalization; the score is any number.
    Dot,
    /// Euclidean distance; the score is the negative distance, at most 0.
    L2,
}

/// The way in which graphs and codes, which compute with inner products, see vectors. Exact ranks
/// decide among the rows found by them.
#[derive(Clone, Copy, PartialEq)]
enum Geometry {
    /// Vectors of unit length, by inner products.
    Directions,
    /// Vectors of any length, by inner products.
    Products,
    /// Vectors of any length, by Euclidean distances.
    Distances,
}

impl Metric {
    /// Every metric.
    pub const ALL: &'static [Self] = &[Self::Cosine, Self::Dot, Self::L2];

    /// Returns the number on disk, the name, and the geometry.
    #[inline]
    fn properties(self) -> (u8, &'static str, Geometry) {
        match self {
            Self::Cosine => (0, "cosine", Geometry::Directions),
            Self::Dot => (1, "dot", Geometry::Products),
            Self::L2 => (2, "l2", Geometry::Distances),
        }
    }

    /// Returns the rank, which orders rows as the score does: the inner product, or the negative
    /// squared distance.
    #[inline]
    pub(crate) fn rank(self, a: &[f32], b: &[f32]) -> f32 {
        match self {
            Self::Cosine | Self::Dot => distance::dot(a, b),
            Self::L2 => -distance::squared_l2(a, b),
        }
    }

    /// Returns the score that a caller sees for a [`rank`](Self::rank).
    pub(crate) fn score(self, rank: f32) -> f32 {
        match self {
            Self::Cosine | Self::Dot => rank,
            Self::L2 => -(-rank).max(0.0).sqrt(),
        }
    }

    #[inline]
    fn geometry(self) -> Geometry {
        self.properties().2
    }

    pub(crate) fn to_byte(self) -> u8 {
        self.properties().0
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.to_byte() == byte)
    }

    /// True if vectors are brought to unit length on entry.
    pub(crate) fn normalizes(self) -> bool {
        self.geometry() == Geometry::Directions
    }

    /// True if rows are ranked by inner products, and their lengths differ. A graph, which needs
    /// distances, then sees each row with one more component, which lifts all rows to the same
    /// length (Bachrach et al. 2014): the nearest rows have the greatest inner products.
    pub(crate) fn lifts(self) -> bool {
        self.geometry() == Geometry::Products
    }

    /// True if ranks by codes need the squared lengths of rows beside inner products: twice the
    /// product, less the row's squared length.
    pub(crate) fn needs_norms(self) -> bool {
        self.geometry() == Geometry::Distances
    }

    /// True if nothing but the difference between two vectors counts, wherever the origin is.
    pub(crate) fn ignores_origin(self) -> bool {
        self.geometry() == Geometry::Distances
    }

    /// Returns the distance, at least 0, of two vectors that are lifted if the metric
    /// [`lifts`](Self::lifts).
    #[inline]
    pub(crate) fn distance(self, a: &[f32], b: &[f32]) -> f32 {
        match self.geometry() {
            Geometry::Directions => (1.0 - self.rank(a, b)).max(0.0),
            Geometry::Products => distance::squared_l2(a, b),
            Geometry::Distances => -self.rank(a, b),
        }
    }

    /// Returns the rank of a row at distance 0 from the query; `longest` is the length of the
    /// longest row.
    pub(crate) fn best_rank(self, query: &[f32], longest: f32) -> f32 {
        match self.geometry() {
            Geometry::Directions | Geometry::Products => distance::dot(query, query).sqrt() * longest,
            Geometry::Distances => 0.0,
        }
    }

    /// Returns the vector as it is stored and searched with: checked, and of unit length under
    /// cosine.
    pub(crate) fn prepare(self, vector: &[f32], dimension: usize) -> Result<Vec<f32>, StorageError> {
        if vector.len() != dimension {
            return Err(StorageError::Dimension { got: vector.len(), expected: dimension });
        }
        let limit = if self.normalizes() { f32::MAX } else { MAX_COMPONENT };
        if let Some((index, &value)) = vector.iter().enumerate().find(|(_, x)| x.is_nan() || x.abs() > limit)
        {
            return Err(StorageError::Component { index, value });
        }
        if !self.normalizes() {
            return Ok(vector.to_vec());
        }
        let norm = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        if norm == 0.0 {
            return Err(StorageError::ZeroVector);
        }
        // A stored vector that is stored again stays the same, bit by bit.
        if (norm - 1.0).abs() <= NORMALIZED {
            return Ok(vector.to_vec());
        }
        Ok(vector.iter().map(|&x| (f64::from(x) / norm) as f32).collect())
    }
}

impl Named for Metric {
    const KIND: &'static str = "metric";
    const ALL: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        self.properties().1
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Metric {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::find(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiny_and_huge_vectors_normalize() {
        for scale in [1e-40f32, 1e-20, 1.0, 1e20, 1e38] {
            let unit = Metric::Cosine.prepare(&[3.0 * scale, -2.0 * scale], 2).unwrap();
            assert!((distance::dot(&unit, &unit) - 1.0).abs() < 1e-5, "{scale}");
        }
    }

    #[test]
    fn a_normalized_vector_stays_as_it_is() {
        for i in 1..2_000 {
            let vector: Vec<f32> = (1..40).map(|j| (i * j % 997) as f32 - 300.25).collect();
            let once = Metric::Cosine.prepare(&vector, vector.len()).unwrap();
            assert_eq!(Metric::Cosine.prepare(&once, once.len()).unwrap(), once, "{i}");
        }
    }

    #[test]
    fn unusable_vectors_are_named() {
        let prepare = |metric: Metric, v: &[f32]| metric.prepare(v, 2).unwrap_err();
        assert!(matches!(prepare(Metric::Dot, &[1.0]), StorageError::Dimension { got: 1, expected: 2 }));
        assert!(matches!(prepare(Metric::L2, &[0.0, f32::NAN]), StorageError::Component { index: 1, .. }));
        assert!(matches!(
            prepare(Metric::Cosine, &[f32::INFINITY, 0.0]),
            StorageError::Component { index: 0, .. }
        ));
        assert!(matches!(prepare(Metric::Dot, &[1e30, 0.0]), StorageError::Component { index: 0, .. }));
        assert!(matches!(prepare(Metric::Cosine, &[0.0, -0.0]), StorageError::ZeroVector));
    }

    #[test]
    fn bytes_name_metrics_and_back() {
        for (at, metric) in Metric::ALL.iter().enumerate() {
            assert_eq!(Metric::from_byte(metric.to_byte()), Some(*metric));
            assert_eq!(usize::from(metric.to_byte()), at, "numbers on disk stay, and new ones follow");
        }
        assert_eq!(Metric::from_byte(9), None);
    }
}
