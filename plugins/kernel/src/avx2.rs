#![expect(
    unsafe_code,
    reason = "vector loads and stores go through pointers, and calls need proof of the CPU"
)]
//! The operations with AVX2 and FMA.
//!
//! The product keeps a tile of six rows by one panel (two registers) in twelve accumulators.
//! Weights stream panel by panel; a block of left-hand rows small enough for the second-level cache
//! is used for all panels before the next block is read.

use std::arch::x86_64::{
    _CMP_UNORD_Q, _MM_HINT_T0, _mm_prefetch, _mm256_add_ps, _mm256_andnot_ps, _mm256_blendv_ps,
    _mm256_broadcast_ss, _mm256_cmp_ps, _mm256_div_ps, _mm256_fmadd_ps, _mm256_max_ps, _mm256_movemask_ps,
    _mm256_mul_ps, _mm256_or_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_sub_ps,
};

use super::cache::{AHEAD, BLOCK_VALUES};
use super::cpu::Avx2;
use super::lanes::{LANES, exp2, finished, greatest, load, load_panel_row, store, store_part, total};
use super::operands::{Finish, Norm, Rows};
use super::panels::{Columns, PANEL, PanelRow};
use super::portable;

/// Rows of a full tile: with two registers each, twelve of the sixteen registers.
const TILE_ROWS: usize = 6;

impl Avx2 {
    pub(super) fn product(
        self,
        a: Rows<'_>,
        b: Columns<'_>,
        finish: Finish<'_>,
        out: &mut [f32],
        out_stride: usize,
    ) {
        if let Some(avx512) = self.avx512() {
            return avx512.product(a, b, finish, out, out_stride);
        }
        // SAFETY: `self` proves the CPU features.
        unsafe { product(a, b, finish, out, out_stride) }
    }

    pub(super) fn softmax(self, row: &mut [f32], scale: f32) {
        // SAFETY: `self` proves the CPU features.
        unsafe { softmax(row, scale) }
    }

    pub(super) fn dots(self, query: &[f32], rows: &[f32], out: &mut [f32]) {
        // SAFETY: `self` proves the CPU features.
        unsafe { dots(query, rows, out) }
    }

    pub(super) fn add_weighted(self, weights: &[f32], rows: &[f32], out: &mut [f32]) {
        // SAFETY: `self` proves the CPU features.
        unsafe { add_weighted(weights, rows, out) }
    }

    pub(super) fn most(self, row: &[f32]) -> (f32, bool) {
        // SAFETY: `self` proves the CPU features.
        unsafe { most(row) }
    }

    pub(super) fn sum_exp(self, row: &[f32], most: f32) -> f32 {
        // SAFETY: `self` proves the CPU features.
        unsafe { sum_exp(row, most) }
    }

    pub(super) fn silu_gate(self, gate: &mut [f32], values: &[f32]) {
        // SAFETY: `self` proves the CPU features.
        unsafe { silu_gate(gate, values) }
    }

    pub(super) fn add_norm(self, row: &mut [f32], residual: &[f32], norm: &Norm) {
        // SAFETY: `self` proves the CPU features.
        unsafe { add_norm(row, residual, norm) }
    }
}

#[target_feature(enable = "avx2,fma")]
fn product(a: Rows<'_>, b: Columns<'_>, finish: Finish<'_>, out: &mut [f32], out_stride: usize) {
    let block = (BLOCK_VALUES / b.inner.max(1)).max(TILE_ROWS) / TILE_ROWS * TILE_ROWS;
    for block_from in (0..a.rows).step_by(block) {
        let block_to = a.rows.min(block_from + block);
        for (index, panel) in b.panels.chunks_exact(b.inner).take(b.columns.div_ceil(PANEL)).enumerate() {
            let from = index * PANEL;
            let width = PANEL.min(b.columns - from);
            let bias = finish.bias.get(from..from + PANEL);
            for row in (block_from..block_to).step_by(TILE_ROWS) {
                let left = &a.values[row * a.stride..];
                let target = &mut out[row * out_stride + from..];
                let strides = (a.stride, out_stride);
                match block_to - row {
                    1 => tile::<1>(left, panel, bias, finish.gelu, target, strides, width),
                    2 => tile::<2>(left, panel, bias, finish.gelu, target, strides, width),
                    3 => tile::<3>(left, panel, bias, finish.gelu, target, strides, width),
                    4 => tile::<4>(left, panel, bias, finish.gelu, target, strides, width),
                    5 => tile::<5>(left, panel, bias, finish.gelu, target, strides, width),
                    _ => tile::<TILE_ROWS>(left, panel, bias, finish.gelu, target, strides, width),
                }
            }
        }
    }
}

