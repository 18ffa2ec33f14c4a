//! Rows and columns as codes, with what codes are multiplied by.

use super::super::operands::Rows;
use super::super::panels::PANEL;

/// Terms whose products are added up in 32 bits.
pub(super) const BLOCK: usize = 128;
/// The length of a block's codes before rounding, which adds at most `sqrt(BLOCK) / 2 < 10`; 46,310^2 < 2^31.
const LONGEST: f32 = 46_300.0;
/// The greatest code. Two products of it are below 2^31 too.
pub(super) const MOST: f32 = 32_767.0;
/// Sums of squares from here on are not changed by what vanishes.
const SMALL: f32 = 1e-25;
/// One pair of a panel's rows, on one cache line: for each column two codes, the first in the low half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(64))]
pub(super) struct CodeRow(pub(super) [i32; PANEL]);

/// The right-hand side: `ceil(columns / PANEL)` panels of codes.
#[derive(Clone, Copy)]
pub struct Int16Columns<'a> {
    pub(super) panels: &'a [CodeRow],
    pub(super) steps: &'a [f32],
    /// Terms of each sum.
    pub inner: usize,
    /// Number of columns.
    pub columns: usize,
}

impl<'a> Int16Columns<'a> {
    /// The panels in turn.
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
    /// `[blocks, PANEL]`
    pub(super) steps: &'a [f32],
    /// Its first column.
    pub(super) first: usize,
    /// Its columns.
    pub(super) width: usize,
}

/// The left-hand side in codes; a buffer that is used again and again.
#[derive(Clone, Default)]
pub struct Int16Rows {
    /// `[rows, stride]`: two codes each, the first in the low half.
    pub(super) pairs: Vec<i32>,
    /// Factors of the codes, `[rows, blocks]`; NaN for a block with a value that is not finite.
    pub(super) steps: Vec<f32>,
    /// Pairs of a row.
    pub(super) stride: usize,
    pub(super) rows: usize,
    pub(super) inner: usize,
}

impl Int16Rows {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Terms of each sum.
    pub fn inner(&self) -> usize {
        self.inner
    }

    /// Blocks of a row.
    pub(super) fn blocks(&self) -> usize {
        self.inner.div_ceil(BLOCK)
    }

    /// Takes `rows`, `inner` values of each, through `round`, which fills a block's pairs and returns its step.
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

/// Factor from values to codes, and the one back, from a block's greatest
/// magnitude and the sum of its squares.
pub(super) fn scale(most: f32, squares: f32) -> (f32, f32) {
    if !squares.is_finite() || !most.is_finite() {
        return (0.0, f32::NAN);
    }
    // Squares of the smallest values vanish: what they can be at most is taken instead.
    let length = if squares < SMALL { most * (BLOCK as f32).sqrt() } else { squares.sqrt() };
    let scale = (MOST / most).min(LONGEST / length);
    // Of nothing but zeros, or of values whose scale would be infinite.
    if scale.is_finite() { (scale, 1.0 / scale) } else { (0.0, 0.0) }
}
