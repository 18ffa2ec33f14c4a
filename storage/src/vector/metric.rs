//! Metrics, and the checks of a vector before it is stored or searched with.

use crate::error::{Result, StorageError};
use postil_kernel::distance;

/// Largest component: beyond it a sum of squares over [`MAX_DIMENSION`] components would overflow.
pub(crate) const MAX_COMPONENT: f32 = 1e15;
/// Largest difference from 1 of a normalized vector's length, after rounding each component to f32.
const NORMALIZED: f64 = 1e-7;
/// The most components a vector may have.
pub const MAX_DIMENSION: usize = 65_536;

/// The comparison of two vectors. For every score, higher is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Cosine of the angle: vectors are normalized on entry; the score is in -1..=1.
    Cosine,
    /// Inner product of the vectors without normalization; the score is any number.
    Dot,
    /// Euclidean distance; the score is the negative distance, at most 0.
    L2,
}

impl Metric {
    pub(crate) fn to_byte(self) -> u8 {
        match self {
            Self::Cosine => 0,
            Self::Dot => 1,
            Self::L2 => 2,
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        [Self::Cosine, Self::Dot, Self::L2].into_iter().find(|metric| metric.to_byte() == byte)
    }

    /// Returns the vector as it is stored and searched with: checked, and of unit length under
    /// cosine.
    pub(crate) fn prepare(self, vector: &[f32], dimension: usize) -> Result<Vec<f32>> {
        if vector.len() != dimension {
            return Err(StorageError::Dimension { got: vector.len(), expected: dimension });
        }
        let limit = if self == Self::Cosine { f32::MAX } else { MAX_COMPONENT };
        if let Some((index, &value)) = vector.iter().enumerate().find(|(_, x)| x.is_nan() || x.abs() > limit)
        {
            return Err(StorageError::Component { index, value });
        }
        if self != Self::Cosine {
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
        for metric in [Metric::Cosine, Metric::Dot, Metric::L2] {
            assert_eq!(Metric::from_byte(metric.to_byte()), Some(metric));
        }
        assert_eq!(Metric::from_byte(9), None);
    }
}