/// Computes `ROWS` rows times one panel, and stores the first `width` of the panel's columns.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn tile<const ROWS: usize>(
    left: &[f32],
    panel: &[PanelRow],
    bias: Option<&[f32]>,
    gelu_after: bool,
    target: &mut [f32],
    (left_stride, target_stride): (usize, usize),
    width: usize,
) {
    assert!(left.len() >= (ROWS - 1) * left_stride + panel.len(), "left side too short");
    assert!(width <= PANEL && target.len() >= (ROWS - 1) * target_stride + width, "target too short");
    let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
    for (i, weights) in panel.iter().enumerate() {
        _mm_prefetch::<_MM_HINT_T0>(panel.as_ptr().wrapping_add(i + AHEAD).cast());
        let (low, high) = load_panel_row(weights);
        for (row, sum) in sums.iter_mut().enumerate() {
            // SAFETY: row < ROWS and i < panel.len(), so the index is below the length asserted
            // above.
            let x = _mm256_broadcast_ss(unsafe { left.get_unchecked(row * left_stride + i) });
            sum[0] = _mm256_fmadd_ps(x, low, sum[0]);
            sum[1] = _mm256_fmadd_ps(x, high, sum[1]);
        }
    }
    for (row, sum) in sums.into_iter().enumerate() {
        store_part(&mut target[row * target_stride..][..width], finished(sum, bias, gelu_after));
    }
}

#[target_feature(enable = "avx2,fma")]
fn softmax(row: &mut [f32], scale: f32) {
    let scale = scale * std::f32::consts::LOG2_E;
    let (body, tail) = row.split_at_mut(row.len() / LANES * LANES);
    let mut most = _mm256_set1_ps(f32::NEG_INFINITY);
    for lanes in body.chunks_exact(LANES) {
        most = _mm256_max_ps(most, load(lanes));
    }
    let most = tail.iter().copied().fold(greatest(most), f32::max);

    let (most_lanes, scale_lanes) = (_mm256_set1_ps(most), _mm256_set1_ps(scale));
    let mut sums = _mm256_setzero_ps();
    for lanes in body.chunks_exact_mut(LANES) {
        let power = exp2(_mm256_mul_ps(_mm256_sub_ps(load(lanes), most_lanes), scale_lanes));
        sums = _mm256_add_ps(sums, power);
        store(lanes, power);
    }
    let mut sum = total(sums);
    for value in tail.iter_mut() {
        *value = portable::exp2((*value - most) * scale);
        sum += *value;
    }

    let inverse = 1.0 / sum;
    let inverse_lanes = _mm256_set1_ps(inverse);
    for lanes in body.chunks_exact_mut(LANES) {
        let value = _mm256_mul_ps(load(lanes), inverse_lanes);
        store(lanes, value);
    }
    for value in tail {
        *value *= inverse;
    }
}

#[target_feature(enable = "avx2,fma")]
fn dots(query: &[f32], rows: &[f32], out: &mut [f32]) {
    let whole = query.len() / LANES * LANES;
    for (out, row) in out.iter_mut().zip(rows.chunks_exact(query.len().max(1))) {
        // Two sums, so that an addition need not wait for the one before.
        let mut sums = [_mm256_setzero_ps(); 2];
        let lanes = query[..whole].chunks_exact(LANES).zip(row[..whole].chunks_exact(LANES));
        for (i, (x, y)) in lanes.enumerate() {
            sums[i % 2] = _mm256_fmadd_ps(load(x), load(y), sums[i % 2]);
        }
        let rest = query[whole..].iter().zip(&row[whole..]).map(|(x, y)| x * y);
        *out = total(_mm256_add_ps(sums[0], sums[1])) + rest.sum::<f32>();
    }
}

/// Number of columns that are summed together over all rows.
const SUMMED: usize = 8 * LANES;

#[target_feature(enable = "avx2,fma")]
fn add_weighted(weights: &[f32], rows: &[f32], out: &mut [f32]) {
    let width = out.len();
    for from in (0..width).step_by(SUMMED) {
        let columns = &mut out[from..width.min(from + SUMMED)];
        let whole = columns.len() / LANES;
        let mut sums = [_mm256_setzero_ps(); SUMMED / LANES];
        for (sum, lanes) in sums.iter_mut().zip(columns.chunks_exact(LANES)) {
            *sum = load(lanes);
        }
        for (weight, row) in weights.iter().zip(rows.chunks_exact(width)) {
            let (row, weight_lanes) = (&row[from..from + columns.len()], _mm256_set1_ps(*weight));
            for (sum, lanes) in sums.iter_mut().zip(row.chunks_exact(LANES)) {
                *sum = _mm256_fmadd_ps(weight_lanes, load(lanes), *sum);
            }
            let tail = columns[whole * LANES..].iter_mut().zip(&row[whole * LANES..]);
            tail.for_each(|(out, value)| *out += weight * value);
        }
        for (sum, lanes) in sums.iter().zip(columns.chunks_exact_mut(LANES)) {
            store(lanes, *sum);
        }
    }
}

