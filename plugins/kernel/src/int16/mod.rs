//! Products of 16-bit integers, for linear layers: half the bytes of f32 and twice the products per instruction.
//!
//! A row on the left and a column on the right are cut into blocks of [`BLOCK`] terms; each block is multiplied by a
//! scale of its own and rounded to codes. Within a block sums are exact in 32 bits: the scales are chosen such that a
//! block's codes have at most the length [`LONGEST`], so that by Cauchy and Schwarz no sum of any of their products
//! passes `LONGEST^2 < 2^31`. Blocks are added up in f32. A code is off by at most half a step; for terms of even size a
//! sum is off by about 1e-4 of its row's and column's lengths, and a term that dwarfs the others costs precision in
//! its own block only.
//!
//! All kernels give the same bits for the same codes.
//!
//! file | responsibility
//! ---|---
//! `portable.rs` | rounding and product in plain Rust
//! `avx2.rs` | the same with AVX2
//! `avx512.rs` | the product with AVX-512 and VNNI

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
pub(super) mod portable;

use super::{PANEL, Panels, Rows, panels_of};

/// Terms whose products are added up in 32 bits.
pub(super) const BLOCK: usize = 128;
/// The length of a block's codes before rounding, which adds at most `sqrt(BLOCK) / 2 < 10`; 46,310^2 < 2^31.
const LONGEST: f32 = 46_300.0;
/// The greatest code. Two products of it are below 2^31 too.
const MOST: f32 = 32_767.0;
/// Sums of squares from here on are not changed by what vanishes.
const SMALL: f32 = 1e-25;
/// One pair of a panel's rows, on one cache line: for each column two codes, the first in the low half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(64))]
pub(super) struct CodeRow([i32; PANEL]);

/// A weight matrix in codes: for each panel of columns in turn, all its rows by pairs.
#[derive(Clone, Default)]
pub struct Int16Panels {
    /// `[panels_of(columns), inner / 2 rounded up]`
    panels: Vec<CodeRow>,
    /// What codes are multiplied by: `[panels_of(columns), blocks, PANEL]`.
    steps: Vec<f32>,
    inner: usize,
    columns: usize,
}

impl Int16Panels {
    /// Rounds a packed matrix, column by column.
    pub fn from_panels(weight: &Panels) -> Self {
        let (inner, columns) = (weight.inner(), weight.columns());
        let pairs = inner.div_ceil(2);
        let mut panels = vec![CodeRow::default(); panels_of(columns) * pairs];
        let blocks = inner.div_ceil(BLOCK);
        let mut steps = vec![0.0; panels_of(columns) * blocks * PANEL];
        let (mut column, mut codes) = (vec![0.0; inner], vec![0; pairs]);
        for index in 0..columns {
            weight.copy_column(index, &mut column);
            for (block, (values, codes)) in column.chunks(BLOCK).zip(codes.chunks_mut(BLOCK / 2)).enumerate()
            {
                let step = portable::round(values, codes);
                steps[(index / PANEL * blocks + block) * PANEL + index % PANEL] = step;
            }
            let panel = &mut panels[index / PANEL * pairs..][..pairs];
            panel.iter_mut().zip(&codes).for_each(|(row, pair)| row.0[index % PANEL] = *pair);
        }
        Self { panels, steps, inner, columns }
    }

    /// Terms of each sum.
    pub fn inner(&self) -> usize {
        self.inner
    }

    /// How many columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The packed matrix, to multiply by.
    pub fn all(&self) -> Int16Columns<'_> {
        self.part(0, panels_of(self.columns))
    }

    /// So many of its panels from one on, to multiply by. Panics when there are fewer.
    pub fn part(&self, first: usize, panels: usize) -> Int16Columns<'_> {
        let (pairs, steps) = (self.inner.div_ceil(2), self.inner.div_ceil(BLOCK) * PANEL);
        Int16Columns {
            panels: &self.panels[first * pairs..][..panels * pairs],
            steps: &self.steps[first * steps..][..panels * steps],
            inner: self.inner,
            columns: (self.columns - first * PANEL).min(panels * PANEL),
        }
    }
}

/// The right-hand side: `ceil(columns / PANEL)` panels of codes.
#[derive(Clone, Copy)]
pub struct Int16Columns<'a> {
    panels: &'a [CodeRow],
    steps: &'a [f32],
    /// Terms of each sum.
    pub inner: usize,
    /// How many.
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
    /// What codes are multiplied by, `[rows, blocks]`; NaN for a block with a value that is not finite.
    pub(super) steps: Vec<f32>,
    /// Pairs of a row.
    pub(super) stride: usize,
    rows: usize,
    inner: usize,
}

impl Int16Rows {
    /// How many.
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
    pub(super) fn fill(&mut self, rows: Rows<'_>, inner: usize, round: impl Fn(&[f32], &mut [i32]) -> f32) {
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

/// What values are multiplied by to be codes, and codes by to be values again, from a block's greatest
/// magnitude and the sum of its squares.
fn scale(most: f32, squares: f32) -> (f32, f32) {
    if !squares.is_finite() || !most.is_finite() {
        return (0.0, f32::NAN);
    }
    // Squares of the smallest values vanish: what they can be at most is taken instead.
    let length = if squares < SMALL { most * (BLOCK as f32).sqrt() } else { squares.sqrt() };
    let scale = (MOST / most).min(LONGEST / length);
    // Of nothing but zeros, or of values whose scale would be infinite.
    if scale.is_finite() { (scale, 1.0 / scale) } else { (0.0, 0.0) }
}

#[cfg(test)]
mod tests;
