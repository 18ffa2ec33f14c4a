use super::super::panels::PANEL;
use super::format::BLOCK;
use super::panels::{BlockColumns, code};
use super::rows::{BlockRows, scale};

/// Rounds 32 values to codes, two in each of `pairs`; returns their scale and the sum of the codes.
pub(super) fn round(values: &[f32], pairs: &mut [i32]) -> (f32, i32) {
    let is_number = values.iter().all(|value| value.is_finite());
    let most = values.iter().fold(0f32, |most, value| most.max(value.abs()));
    let (scale, step) = scale(if is_number { most } else { f32::NAN });
    let code = |value: f32| if scale == 0.0 { 0 } else { (value * scale).round_ties_even() as i16 };
    let mut sum = 0;
    for (pair, values) in pairs.iter_mut().zip(values.chunks_exact(2)) {
        let codes = [code(values[0]), code(values[1])];
        *pair = i32::from(codes[1]) << 16 | i32::from(codes[0] as u16);
        sum += i32::from(codes[0]) + i32::from(codes[1]);
    }
    (step, sum)
}

pub(super) fn product(a: &BlockRows, b: BlockColumns<'_>, bias: &[f32], out: &mut [f32], out_stride: usize) {
    let format = b.format;
    let (per_half, halves) = if format.has_halves() { (BLOCK / 2, 2) } else { (BLOCK, 1) };
    for panel in b.each() {
        for row in 0..a.rows() {
            let mut sums = [0f32; PANEL];
            for block in 0..a.blocks() {
                let pairs = &a.pairs[row * a.pairs() + block * (BLOCK / 2)..][..BLOCK / 2];
                let lines = &panel.lines[block * format.lines()..][..format.lines()];
                let (step, whole) = (a.steps[row * a.blocks() + block], a.sums[row * a.blocks() + block]);
                for half in 0..halves {
                    let steps = &panel.steps[(block * halves + half) * PANEL..][..PANEL];
                    for (column, sum) in sums.iter_mut().enumerate() {
                        let term = |i: usize| {
                            let pair = pairs[i / 2];
                            let x = if i.is_multiple_of(2) { i32::from(pair as i16) } else { pair >> 16 };
                            x * i32::from(code(format, lines, i, column))
                        };
                        let exact: i32 = (half * per_half..(half + 1) * per_half).map(term).sum();
                        *sum = (exact as f32).mul_add(steps[column] * step, *sum);
                    }
                }
                if let Some(mins) = panel.mins.get(block * PANEL..(block + 1) * PANEL) {
                    sums.iter_mut().zip(mins).for_each(|(sum, min)| *sum = min.mul_add(whole, *sum));
                }
            }
            if let Some(bias) = bias.get(panel.first..panel.first + PANEL) {
                sums.iter_mut().zip(bias).for_each(|(sum, bias)| *sum += bias);
            }
            out[row * out_stride + panel.first..][..panel.width].copy_from_slice(&sums[..panel.width]);
        }
    }
}