#[target_feature(enable = "avx2,fma")]
fn most(row: &[f32]) -> (f32, bool) {
    let (body, tail) = row.split_at(row.len() / LANES * LANES);
    let (mut most, mut nan) = (_mm256_set1_ps(f32::NEG_INFINITY), _mm256_setzero_ps());
    for lanes in body.chunks_exact(LANES) {
        let lanes = load(lanes);
        most = _mm256_max_ps(most, lanes);
        nan = _mm256_or_ps(nan, _mm256_cmp_ps::<_CMP_UNORD_Q>(lanes, lanes));
    }
    let (of_tail, is_number) = portable::most(tail);
    (greatest(most).max(of_tail), is_number && _mm256_movemask_ps(nan) == 0)
}

#[target_feature(enable = "avx2,fma")]
fn sum_exp(row: &[f32], most: f32) -> f32 {
    let (body, tail) = row.split_at(row.len() / LANES * LANES);
    let (most_lanes, scale) = (_mm256_set1_ps(most), _mm256_set1_ps(std::f32::consts::LOG2_E));
    let mut sums = _mm256_setzero_ps();
    for lanes in body.chunks_exact(LANES) {
        sums = _mm256_add_ps(sums, exp2(_mm256_mul_ps(_mm256_sub_ps(load(lanes), most_lanes), scale)));
    }
    total(sums) + portable::sum_exp(tail, most)
}

#[target_feature(enable = "avx2,fma")]
fn add_norm(row: &mut [f32], residual: &[f32], norm: &Norm) {
    let width = row.len() as f32;
    let split = row.len() / LANES * LANES;
    let (body, tail) = row.split_at_mut(split);
    let mut sums = _mm256_setzero_ps();
    for (lanes, residual) in body.chunks_exact_mut(LANES).zip(residual.chunks_exact(LANES)) {
        let value = _mm256_add_ps(load(lanes), load(residual));
        sums = _mm256_add_ps(sums, value);
        store(lanes, value);
    }
    let mut sum = total(sums);
    for (value, residual) in tail.iter_mut().zip(&residual[split..]) {
        *value += residual;
        sum += *value;
    }
    let mean = sum / width;

    let mean_lanes = _mm256_set1_ps(mean);
    let mut squares = _mm256_setzero_ps();
    for lanes in body.chunks_exact(LANES) {
        let deviation = _mm256_sub_ps(load(lanes), mean_lanes);
        squares = _mm256_fmadd_ps(deviation, deviation, squares);
    }
    let square = total(squares) + tail.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>();
    let inverse = 1.0 / (square / width + norm.epsilon).sqrt();

    let inverse_lanes = _mm256_set1_ps(inverse);
    let parameters = norm.weight.chunks_exact(LANES).zip(norm.bias.chunks_exact(LANES));
    for (lanes, (weight, bias)) in body.chunks_exact_mut(LANES).zip(parameters) {
        let unit = _mm256_mul_ps(_mm256_sub_ps(load(lanes), mean_lanes), inverse_lanes);
        store(lanes, _mm256_fmadd_ps(unit, load(weight), load(bias)));
    }
    for ((value, weight), bias) in tail.iter_mut().zip(&norm.weight[split..]).zip(&norm.bias[split..]) {
        *value = (*value - mean) * inverse * weight + bias;
    }
}

#[target_feature(enable = "avx2,fma")]
fn silu_gate(gate: &mut [f32], values: &[f32]) {
    let whole = gate.len() / LANES * LANES;
    let (body, tail) = gate.split_at_mut(whole);
    let (one, sign) = (_mm256_set1_ps(1.0), _mm256_set1_ps(-0.0));
    let scale = _mm256_set1_ps(-std::f32::consts::LOG2_E);
    for (lanes, values) in body.chunks_exact_mut(LANES).zip(values.chunks_exact(LANES)) {
        let x = load(lanes);
        // exp(-|x|), at most 1: the share is 1 / (1 + it) above 0, and the rest below.
        let power = exp2(_mm256_mul_ps(scale, _mm256_andnot_ps(sign, x)));
        let above = _mm256_div_ps(one, _mm256_add_ps(one, power));
        let below = _mm256_mul_ps(power, above);
        let share = _mm256_blendv_ps(above, below, x);
        store(lanes, _mm256_mul_ps(_mm256_mul_ps(x, share), load(values)));
    }
    portable::silu_gate(tail, &values[whole..]);
}
