//! Vectors with one byte per component, which a search walks over before the exact vectors decide.

use super::metric::Metric;
use postil_kernel::distance;
use std::ops::Deref;

/// Codes of a row are filled up with zeros to a multiple of this, a cache line.
const LINE: usize = 64;
/// Components sampled to find the scale.
const SAMPLED: usize = 1 << 20;
/// Share of the components that may lie beyond the largest code, and are clipped to it.
const CLIPPED: f64 = 2e-5;
/// Share of the components of later rows with the same scale that may be clipped.
const SUITABLE: f64 = 1e-3;
const LARGEST: f32 = 127.0;

/// Returns the number of codes per row, for vectors of a dimension.
pub(crate) fn stride(dimension: usize) -> usize {
    dimension.next_multiple_of(LINE)
}

/// One scale for all components of all rows, so that inner products of codes order as those of
/// vectors do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale(f32);

impl Scale {
    /// Makes a scale from a stored number; `None` if the number cannot be one.
    pub(crate) fn stored(per_unit: f32) -> Option<Self> {
        (per_unit.is_finite() && per_unit > 0.0).then_some(Self(per_unit))
    }

    /// Returns the codes per unit of a component.
    pub(crate) fn per_unit(self) -> f32 {
        self.0
    }

    /// Returns the scale that nearly every component of `rows` vectors fits.
    pub(crate) fn fit(
        vectors: impl Iterator<Item: Deref<Target = [f32]>>,
        rows: usize,
        dimension: usize,
    ) -> Self {
        let step = (rows * dimension).div_ceil(SAMPLED).max(1);
        let mut sizes: Vec<f32> = Vec::new();
        vectors.step_by(step).for_each(|vector| sizes.extend(vector.iter().map(|x| x.abs())));
        if sizes.is_empty() {
            return Self(1.0);
        }
        let beyond = (sizes.len() as f64 * CLIPPED) as usize;
        let at = sizes.len() - 1 - beyond;
        let (_, &mut most, _) = sizes.select_nth_unstable_by(at, f32::total_cmp);
        // All zeros, or so small that the quotient overflows: any scale will do, since the exact
        // vectors decide.
        Self::stored(LARGEST / most).unwrap_or(Self(1.0))
    }

    /// True if few enough components of more vectors lie beyond the largest code.
    pub(crate) fn suits(self, vectors: impl Iterator<Item: Deref<Target = [f32]>>) -> bool {
        let (mut all, mut beyond) = (0u64, 0u64);
        for vector in vectors {
            all += vector.len() as u64;
            beyond += vector.iter().filter(|x| (*x * self.0).abs() > LARGEST + 0.5).count() as u64;
        }
        beyond as f64 <= all as f64 * SUITABLE
    }

    /// Appends the codes of a vector, filled up to the stride.
    pub(crate) fn encode(self, vector: &[f32], out: &mut Vec<i8>) {
        let end = out.len() + stride(vector.len());
        out.extend(vector.iter().map(|x| (x * self.0).round().clamp(-LARGEST, LARGEST) as i8));
        out.resize(end, 0);
    }
}

/// Rows of codes, in memory or in a file.
#[derive(Clone, Copy)]
pub(crate) struct Codes<'a> {
    pub(crate) codes: &'a [i8],
    pub(crate) stride: usize,
}

impl<'a> Codes<'a> {
    pub(crate) fn rows(self) -> usize {
        self.codes.len() / self.stride
    }

    #[inline]
    pub(crate) fn row(self, row: u32) -> &'a [i8] {
        &self.codes[row as usize * self.stride..(row as usize + 1) * self.stride]
    }

    /// Returns the squared lengths of all rows, in codes; empty if the metric does not need them.
    pub(crate) fn norms(self, metric: Metric) -> Vec<f32> {
        let rows = if metric.needs_norms() { self.rows() as u32 } else { 0 };
        (0..rows).map(|row| self.norm(row)).collect()
    }

    /// Returns the squared length of a row, in codes.
    pub(crate) fn norm(self, row: u32) -> f32 {
        let row = self.row(row);
        distance::dot_codes(row, row) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_inner_products() {
        let vectors: Vec<Vec<f32>> = (0..40)
            .map(|i| (0..70).map(|j| ((i * 71 + j * 13) % 29) as f32 / 29.0 - 0.5).collect())
            .collect();
        let scale = Scale::fit(vectors.iter().map(Vec::as_slice), 40, 70);
        let mut all = Vec::new();
        vectors.iter().for_each(|vector| scale.encode(vector, &mut all));
        let codes = Codes { codes: &all, stride: stride(70) };
        assert_eq!(codes.rows(), 40);
        for a in 0..40 {
            for b in 0..40 {
                let exact = distance::dot(&vectors[a], &vectors[b]);
                let of_codes = distance::dot_codes(codes.row(a as u32), codes.row(b as u32)) as f32;
                assert!((of_codes / scale.per_unit().powi(2) - exact).abs() < 0.05, "{a} {b}");
            }
        }
    }

    #[test]
    fn a_scale_is_always_a_number() {
        for value in [0.0f32, 1e-45, 1e15] {
            let vector = [value; 4];
            let scale = Scale::fit(std::iter::once(&vector[..]), 1, 4);
            assert_eq!(Scale::stored(scale.per_unit()), Some(scale));
            let mut codes = Vec::new();
            scale.encode(&vector, &mut codes);
            assert_eq!(codes.len(), 64);
        }
        let scale = Scale::fit(std::iter::once(&[1.0, -1.0][..]), 1, 2);
        assert!(scale.suits([&[0.5, 1.0][..]].into_iter()) && !scale.suits([&[0.5, 1.1][..]].into_iter()));
        assert_eq!(Scale::fit(std::iter::empty::<Vec<f32>>(), 0, 4), Scale(1.0));
        assert_eq!(Scale::stored(f32::NAN), None);
    }
}
