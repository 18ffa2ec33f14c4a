//! Vectors with four bits per component, which a search walks over if they distinguish rows well
//! enough. Each component has its own mean and step, so that neither an offset nor components of
//! unlike width cost precision. (Scalar quantization per component, as FAISS's `QT_4bit`; the
//! queries keep eight bits.)

use super::metric::Metric;
use postil_kernel::distance;
use std::borrow::Cow;
use std::ops::Deref;

/// Number of components in a cache line.
const LINE: usize = 128;
/// Bytes of a line.
pub(crate) const LINE_BYTES: usize = LINE / 2;
/// Nibble that stands for the mean of a component; nibbles are from 1 to 15.
const MIDDLE: f32 = 8.0;
/// Number of steps to each side of the mean.
const STEPS: f32 = 7.0;
/// Distance of the farthest step of a component from its mean, in standard deviations.
const WIDTH: f32 = 3.0;
/// Rows sampled to find means and steps.
const SAMPLED: usize = 8_192;

/// Fewest components for nibbles: below it, codes of one byte take no more lines.
pub(crate) const LEAST_DIMENSION: usize = LINE_BYTES + 1;

/// Returns the bytes of a row.
pub(crate) fn stride(dimension: usize) -> usize {
    dimension.div_ceil(LINE) * LINE_BYTES
}

/// Quantization grid: the mean of each component, then the step of each.
#[derive(Clone)]
pub(crate) struct Grid<'a>(Cow<'a, [f32]>);

/// Rows of nibbles, in memory or in a file.
#[derive(Clone, Copy)]
pub(crate) struct Nibbles<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) stride: usize,
    /// Squared distances of the quantized rows from the mean; empty if the metric does not need
    /// norms.
    pub(crate) norms: &'a [f32],
    /// Numbers of a [`Grid`].
    pub(crate) grid: &'a [f32],
}

/// A query in the form that nibbles are compared with.
pub(crate) struct NibbleQuery {
    weights: Vec<i8>,
    /// Factor for a product of weights and nibbles.
    scale: f32,
    shift: f32,
}

impl NibbleQuery {
    /// Returns the approximate inner product with a vector; if the metric ignores the origin, that
    /// of their differences from the mean.
    #[inline]
    pub(crate) fn product(&self, nibbles: &[u8]) -> f32 {
        self.scaled(distance::dot_nibbles(&self.weights, nibbles))
    }

    /// As [`Self::product`], for each of four rows.
    #[inline]
    pub(crate) fn products(&self, nibbles: [&[u8]; 4]) -> [f32; 4] {
        let [a, b, c, d] = distance::dot_nibbles_of_four(&self.weights, nibbles);
        [self.scaled(a), self.scaled(b), self.scaled(c), self.scaled(d)]
    }

    #[inline]
    fn scaled(&self, product: i32) -> f32 {
        product as f32 * self.scale + self.shift
    }
}

impl<'a> Nibbles<'a> {
    #[inline]
    pub(crate) fn row(self, row: u32) -> &'a [u8] {
        &self.bytes[row as usize * self.stride..(row as usize + 1) * self.stride]
    }
}

impl<'a> Grid<'a> {
    /// Returns the number of grid numbers for a dimension.
    pub(crate) fn numbers_of(dimension: usize) -> usize {
        2 * dimension
    }

    /// Makes a grid from stored numbers.
    pub(crate) fn stored(numbers: &'a [f32]) -> Self {
        Self(Cow::Borrowed(numbers))
    }

