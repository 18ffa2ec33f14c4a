use super::super::operands::Rows;
use super::format::BLOCK;

/// Rows in 16-bit codes with a scale for each 32; a reusable buffer.
#[derive(Clone, Debug, Default)]
pub struct BlockRows {
    /// Pairs of codes, `[rows, inner / 2]`, the first code in the low half.
    pub(super) pairs: Vec<i32>,
    /// Scales, `[rows, inner / 32]`; NaN for a block with a value that is not finite.
    pub(super) steps: Vec<f32>,
    /// Sums of the rounded values, `[rows, inner / 32]`.
    pub(super) sums: Vec<f32>,
    rows: usize,
    inner: usize,
}

impl BlockRows {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of terms in each sum, a multiple of 32.
    pub fn inner(&self) -> usize {
        self.inner
    }

    /// Number of pairs in a row.
    pub(super) fn pairs(&self) -> usize {
        self.inner / 2
    }

    /// Number of blocks in a row.
    pub(super) fn blocks(&self) -> usize {
        self.inner / BLOCK
    }

    /// Fills the buffer from `rows` by `round`, which fills a block's pairs and returns its scale
    /// and the sum of its codes.
    pub(super) fn fill(
        &mut self,
        rows: Rows<'_>,
        inner: usize,
        round: impl Fn(&[f32], &mut [i32]) -> (f32, i32),
    ) {
        (self.inner, self.rows) = (inner, rows.rows);
        self.pairs.resize(rows.rows * inner / 2, 0);
        self.steps.clear();
        self.sums.clear();
        for (row, pairs) in self.pairs.chunks_exact_mut((inner / 2).max(1)).enumerate() {
            let values = &rows.values[row * rows.stride..][..inner];
            for (values, pairs) in values.chunks_exact(BLOCK).zip(pairs.chunks_exact_mut(BLOCK / 2)) {
                let (step, sum) = round(values, pairs);
                self.steps.push(step);
                self.sums.push(step * sum as f32);
            }
        }
    }
}

/// Largest code: 32 products with codes of a byte then sum to less than 2^31.
const MOST: f32 = 32_767.0;

/// Factor from values to codes, and the factor back, for a block whose greatest magnitude is
/// `most`; a block with a value that is not finite has codes 0 and the scale NaN.
pub(super) fn scale(most: f32) -> (f32, f32) {
    if !most.is_finite() {
        return (0.0, f32::NAN);
    }
    let scale = MOST / most;
    if scale.is_finite() { (scale, most / MOST) } else { (0.0, 0.0) }
}
