use std::ops::Range;

use super::{Columns, Finish, Kernel, PANEL, PanelRow, Rows, panels_of};

/// Number of queries whose scores are kept at once: with 512 keys, 192 KB.
pub const QUERY_ROWS: usize = 96;

/// Division of the hidden size into heads.
#[derive(Clone, Copy)]
pub struct Heads {
    /// Number of heads.
    pub count: usize,
    /// Number of components in each head.
    pub width: usize,
}

/// The buffers of one head's attention in one sequence.
#[derive(Default)]
pub struct Attention {
    /// Keys as the right-hand side of a product: panels over positions.
    keys: Vec<PanelRow>,
    /// Values as the right-hand side of a product: panels over the head's width.
    values: Vec<PanelRow>,
    /// Scores, `[QUERY_ROWS, positions rounded up to whole panels]`.
    scores: Vec<f32>,
}

impl Attention {
    /// Bidirectional scaled dot-product attention of every head within every sequence.
    ///
    /// `projected` is `[tokens, 3 * hidden]`: query, key and value. Writes `[tokens, hidden]`.
    pub fn run(
        &mut self,
        kernel: Kernel,
        heads: Heads,
        projected: &[f32],
        lengths: &[usize],
        context: &mut [f32],
    ) {
        let hidden = heads.count * heads.width;
        let mut from = 0;
        for &length in lengths.iter().filter(|length| **length > 0) {
            let sequence = &projected[from * 3 * hidden..][..length * 3 * hidden];
            let context = &mut context[from * hidden..][..length * hidden];
            self.run_part(kernel, heads, sequence, 0..length, context);
            from += length;
        }
    }

    /// Computes the attention of some `queries` of one sequence, as [`Attention::run`] does;
    /// `projected` holds the whole sequence.
    pub fn run_part(
        &mut self,
        kernel: Kernel,
        heads: Heads,
        projected: &[f32],
        queries: Range<usize>,
        context: &mut [f32],
    ) {
        for head in 0..heads.count {
            self.head(kernel, heads, projected, head * heads.width, queries.clone(), context);
        }
    }

    fn head(
        &mut self,
        kernel: Kernel,
        heads: Heads,
        sequence: &[f32],
        at: usize,
        queries: Range<usize>,
        context: &mut [f32],
    ) {
        let length = sequence.len() / (3 * heads.count * heads.width);
        let (hidden, width) = (heads.count * heads.width, heads.width);
        let stride = 3 * hidden;
        self.pack(&sequence[hidden + at..], &sequence[2 * hidden + at..], stride, length, width);
        let keys = Columns { panels: &self.keys, inner: width, columns: length };
        let values = Columns { panels: &self.values, inner: length, columns: width };
        let score_stride = panels_of(length) * PANEL;
        self.scores.resize(QUERY_ROWS * score_stride, 0.0);
        let scale = 1.0 / (width as f32).sqrt();
        for first in queries.clone().step_by(QUERY_ROWS) {
            let rows = QUERY_ROWS.min(queries.end - first);
            let context = &mut context[(first - queries.start) * hidden + at..];
            let queries = Rows { values: &sequence[first * stride + at..], stride, rows };
            kernel.product(queries, keys, Finish::PLAIN, &mut self.scores, score_stride);
            for row in self.scores.chunks_exact_mut(score_stride).take(rows) {
                kernel.softmax(&mut row[..length], scale);
            }
            let weights = Rows { values: &self.scores, stride: score_stride, rows };
            kernel.product(weights, values, Finish::PLAIN, context, hidden);
        }
    }

    /// Lays out one head's keys and values; columns past the last are zero.
    fn pack(&mut self, keys: &[f32], values: &[f32], stride: usize, length: usize, width: usize) {
        self.keys.clear();
        self.keys.resize(panels_of(length) * width, PanelRow::default());
        self.values.clear();
        self.values.resize(panels_of(width) * length, PanelRow::default());
        for position in 0..length {
            let panel = &mut self.keys[position / PANEL * width..][..width];
            for (row, key) in panel.iter_mut().zip(&keys[position * stride..]) {
                row.0[position % PANEL] = *key;
            }
            for (panel, part) in values[position * stride..][..width].chunks(PANEL).enumerate() {
                self.values[panel * length + position].0[..part.len()].copy_from_slice(part);
            }
        }
    }
}