    /// Returns the grid that suits the vectors, found from a sample of them.
    pub(crate) fn fit(
        vectors: impl Iterator<Item: Deref<Target = [f32]>>,
        rows: usize,
        dimension: usize,
    ) -> Grid<'static> {
        let (mut count, mut sums, mut squares) = (0f64, vec![0f64; dimension], vec![0f64; dimension]);
        let mut first: Vec<f32> = Vec::new();
        for vector in vectors.step_by(rows.div_ceil(SAMPLED).max(1)) {
            if first.is_empty() {
                first = vector.to_vec();
            }
            count += 1.0;
            // Relative to the first vector, so that squares of a large offset do not swallow the
            // differences.
            for (at, (x, first)) in vector.iter().zip(&first).enumerate() {
                let from_first = f64::from(x - first);
                sums[at] += from_first;
                squares[at] += from_first * from_first;
            }
        }
        first.resize(dimension, 0.0);
        let mean = |at: usize| sums[at] / f64::max(count, 1.0);
        let means = (0..dimension).map(|at| (f64::from(first[at]) + mean(at)) as f32);
        let steps = (0..dimension).map(|at| {
            let variance = (squares[at] / f64::max(count, 1.0) - mean(at).powi(2)).max(0.0);
            ((f64::from(WIDTH / STEPS) * variance.sqrt()) as f32).max(f32::MIN_POSITIVE)
        });
        Grid(means.chain(steps).collect())
    }

    pub(crate) fn numbers(&self) -> &[f32] {
        &self.0
    }

    fn parts(&self) -> (&[f32], &[f32]) {
        self.0.split_at(self.0.len() / 2)
    }

    /// Appends a vector's nibbles, filled up to the stride, and returns the squared distance of the
    /// quantized vector from the mean.
    pub(crate) fn encode(&self, vector: &[f32], out: &mut Vec<u8>) -> f32 {
        let (means, steps) = self.parts();
        let start = out.len();
        out.resize(start + stride(vector.len()), 0);
        let mut norm = 0.0;
        for (at, (x, (mean, step))) in vector.iter().zip(means.iter().zip(steps)).enumerate() {
            let steps = ((x - mean) / step).round().clamp(-STEPS, STEPS);
            norm += (steps * step).powi(2);
            let (line, at) = (at / LINE * LINE_BYTES, at % LINE);
            out[start + line + at % LINE_BYTES] |= ((steps + MIDDLE) as u8) << (at / LINE_BYTES * 4);
        }
        norm
    }

    /// Prepares a query; its products are multiplied by `unit`.
    pub(crate) fn query(&self, metric: Metric, query: &[f32], unit: f32) -> NibbleQuery {
        let (means, steps) = self.parts();
        let (of_mean, mut components): (f32, Vec<f32>) = if metric.ignores_origin() {
            (0.0, query.iter().zip(means).map(|(x, mean)| x - mean).collect())
        } else {
            (distance::dot(query, means), query.to_vec())
        };
        components.iter_mut().zip(steps).for_each(|(x, step)| *x *= step);
        let most = components.iter().fold(0f32, |most, x| most.max(x.abs()));
        let per_weight = if most > 0.0 && most.is_finite() { most / 127.0 } else { 1.0 };
        let mut weights = vec![0i8; 2 * stride(query.len())];
        let mut sum = 0i32;
        for (at, x) in components.iter().enumerate() {
            let weight = (x / per_weight).round().clamp(-127.0, 127.0) as i8;
            sum += i32::from(weight);
            weights[at] = weight;
        }
        let shift = unit * (of_mean - MIDDLE * per_weight * sum as f32);
        NibbleQuery { weights, scale: unit * per_weight, shift }
    }

    /// Returns the squared length of a query; if the metric ignores the origin, that of its
    /// difference from the mean.
    pub(crate) fn squared_length(&self, metric: Metric, query: &[f32]) -> f32 {
        if metric.ignores_origin() {
            distance::squared_l2(query, self.parts().0)
        } else {
            distance::dot(query, query)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIMENSION: usize = 150;

    /// Components of unlike width, some far from zero.
    fn vectors() -> Vec<Vec<f32>> {
        let component = |row: usize, at: usize| {
            let from_0_to_1 = ((row * 7919 + at * 104_729) % 1009) as f32 / 1009.0;
            match at {
                3 => 1_000.0 + from_0_to_1,
                at if at % 2 == 0 => 10.0 * from_0_to_1,
                _ => from_0_to_1 - 0.5,
            }
        };
        (0..400).map(|row| (0..DIMENSION).map(|at| component(row, at)).collect()).collect()
    }

    #[test]
    fn ranks_by_nibbles_are_about_those_by_vectors() {
        let vectors = vectors();
        let grid = Grid::fit(vectors.iter().map(Vec::as_slice), vectors.len(), DIMENSION);
        let (mut bytes, mut norms) = (Vec::new(), Vec::new());
        vectors.iter().for_each(|vector| norms.push(grid.encode(vector, &mut bytes)));
        assert_eq!((bytes.len(), stride(DIMENSION)), (400 * 128, 128));
        let nibbles = Nibbles { bytes: &bytes, stride: 128, norms: &norms, grid: grid.numbers() };
        for query in [&vectors[0], &vectors[77], &vectors[301]] {
            let of_distance = grid.query(Metric::L2, query, 1.0);
            let of_product = grid.query(Metric::Dot, query, 2.0);
            let length = grid.squared_length(Metric::L2, query);
            for (row, vector) in (0..).zip(&vectors) {
                let exact = distance::squared_l2(query, vector);
                let about = length + norms[row as usize] - 2.0 * of_distance.product(nibbles.row(row));
                assert!((exact - about).abs() < 0.05 * exact + 60.0, "{about} for {exact}");
                let exact = distance::dot(query, vector);
                let about = of_product.product(nibbles.row(row)) / 2.0;
                assert!((exact - about).abs() < 1e-3 * exact.abs(), "{about} for {exact}");
            }
        }
    }

    #[test]
    fn a_grid_is_of_numbers_whatever_the_vectors_are() {
        for value in [0.0, 1.0, -1e15] {
            let vectors = vec![vec![value; DIMENSION]; 3];
            let grid = Grid::fit(vectors.iter().map(Vec::as_slice), 3, DIMENSION);
            assert!(grid.numbers().iter().all(|x| x.is_finite()), "{value}");
            let mut bytes = Vec::new();
            let norm = grid.encode(&vectors[0], &mut bytes);
            assert!(norm.is_finite() && bytes.len() == stride(DIMENSION));
            let stored = Grid::stored(grid.numbers());
            assert!(stored.query(Metric::L2, &vectors[0], 1.0).product(&bytes).is_finite());
        }
        let none = Grid::fit(std::iter::empty::<Vec<f32>>(), 0, 4);
        assert_eq!(none.numbers().len(), Grid::numbers_of(4));
    }
}
