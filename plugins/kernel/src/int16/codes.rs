//! Rows and columns as codes, with the factors of the codes.

use super::super::operands::Rows;
use super::super::panels::PANEL;

/// Number of terms whose products are summed in 32 bits.
pub(super) const BLOCK: usize = 128;
/// Maximum length of a block's codes before rounding, which adds at most `sqrt(BLOCK) / 2 < 10`;
/// 46,310^2 < 2^31.
const LONGEST: f32 = 46_300.0;
/// Largest code. Two products of it also sum to less than 2^31.
pub(super) const MOST: f32 = 32_767.0;
/// Smallest sum of squares that underflow of single squares does not affect.
const SMALL: f32 = 1e-25;
/// One pair of a panel's rows, on one cache line: for each column two codes, the first in the low
/// half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(64))]
pub(super) struct CodeRow(pub(super) [i32; PANEL]);

/// The right-hand side: `ceil(columns / PANEL)` panels of codes.
#[derive(Clone, Copy)]
pub struct Int16Columns<'a> {
    pub(super) panels: &'a [CodeRow],
    pub(super) steps: &'a [f32],
    /// Number of terms in each sum.
    pub inner: usize,
    /// Number of columns.
    pub columns: usize,
}

impl<'a> Int16Columns<'a> {
    /// Iterates over the panels.
    pub(super) fn each(self) -> impl Iterator<Item = Panel<'a>> {
        let (pairs, steps) = (self.inner.div_ceil(2).max(1), (self.inner.div_ceil(BLOCK) * PANEL).max(1));
        let panels = self.panels.chunks_exact(pairs).zip(self.steps.chunks_exact(steps)).enumerate();
        panels.map(move |(index, (rows, steps))| {
            let first = index * PANEL;
            Panel { rows, steps, first, width: PANEL.min(self.columns - first) }
        })
    }
}

/// One panel.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    pub(super) rows: &'a [CodeRow],
    /// Factors of the codes, `[blocks, PANEL]`.
    pub(super) steps: &'a [f32],
    /// Index of the panel's first column.
    pub(super) first: usize,
    /// Number of the panel's columns.
    pub(super) width: usize,
}

/// The left-hand side in codes; a reusable buffer.
#[derive(Clone, Default)]
pub struct Int16Rows {
    /// Pairs of codes, `[rows, stride]`, the first code in the low half.
    pub(super) pairs: Vec<i32>,
    /// Factors of the codes, `[rows, blocks]`; NaN for a block with a value that is not finite.
    pub(super) steps: Vec<f32>,
    /// Number of pairs in a row.
    pub(super) stride: usize,
    pub(super) rows: usize,
    pub(super) inner: usize,
}

impl Int16Rows {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of terms in each sum.
    pub fn inner(&self) -> usize {
        self.inner
    }

    /// Number of blocks in a row.
    pub(super) fn blocks(&self) -> usize {
        self.inner.div_ceil(BLOCK)
    }

    /// Fills the buffer from `rows`, each of `inner` values, by `round`, which fills a block's
    /// pairs and returns its step.
    pub(in super::super) fn fill(
        &mut self,
        rows: Rows<'_>,
        inner: usize,
        round: impl Fn(&[f32], &mut [i32]) -> f32,
    ) {
        (self.inner, self.rows) = (inner, rows.rows);
        self.stride = inner.div_ceil(2);
        self.pairs.resize(rows.rows * self.stride, 0);
        self.steps.clear();
        for (row, pairs) in self.pairs.chunks_exact_mut(self.stride.max(1)).enumerate() {
            let values = &rows.values[row * rows.stride..][..inner];
            let blocks = values.chunks(BLOCK).zip(pairs.chunks_mut(BLOCK / 2));
            self.steps.extend(blocks.map(|(values, pairs)| round(values, pairs)));
        }
    }
}

/// The factor from values to codes, and the factor back, from a block's greatest magnitude and the
/// sum of its squares.
pub(super) fn scale(most: f32, squares: f32) -> (f32, f32) {
    if !squares.is_finite() || !most.is_finite() {
        return (0.0, f32::NAN);
    }
    // The squares of very small values underflow, so their largest possible sum is used.
    let length = if squares < SMALL { most * (BLOCK as f32).sqrt() } else { squares.sqrt() };
    let scale = (MOST / most).min(LONGEST / length);
    // A block of zeros only, or of values whose scale would be infinite, has codes 0.
    if scale.is_finite() { (scale, 1.0 / scale) } else { (0.0, 0.0) }
}
