//! Rounding and product in plain Rust, for every machine.

use super::super::operands::Finish;
use super::super::panels::PANEL;
use super::super::portable;
use super::codes::{BLOCK, Int16Columns, Int16Rows, MOST, scale};

/// Rounds a block to codes, two in each of `pairs`; returns the block's step.
pub(in super::super) fn round(values: &[f32], pairs: &mut [i32]) -> f32 {
    let most = values.iter().fold(0f32, |most, value| most.max(value.abs()));
    let (scale, step) = scale(most, values.iter().map(|value| value * value).sum());
    round_by(scale, values, pairs);
    step
}

/// Rounds `values` times `scale`.
pub(super) fn round_by(scale: f32, values: &[f32], pairs: &mut [i32]) {
    let code = |value: f32| (value * scale).round_ties_even().clamp(-MOST, MOST) as i16;
    for (pair, values) in pairs.iter_mut().zip(values.chunks(2)) {
        let [first, second] =
            [values.first(), values.get(1)].map(|value| value.map_or(0, |value| code(*value)));
        *pair = i32::from(second) << 16 | i32::from(first as u16);
    }
}

/// The two codes of a pair.
fn codes(pair: i32) -> [i32; 2] {
    [i32::from(pair as i16), pair >> 16]
}

pub(in super::super) fn product(
    a: &Int16Rows,
    b: Int16Columns<'_>,
    finish: Finish<'_>,
    out: &mut [f32],
    out_stride: usize,
) {
    for panel in b.each() {
        let bias = finish.bias.get(panel.first..panel.first + PANEL);
        for row in 0..a.rows() {
            let left = &a.pairs[row * a.stride..][..a.stride];
            let steps = a.steps[row * a.blocks()..].iter().zip(panel.steps.chunks_exact(PANEL));
            let blocks = left.chunks(BLOCK / 2).zip(panel.rows.chunks(BLOCK / 2)).zip(steps);
            let mut sums = [0f32; PANEL];
            for ((left, right), (row_step, column_steps)) in blocks {
                let mut exact = [0i32; PANEL];
                for (pair, weights) in left.iter().zip(right) {
                    let x = codes(*pair);
                    for (sum, weight) in exact.iter_mut().zip(weights.0) {
                        let w = codes(weight);
                        *sum += x[0] * w[0] + x[1] * w[1];
                    }
                }
                for ((sum, exact), step) in sums.iter_mut().zip(exact).zip(column_steps) {
                    *sum += exact as f32 * step * row_step;
                }
            }
            for (column, sum) in sums.iter_mut().enumerate() {
                *sum += bias.map_or(0.0, |bias| bias[column]);
                if finish.gelu {
                    *sum = portable::gelu(*sum);
                }
            }
            out[row * out_stride + panel.first..][..panel.width].copy_from_slice(&sums[..panel.width]);
        }
    }
}
