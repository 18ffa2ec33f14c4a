//! The operations in plain Rust, for every machine.

use super::coefficients::{EXP2, EXP2_MIN, NEG_LOG2_PHI, PHI_MAX};
use super::operands::{Finish, Norm, Rows};
use super::panels::{Columns, PANEL};

pub(super) fn product(a: Rows<'_>, b: Columns<'_>, finish: Finish<'_>, out: &mut [f32], out_stride: usize) {
    for (index, panel) in b.panels.chunks_exact(b.inner).take(b.columns.div_ceil(PANEL)).enumerate() {
        let from = index * PANEL;
        let width = PANEL.min(b.columns - from);
        for row in 0..a.rows {
            let mut sums = [0.0; PANEL];
            for (x, weights) in a.values[row * a.stride..][..b.inner].iter().zip(panel) {
                for (sum, weight) in sums.iter_mut().zip(weights.0) {
                    *sum += x * weight;
                }
            }
            if let Some(bias) = finish.bias.get(from..from + PANEL) {
                for (sum, bias) in sums.iter_mut().zip(bias) {
                    *sum += bias;
                }
            }
            if finish.gelu {
                sums = sums.map(gelu);
            }
            out[row * out_stride + from..][..width].copy_from_slice(&sums[..width]);
        }
    }
}

pub(super) fn softmax(row: &mut [f32], scale: f32) {
    let scale = scale * std::f32::consts::LOG2_E;
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = exp2((*value - most) * scale);
        sum += *value;
    }
    let inverse = 1.0 / sum;
    for value in row {
        *value *= inverse;
    }
}

pub(super) fn dots(query: &[f32], rows: &[f32], out: &mut [f32]) {
    for (out, row) in out.iter_mut().zip(rows.chunks_exact(query.len().max(1))) {
        *out = query.iter().zip(row).map(|(x, y)| x * y).sum();
    }
}

pub(super) fn add_weighted(weights: &[f32], rows: &[f32], out: &mut [f32]) {
    for (weight, row) in weights.iter().zip(rows.chunks_exact(out.len().max(1))) {
        out.iter_mut().zip(row).for_each(|(out, value)| *out += weight * value);
    }
}

/// The greatest value; `true` when all values are numbers.
pub(super) fn most(row: &[f32]) -> (f32, bool) {
    (row.iter().copied().fold(f32::NEG_INFINITY, f32::max), !row.iter().any(|value| value.is_nan()))
}

/// Sum of exp(value - most); `most` is the greatest value, and finite.
pub(super) fn sum_exp(row: &[f32], most: f32) -> f32 {
    row.iter().map(|value| exp2((value - most) * std::f32::consts::LOG2_E)).sum()
}

pub(super) fn add_norm(row: &mut [f32], residual: &[f32], norm: &Norm) {
    let width = row.len() as f32;
    for (value, residual) in row.iter_mut().zip(residual) {
        *value += residual;
    }
    let mean = row.iter().sum::<f32>() / width;
    let variance = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / width;
    let inverse = 1.0 / (variance + norm.epsilon).sqrt();
    for ((value, weight), bias) in row.iter_mut().zip(&norm.weight).zip(&norm.bias) {
        *value = (*value - mean) * inverse * weight + bias;
    }
}

/// Computes x * Phi(x).
pub(super) fn gelu(x: f32) -> f32 {
    if x.is_nan() {
        return x;
    }
    let a = x.abs().min(PHI_MAX);
    let power = NEG_LOG2_PHI.iter().rev().fold(0.0, |sum, c| sum * a + c);
    x.max(0.0) - a * exp2(-power)
}

/// Computes 2 to the power x, for x <= 0; results below 2^-126 become 2^-126; NaN for NaN.
pub(super) fn exp2(x: f32) -> f32 {
    let x = if x < EXP2_MIN { EXP2_MIN } else { x };
    let whole = x.round_ties_even();
    let part = x - whole;
    let mantissa = EXP2.iter().rev().fold(0.0, |sum, c| sum * part + c);
    mantissa * f32::from_bits((((whole as i32) + 127) as u32) << 23)
}

pub(super) fn silu_gate(gate: &mut [f32], values: &[f32]) {
    for (gate, value) in gate.iter_mut().zip(values) {
        *gate = *gate / (1.0 + (-*gate).exp()) * value;
    }
}
